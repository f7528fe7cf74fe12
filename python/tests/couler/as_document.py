"""Runs a program as `python -m tiphys.couler` does, and submits Couler's document as it is."""

import sys

from tiphys.couler import argo_submitter, program

argo_submitter.submitted = lambda document: document
program.run(sys.argv[1])
