"""Programs that the package starts itself, without subprocess."""

import os
import pathlib
import subprocess
import sys

import pytest

SOURCES = pathlib.Path(__file__).resolve().parents[1] / "src"
sys.path.insert(0, str(SOURCES))

from tiphys._process import Process  # noqa: E402


@pytest.fixture
def errors():
    with open(os.memfd_create("errors"), "w+b") as file:
        yield file


@pytest.fixture
def start(errors):
    """sh -c with a script, and A=a alone in its environment."""
    begun = []

    def process(script):
        begun.append(Process(["/bin/sh", "-c", script], {"A": "a", "PATH": "/usr/bin:/bin"}, errors.fileno()))
        return begun[-1]

    yield process
    for each in begun:
        each.kill()
        each.wait()
        each.stdin.close()
        each.stdout.close()


def test_streams_environment_and_exit_code(start, errors):
    process = start("echo $A; read line; echo got $line >&2; exit 3")
    assert process.stdout.readline() == b"a\n"
    assert process.poll() is None and process.returncode is None and not process.ends_within(0)
    process.stdin.write(b"it\n")
    assert process.ends_within(60) and process.wait() == process.poll() == process.returncode == 3
    errors.seek(0)
    assert errors.read() == b"got it\n"


def test_its_input_ends_with_ours(start):
    process = start("read line; echo ended")
    process.stdin.close()
    assert process.stdout.readline() == b"ended\n"


@pytest.mark.parametrize("end, signal", [(Process.terminate, 15), (Process.kill, 9)])
def test_signals(start, end, signal):
    process = start("echo up; exec sleep 1000")
    process.stdout.readline()
    end(process)
    assert process.wait() == -signal
    end(process)  # nobody any more: nothing happens


def test_it_inherits_nothing_and_leads_its_session(start):
    read, write = os.pipe()
    os.set_inheritable(write, True)
    process = start("echo $(ps -o sid= $$) $$; read line")
    session, pid = process.stdout.readline().split()
    os.close(write)
    assert os.read(read, 1) == b""  # no end of it is left
    os.close(read)
    assert session == pid


def test_a_broken_pipe_ends_a_program(start):
    """Python ignores SIGPIPE, and programs inherit that."""
    assert start("yes | head -1; kill -PIPE $$; echo on").stdout.readlines() == [b"y\n"]


def test_a_program_that_is_not_there(errors):
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(FileNotFoundError):
        Process(["/nowhere"], {}, errors.fileno())
    assert len(os.listdir("/proc/self/fd")) == before


WITHOUT_STREAMS = """
import os, sys
sys.path.insert(0, {sources!r})
from tiphys._process import Process
errors = os.open("/dev/null", os.O_WRONLY)
os.close(0)
os.close(1)
process = Process(["/bin/sh", "-c", "read line; echo got $line"], {{"PATH": "/usr/bin:/bin"}}, errors)
process.stdin.write(b"it\\n")
assert process.stdout.read() == b"got it\\n"
assert process.wait() == 0
"""


def test_streams_that_are_closed_here(tmp_path):
    subprocess.run([sys.executable, "-c", WITHOUT_STREAMS.format(sources=str(SOURCES))], check=True, timeout=60)


def test_who_waits_for_all_children_takes_the_end_along(start):
    process = start("exit 5")
    os.waitpid(process.pid, 0)
    assert process.wait() == 0
