"""sloagent as people run it: a directory with its files, the real command, and the daemon as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sloagent.app.wiring import open_store
from sloagent.errors import StoreError
from tests.prometheus import free_port

SLOAGENT = (sys.executable, "-m", "sloagent")
READY_SECONDS = 90.0
UP_EVERY_SECOND = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 1s, window: 5s}
slos:
  - name: up
    sli: {value: {query: 'up', unit: count}}
    objective: {at_least: 1}
"""
"""An SLO set that keeps a daemon busy, over a Prometheus that scrapes itself."""


class AgentDirectory:
    """A directory with a `sloagent.yaml` and the SLO files it names."""

    def __init__(self, directory: Path, prometheus_url: str, *, slos: Mapping[str, str], extra: str = "") -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.configuration = directory / "sloagent.yaml"
        for name, text in slos.items():
            (directory / name).write_text(text)
        self.write(prometheus_url, tuple(slos), extra)

    def write(self, prometheus_url: str, slos: Sequence[str], extra: str = "") -> None:
        """Write the agent's file anew."""
        self.configuration.write_text(
            f"prometheus: {{url: '{prometheus_url}'}}\nslos: {json.dumps(list(slos))}\n"
            f"web: {{listen: '127.0.0.1:{self.port}'}}\n{extra}"
        )

    def command(self, *words: str, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run one command in the directory; `-c` is added."""
        return subprocess.run(
            [*SLOAGENT, words[0], *words[1:], "-c", str(self.configuration)],
            capture_output=True,
            text=True,
            cwd=self.directory,
            timeout=timeout,
            check=False,
        )

    def dump(self) -> str:
        """Everything the store promises, as text."""
        done = self.command("store", "dump")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self) -> list[dict[str, Any]]:
        """The lines of the dump, read by this process: quick enough to be asked for again and again."""
        try:
            store = open_store(self.configuration, read_only=True)
        except StoreError:
            return []  # not yet there
        try:
            return [json.loads(line) for line in store.dump()]
        finally:
            store.close()


class DaemonProcess:
    """`sloagent run` as a process."""

    def __init__(self, agent: AgentDirectory, *, program: Sequence[str] = SLOAGENT) -> None:
        self.agent = agent
        self.url = f"http://127.0.0.1:{agent.port}"
        self.log = agent.directory / "daemon.log"
        self._program = tuple(program)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> DaemonProcess:
        """Start it and wait until it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self._program, "run", "-c", str(self.agent.configuration)],
                stdout=log,
                stderr=log,
                cwd=self.agent.directory,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.get("/-/ready")
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
            else:
                return self
        raise AssertionError(f"the daemon did not become ready: {self.log.read_text()[-3000:]}")

    def get(self, path: str, timeout: float = 5.0) -> str:
        """The body of a successful GET."""
        with urllib.request.urlopen(self.url + path, timeout=timeout) as answer:
            return str(answer.read().decode())

    def post(self, path: str) -> tuple[int, str]:
        """Status and body of a POST without a body."""
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, method="POST"), timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name: str, **labels: str) -> float | None:
        """The value of one sample of /metrics; None where there is none."""
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        for line in self.get("/metrics").splitlines():
            head, _, value = line.rpartition(" ")
            if head.split("{")[0] == name and all(pair in head for pair in wanted):
                return float(value)
        return None

    def stop(self, how: signal.Signals = signal.SIGTERM, timeout: float = 30.0) -> int:
        """Send the signal, wait for the end, give its exit status."""
        assert self.process is not None
        self.process.send_signal(how)
        status = self.process.wait(timeout)
        self.process = None
        return status

    def __enter__(self) -> DaemonProcess:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


POLLING_SHARE = 0.25
"""So much of the time a test may spend on looking: what it looks at is done on the same processors."""


def wait_until(condition: object, seconds: float = 30.0, what: str = "it") -> None:
    """Poll until the condition holds; an AssertionError names what did not come about."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    last = False
    while not last:
        last = (begun := time.monotonic()) >= deadline  # what came about in the last pause did come about
        if condition():
            return
        pause = max(0.05, (time.monotonic() - begun) * (1 / POLLING_SHARE - 1))
        time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
    raise AssertionError(f"{what} did not come about within {seconds:g} s")
