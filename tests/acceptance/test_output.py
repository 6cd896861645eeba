"""Output that cannot be written, and what nobody foresaw: never the exit status of a failed SLO."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SLOAGENT = Path(sys.executable).with_name("sloagent")


def test_a_full_disk_is_a_sentence_and_no_verdict() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [SLOAGENT, "validate", "builtin:karmada"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 3
    assert done.stderr.decode() == "sloagent: the output could not be written: no space left on device\n"


def test_a_mistake_of_our_own_is_told_with_its_trace_and_is_no_verdict() -> None:
    program = (
        "import sys, sloagent.cli as c; c.COMMANDS['explode'] = 'x'; sys.argv[1:] = ['explode']; "
        "sys.modules['sloagent.cli.explode'] = object(); c.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "AttributeError" in done.stderr
    assert "sloagent: this is a mistake in sloagent itself; no verdict was reached" in done.stderr
