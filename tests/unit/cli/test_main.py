"""How the program ends where no command decides it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

SLOAGENT = (sys.executable, "-m", "sloagent")


def test_a_reader_that_has_left_is_no_failed_slo(tmp_path: Path) -> None:
    (tmp_path / "sloagent.yaml").write_text("prometheus: {url: 'http://127.0.0.1:1'}\nslos: ['builtin:karmada']\n")
    process = subprocess.Popen(
        [*SLOAGENT, "config", "show"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, complaint = process.communicate(timeout=30)
    assert (process.returncode, complaint) == (141, b"")


def test_an_interrupted_question_is_no_verdict(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        (tmp_path / "sloagent.yaml").write_text(
            f"prometheus: {{url: 'http://127.0.0.1:{port}'}}\nslos: ['builtin:karmada']\n"
            "evaluation: {query_timeout: 2s}\n"
        )
        process = subprocess.Popen(
            [*SLOAGENT, "explain", "api-availability"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        silent.settimeout(30)
        asked, _ = silent.accept()
        process.send_signal(signal.SIGINT)
        printed, complaint = process.communicate(timeout=30)
        asked.close()
    assert (process.returncode, printed, complaint.strip()) == (130, b"", b"")
