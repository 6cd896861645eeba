"""A real Alertmanager on loopback for the tests, alone or one of a cluster: started, asked, killed, restarted."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tests.prometheus import READY_SECONDS, free_port

QUIET = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
"""A configuration that tells nobody."""


class Alertmanager:
    """A running Alertmanager that keeps its state in `directory`. Its ports stay the same over restarts."""

    def __init__(
        self, directory: Path, *, config: str = QUIET, peers: Sequence[Alertmanager] = (), flags: Sequence[str] = ()
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.port, self.cluster_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        """Where it is asked, and what its notifications say they are from."""
        self.config = directory / "alertmanager.yml"
        self.config.write_text(config)
        self._peers = tuple(f"--cluster.peer=127.0.0.1:{peer.cluster_port}" for peer in peers)
        self._flags = tuple(flags)
        self._log = directory / "alertmanager.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> Alertmanager:
        """Start it and wait until it is ready; raises AssertionError with its log if it does not come up."""
        binary = shutil.which("prometheus-alertmanager")
        if binary is None:
            raise AssertionError("no `prometheus-alertmanager` on PATH: run `make test`, which installs it")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    binary,
                    f"--config.file={self.config}",
                    f"--storage.path={self.directory / 'state'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    f"--cluster.listen-address=127.0.0.1:{self.cluster_port}",
                    f"--cluster.advertise-address=127.0.0.1:{self.cluster_port}",
                    f"--web.external-url={self.url}",
                    "--cluster.settle-timeout=100ms",
                    *self._peers,
                    *self._flags,
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + READY_SECONDS
        while wait and not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"alertmanager did not become ready: {self._log.read_text()[-2000:]}")
            time.sleep(0.05)
        return self

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send the signal and wait for the end. Idempotent."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=READY_SECONDS)
            self._process = None

    def alerts(self) -> list[dict[str, object]]:
        """The alerts that it holds, with their labels, annotations and times, as `amtool alert query` prints them."""
        binary = shutil.which("amtool")
        if binary is None:
            raise AssertionError("no `amtool` on PATH: run `make test`, which installs it")
        done = subprocess.run(
            [binary, f"--alertmanager.url={self.url}", "alert", "query", "-o", "json"],
            capture_output=True, text=True, check=False, timeout=READY_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: list[dict[str, object]] = json.loads(done.stdout) or []
        return found

    def names(self) -> list[str]:
        """The label `name` of each alert that it holds, sorted."""
        return sorted(alert["labels"].get("name", "") for alert in self.alerts())

    def logged(self, what: str) -> list[float]:
        """When it logged a line that holds `what`, in seconds since the epoch."""
        lines = [line for line in self._log.read_text().splitlines() if what in line]
        return [datetime.fromisoformat(line.removeprefix("ts=").partition(" ")[0]).timestamp() for line in lines]

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def __enter__(self) -> Alertmanager:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
