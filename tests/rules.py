"""What the tests of exported rules share: promtool, a Prometheus with its slots, and how verdicts compare."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sloagent.app import demo_data
from sloagent.config.load import load_slo_files
from sloagent.evaluation.judge import judge
from sloagent.model.slo import SLO, Labels
from sloagent.model.verdict import Outcome, SlotVerdict
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from sloagent.sources.rules.rule import VERDICT, Compiled, Record
from tests.prometheus import Prometheus

AT_BOUNDS = {"distribution_limit": "2.048s", "wal_fsync_limit": "16ms", "backend_commit_limit": "32ms"}
"""Limits of builtin:karmada that are bucket bounds, in place of those that lie inside buckets."""
SAYS = {Outcome.PASS: 1.0, Outcome.WARN: 1.0, Outcome.FAIL: 0.0}
"""What a rule records of an outcome; of any other nothing."""
Point = tuple[int, Labels]


def promtool(*words: str | Path) -> str:
    done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True)
class Recorded:
    """A Prometheus, and the slots that are judged in it."""

    url: str
    source: PrometheusSource
    slots: Sequence[int]

    def judged(self, slo: SLO) -> list[SlotVerdict]:
        """What sloagent makes of each slot."""
        answers = self.source.over(slo, self.slots)
        assert isinstance(answers, list), answers
        return [judge(slo, slot, answer) for slot, answer in zip(self.slots, answers, strict=True)]

    def over_slots(self, expression: str) -> dict[Point, float]:
        """What an expression gives at each slot and for each series."""
        form = {"query": expression, "start": self.slots[0], "end": self.slots[-1], "step": 60}
        found = asked(self.url, "query_range", form)
        return {
            (int(at), tuple(sorted(series["metric"].items()))): float(value)
            for series in found
            for at, value in series["values"]
        }


@contextmanager
def recorded_run(directory: Path) -> Iterator[Recorded]:
    """A Prometheus with the run that ships, and the slots whose windows lie in it."""
    recording = demo_data.unpack(directory / "data")
    first, last = int(recording.start.timestamp()) + 300, int(recording.end.timestamp())
    with Prometheus(directory / "data") as server:
        source = PrometheusSource(PrometheusSettings(url=server.url))
        yield Recorded(server.url, source, range(-(-first // 60) * 60, last + 1, 60))
        source.close()


def asked(url: str, what: str, form: Mapping[str, object]) -> list[dict]:
    with urllib.request.urlopen(f"{url}/api/v1/{what}", urllib.parse.urlencode(form).encode(), timeout=30) as answer:
        return json.load(answer)["data"]["result"]


def slos_of(name: str, parameters: Mapping[str, str] | None = None) -> dict[str, SLO]:
    (slo_set,) = load_slo_files([f"builtin:{name}"], parameters={name: parameters or {}})
    return {slo.name: slo for slo in slo_set.slos}


def compared(slots: Iterable[SlotVerdict], recorded: Mapping[Point, float]) -> tuple[Counter[str], list[str]]:
    """How the rule's verdicts stand to sloagent's, and the differences in which both or one of them decide."""
    counts: Counter[str] = Counter()
    different, seen = [], set()
    for slot in slots:
        for verdict in slot.verdicts:
            point = (slot.slot, verdict.labels)
            seen.add(point)
            ours, theirs = SAYS.get(verdict.outcome), recorded.get(point)
            if ours == theirs:
                counts[verdict.outcome.value] += 1
            else:
                counts["different"] += 1
                different.append(f"{slot.slo.name} {point}: {verdict.outcome} ({verdict.cause}), rule {theirs}")
    counts["unknown to sloagent"] = len(recorded.keys() - seen)
    return counts, different


def verdict_of(one: Compiled) -> str:
    """The expression that records an SLO's verdict; empty where it promises nothing of a window."""
    return next((rule.expression for rule in one.rules if isinstance(rule, Record) and rule.metric == VERDICT), "")
