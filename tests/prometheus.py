"""A real Prometheus on loopback for the tests: started on recorded or written samples, stopped, killed, restarted."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

READY_SECONDS = 90.0
_SCRAPES_ITSELF = """
scrape_configs:
  - job_name: prometheus
    scrape_interval: 1s
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""
"""A configuration, but for its own `port`."""


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def blocks_from_openmetrics(text: str, directory: Path) -> None:
    """Turn OpenMetrics text with timestamps (ending in `# EOF`) into TSDB blocks with promtool."""
    directory.mkdir(parents=True, exist_ok=True)
    source = directory.parent / (directory.name + ".om")
    source.write_text(text)
    done = subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(source), str(directory)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"promtool refused the samples: {done.stdout}{done.stderr}")
    source.unlink()


class Prometheus:
    """A running Prometheus over `directory` (its TSDB). Its port stays the same over restarts."""

    def __init__(self, directory: Path, *, config: str = "", flags: Sequence[str] = ()) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._flags = tuple(flags)
        self._config = directory.parent / f"{directory.name}-{self.port}.yml"
        self._config.write_text(config)
        self._log = directory.parent / f"{directory.name}-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Prometheus:
        """Start it and wait until it is ready; raises AssertionError with its log if it does not come up."""
        binary = shutil.which("prometheus")
        if binary is None:
            raise AssertionError("no `prometheus` on PATH: run `make test`, which installs it")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    binary,
                    f"--config.file={self._config}",
                    f"--storage.tsdb.path={self.directory}",
                    "--storage.tsdb.retention.time=3650d",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    "--log.level=warn",
                    *self._flags,
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as answer:
                    if answer.status == 200:
                        return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise AssertionError(f"prometheus did not become ready: {self._log.read_text()[-2000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send the signal and wait for the end. Idempotent."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=READY_SECONDS)
            self._process = None

    def __enter__(self) -> Prometheus:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def scraping_itself(directory: Path, *, flags: Sequence[str] = ()) -> Prometheus:
    """A Prometheus, not started yet, that is going to scrape itself each second."""
    server = Prometheus(directory, flags=flags)
    server._config.write_text(_SCRAPES_ITSELF.format(port=server.port))
    return server


def has_samples(server: Prometheus) -> bool:
    """Whether it has scraped itself; slots before that are `error` (history lost), as they should be."""
    with urllib.request.urlopen(f"{server.url}/api/v1/query?query=up", timeout=5) as answer:
        return bool(json.load(answer)["data"]["result"])


def await_first_scrape(server: Prometheus) -> None:
    """Wait until a running one has samples; raises AssertionError if none come."""
    deadline = time.monotonic() + READY_SECONDS
    while not has_samples(server):
        assert time.monotonic() < deadline, "the first scrape did not come about"
        time.sleep(0.05)
