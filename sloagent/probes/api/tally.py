"""What one load measured on one target: latencies, errors by their codes, how late requests began."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from sloagent.probes.api.call import UNFINISHED, VERBS, Call, Verb
from sloagent.probes.summary import Summary, summarize


@dataclass(slots=True)
class Tally:
    """Hears of every call. `seconds` is for how long it was driven; `why_not` says why it was not, or not to its end."""

    target: str
    seconds: float = 0.0
    why_not: str = ""
    said: dict[tuple[Verb, str], str] = field(default_factory=dict)
    """What was said with the first error of each code."""
    codes: dict[Verb, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _latencies: dict[Verb, array[float]] = field(default_factory=lambda: defaultdict(lambda: array("d")))
    _late: array[float] = field(default_factory=lambda: array("d"))

    def tell(self, call: Call) -> None:
        """Count a call."""
        self.codes[call.verb][call.code] += 1
        if call.ok:
            self._latencies[call.verb].append(call.latency_seconds)
        else:
            self.said.setdefault((call.verb, call.code), call.why)
        if call.before is not None and call.verb not in ("watch", "queue"):
            self._late.append(call.before - call.intended)

    def succeeded(self, verb: Verb) -> int:
        """How many calls succeeded."""
        return len(self._latencies[verb])

    def due(self, verb: Verb) -> int:
        """How many calls were due, or were begun in a closed loop."""
        return sum(self.codes[verb].values())

    @property
    def verbs(self) -> list[Verb]:
        """Those that there are, in the order of tables."""
        return [verb for verb in VERBS if verb in self.codes]

    @property
    def failure(self) -> str:
        """Why the target was not measured, or not to the end; empty where it was."""
        if self.why_not:
            return self.why_not
        if any(self._latencies.values()):
            return ""
        first = next((why or code for (_, code), why in self.said.items()), "nothing was called")
        return f"nothing succeeded on {self.target}: {first}"

    def summary(self, verb: Verb, resource: str) -> Summary:
        """Of one verb; named as tables name it: `List pods`."""
        unfinished = self.codes[verb][UNFINISHED]
        errors = self.due(verb) - unfinished - self.succeeded(verb)
        return summarize(f"{verb.capitalize()} {resource}", self._latencies[verb], errors=errors, unfinished=unfinished)

    @property
    def late(self) -> Summary:
        """How long after they were due the requests began."""
        return summarize("late", self._late)
