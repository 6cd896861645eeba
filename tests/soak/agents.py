"""The daemons of the soak: real processes that are killed and started again, and what they hold while they live."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.prometheus import free_port
from tests.soak.world import Phase, Slate, World

CLOCKED = Path(__file__).with_name("clocked.py")
ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0
PAGE_BYTES = 4096


@dataclass(frozen=True)
class Held:
    """What a process holds at a moment."""

    life: int
    """Which start of the daemon, counted from 1."""
    world: float
    """The world's time, seconds."""
    memory_bytes: int
    descriptors: int
    threads: int
    open_on: Mapping[str, int]
    """What the descriptors are open on, and how many on each."""


class AgentProcess:
    """One daemon of the soak. Its clock is the world's, off by what its slate says."""

    def __init__(self, number: int, directory: Path, world: World) -> None:
        self.number = number
        self.world = world
        self.slate = Slate(directory / f"slate-{number}")
        self.configuration = directory / "sloagent.yaml"
        self.log = directory / f"daemon-{number}.log"
        self.port = free_port()
        self.lives = 0
        self.held: list[Held] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Start the process without waiting for anything."""
        self.lives += 1
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.command("run"), f"--web.listen-address=127.0.0.1:{self.port}"],
                stdout=log, stderr=log, cwd=ROOT,
            )  # fmt: skip

    def start(self) -> None:
        """Start the process and wait until it serves; AssertionError with its log where it ends instead."""
        self.launch()
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.alive:
            if self._answers("/-/healthy"):
                return
            time.sleep(0.02)
        raise AssertionError(f"daemon {self.number} does not start: {self.log.read_text()[-3000:]}")

    def command(self, *words: str) -> list[str]:
        """A command of sloagent in this daemon's time."""
        slate = self.slate.file if words == ("run",) else self.configuration.with_name("slate-of-commands")
        clock = [str(self.world.file), str(slate)]
        return [sys.executable, str(CLOCKED), *clock, *words, "-c", str(self.configuration)]

    def kill(self) -> list[Phase]:
        """SIGKILL; returns what it was doing."""
        assert self._process is not None
        doing = self.slate.doing()
        self._process.kill()
        status = self._process.wait()
        assert status == -signal.SIGKILL, f"daemon {self.number} ended by itself, with {status}: {self.tail()}"
        return doing

    def has_killed_itself(self) -> bool:
        """Whether it came to the deadly place; AssertionError where it ended in any other way."""
        assert self._process is not None
        status = self._process.poll()
        if status is None:
            return False
        assert status == -signal.SIGKILL, f"daemon {self.number} ended by itself, with {status}: {self.tail()}"
        return True

    def stop(self) -> None:
        """SIGTERM, and a clean end."""
        assert self._process is not None
        self._process.terminate()
        status = self._process.wait(60)
        assert status == 0, f"daemon {self.number} ended with {status}: {self.tail()}"

    def end(self) -> None:
        """However it is, it runs no longer. Idempotent."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def signal_reload(self) -> None:
        """SIGHUP."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def post_reload(self) -> int | None:
        """The status of `POST /-/reload`; None where nobody answers."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/-/reload", method="POST")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def metric(self, name: str) -> float | None:
        """One sample without labels of /metrics; None where nobody answers."""
        for line in self._get("/metrics").splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        return None

    def measure(self) -> None:
        """Take down what the process holds, if it lives."""
        assert self._process is not None
        proc = Path(f"/proc/{self._process.pid}")
        try:
            resident = int((proc / "statm").read_text().split()[1]) * PAGE_BYTES
            open_on = Counter(_kind(str(one.readlink())) for one in (proc / "fd").iterdir())
            threads = len(list((proc / "task").iterdir()))
        except OSError:
            return
        self.held.append(Held(self.lives, self.world.now, resident, open_on.total(), threads, open_on))

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text()[-3000:]

    def _answers(self, path: str) -> bool:
        return bool(self._get(path))

    def _get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""


def _kind(target: str) -> str:
    """A descriptor's target without what differs from one to the next."""
    return Path(target).name if target.startswith("/") else target.partition(":")[0]
