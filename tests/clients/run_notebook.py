"""Runs a notebook as a page would, and writes it with its outputs: run_notebook.py FROM TO."""

import sys

import nbformat
from nbclient import NotebookClient

source, target = sys.argv[1:]
notebook = nbformat.read(source, as_version=4)
NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
nbformat.validate(notebook)
nbformat.write(notebook, target)
print("done")
