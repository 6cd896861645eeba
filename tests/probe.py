"""The probe process as people run it, what it logs of each arrival, and what it exports."""

from __future__ import annotations

import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.agent import SLOAGENT
from tests.prometheus import free_port

READY_SECONDS = 30.0
_ARRIVED = re.compile(r"template (\S+) arrived in (\S+) after ([0-9.]+) s")
_LOST = re.compile(r"template (\S+) is lost on its way to (\S+): (\w+)")
_REGISTERED = re.compile(r"a (\w+) cluster was (registered|unregistered) after ([0-9.]+) s")


class ProbeProcess:
    """`sloagent probe run` with these `probes:`, in a directory; its log at level debug is kept."""

    def __init__(self, directory: Path, probes: Mapping[str, object]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.configuration = directory / "sloagent.yaml"
        self._log = directory / "probe.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.configure(probes)

    def configure(self, probes: Mapping[str, object]) -> None:
        """Write the file anew."""
        web = {"listen": f"127.0.0.1:{self.port}"}
        settings = {"prometheus": {"url": "http://127.0.0.1:9"}, "slos": ["builtin:karmada"]}
        self.configuration.write_text(yaml.safe_dump({**settings, "probes": {"web": web, **probes}}))

    def start(self) -> ProbeProcess:
        """Start it, and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*SLOAGENT, "probe", "run", "-c", str(self.configuration), "--log.level", "debug"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.configuration.parent,
            )  # fmt: skip
        self.until(self._answers, "it does not answer")
        return self

    def until(self, true, what: str, seconds: float = READY_SECONDS) -> None:
        """Wait until something is true; AssertionError with the log where it does not become so."""
        deadline = time.monotonic() + seconds
        while not true():
            assert self._process is not None
            assert self._process.poll() is None, f"it has ended: {self.log[-3000:]}"
            assert time.monotonic() < deadline, f"{what}: {self.log[-3000:]}"
            time.sleep(0.02)

    def until_up(self, *targets: str, probe: str = "distribution") -> None:
        """Wait until it sees these targets."""
        self.until(
            lambda: all(self.value("sloagent_probe_up", probe=probe, target=one) == 1.0 for one in targets),
            f"it does not see {', '.join(targets)}",
        )

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM, and its exit status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(30)

    def __enter__(self) -> ProbeProcess:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def arrivals(self) -> dict[tuple[str, str], float]:
        """Seconds by template's uid and member; AssertionError where one is timed twice."""
        found = [((uid, member), float(seconds)) for uid, member, seconds in _ARRIVED.findall(self.log)]
        assert len(dict(found)) == len(found)
        return dict(found)

    @property
    def losses(self) -> dict[tuple[str, str], str]:
        """Reasons by template's uid and member."""
        return {(uid, member): reason for uid, member, reason in _LOST.findall(self.log)}

    @property
    def registrations(self) -> list[tuple[str, str, float]]:
        """Mode, `registered` or `unregistered`, and seconds."""
        return [(mode, what, float(seconds)) for mode, what, seconds in _REGISTERED.findall(self.log)]

    def page(self) -> str:
        """/metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def samples(self) -> list[tuple[str, dict[str, str], float]]:
        """Every sample of /metrics: name, labels, value."""
        return [
            (sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(self.page())
            for sample in family.samples
        ]

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples of this name with these labels; 0 where there is none."""
        return sum(v for n, own, v in self.samples() if n == name and labels.items() <= own.items())

    def _answers(self) -> bool:
        try:
            return "sloagent_probe" in self.page()
        except OSError:
            return False
