"""Ctrl-C is remembered though its exception is dropped."""

from __future__ import annotations

import signal
import subprocess
import sys

DROPPED = """
import os, signal, sys
from sloagent.cli import interrupt

class Dropping:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)  # an exception that is raised in here is dropped

interrupt.note()
assert not interrupt.came()
thing = Dropping()
del thing
print("goes on", interrupt.came())
"""
IGNORED = """
import os, signal
from sloagent.cli import interrupt

signal.signal(signal.SIGINT, signal.SIG_IGN)
interrupt.note()
os.kill(os.getpid(), signal.SIGINT)
print("goes on", interrupt.came())
"""


def test_what_python_drops_is_remembered() -> None:
    done = subprocess.run([sys.executable, "-c", DROPPED], capture_output=True, text=True, check=True)
    assert done.stdout == "goes on True\n"
    assert "KeyboardInterrupt" in done.stderr


def test_where_it_is_ignored_it_stays_so() -> None:
    done = subprocess.run([sys.executable, "-c", IGNORED], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("goes on False\n", "")


def test_otherwise_it_ends_what_is_under_way() -> None:
    program = DROPPED.replace("del thing\n", "os.kill(os.getpid(), signal.SIGINT)\n")
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == -signal.SIGINT
    )
