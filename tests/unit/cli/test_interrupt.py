"""Ctrl-C gets through, or is remembered, where Python drops its exception."""

from __future__ import annotations

import signal
import subprocess
import sys

PRELUDE = """
import os, signal, sys, time
from sloagent.cli import interrupt

class Dropping:
    def __init__(self, what):
        self.what = what
    def __del__(self):  # an exception that is raised in here is dropped
        self.what()

def pressed():
    os.kill(os.getpid(), signal.SIGINT)
"""
DROPPED = """
interrupt.note()
assert not interrupt.came()
thing = Dropping(pressed)
try:
    del thing
    print("goes on", interrupt.came(), flush=True)
    time.sleep(30)
except KeyboardInterrupt:
    print("ended")
"""
OTHERS = """
interrupt.note()
thing = Dropping(lambda: 1 / 0)
del thing
time.sleep(5 * interrupt.AGAIN_SECONDS)
print("goes on", interrupt.came())
"""
IGNORED = """
signal.signal(signal.SIGINT, signal.SIG_IGN)
interrupt.note()
pressed()
print("goes on", interrupt.came())
"""
PRESSED = """
interrupt.note()
pressed()
"""


def done(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + program], capture_output=True, text=True, check=False, timeout=25
    )


def test_what_python_drops_is_remembered_and_pressed_again() -> None:
    said = done(DROPPED)
    assert (said.stdout, said.stderr, said.returncode) == ("goes on True\nended\n", "", 0)


def test_other_exceptions_that_are_dropped_are_told_as_ever() -> None:
    said = done(OTHERS)
    assert (said.stdout, said.returncode) == ("goes on False\n", 0)
    assert "ZeroDivisionError" in said.stderr


def test_where_it_is_ignored_it_stays_so() -> None:
    said = done(IGNORED)
    assert (said.stdout, said.stderr) == ("goes on False\n", "")


def test_otherwise_it_ends_what_is_under_way() -> None:
    assert done(PRESSED).returncode == -signal.SIGINT
