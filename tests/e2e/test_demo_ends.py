"""However the demo is ended, the Prometheus it started ends with it."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.agent import SLOAGENT, wait_until
from tests.prometheus import free_port


def listens(port: int) -> bool:
    """Whether anybody accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_served_demo_takes_its_prometheus_with_it(how: signal.Signals, tmp_path: Path) -> None:
    port = free_port()
    log = tmp_path / "demo.log"
    with log.open("wb") as output:
        demo = subprocess.Popen(
            [*SLOAGENT, "demo", "--directory", str(tmp_path / "demo"), "--port", str(port), "--serve"],
            stdout=output, stderr=output,
        )  # fmt: skip
    try:
        wait_until(lambda: "until Ctrl-C" in log.read_text() or demo.poll() is not None, 90, "the demo being served")
        assert listens(port), log.read_text()
        demo.send_signal(how)
        assert demo.wait(20) in (130, 143)
        assert not listens(port)
    finally:
        demo.kill()
