"""One SLO of OpenSLO on its way into an SLO file, as `promise`, `indicator` and `translating` see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sloagent import units
from sloagent.config.document import Document, Path, Value
from sloagent.config.findings import Findings
from sloagent.config.openslo import notes
from sloagent.config.openslo.made import Made
from sloagent.config.openslo.shape import SLI, SLO

CANNOT, REFERENCE, SOURCE, ANNOTATION = "openslo/cannot", "openslo/reference", "openslo/source", "openslo/annotation"
COMPOSITE = ("indicator", "indicatorRef", "compositeWeight")
"""What an objective has where an SLO is made of several."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the SLOs of a file can refer to, by name; an SLI with what was found wrong in its document."""

    indicators: Mapping[str, tuple[SLI, Findings]]
    source_types: Mapping[str, str]


@dataclass(slots=True)
class Entry:
    """One SLO, which becomes the entry number `at` of the file that is made."""

    slo: SLO
    findings: Findings
    known: Known
    made: Made
    at: int
    noted: dict[str, str] = field(default_factory=dict)
    """What is noted for sloagent, by its short name."""

    def put(self, path: Path, value: Value, at: Path, source: Document | None = None) -> None:
        """Write a field of the entry that stands at `at` in the SLO's document, or in another."""
        self.made.put(("slos", self.at, *path), value, source or self.findings.document, at)

    def refuse(self, path: Path, summary: str, hint: str, *, check: str = CANNOT, key: bool = False) -> None:
        """Note that something of the SLO cannot be kept."""
        self.findings.add(path, check, summary, hint, key=key)

    def seconds(self, name: str, otherwise: int) -> int:
        """Whole seconds of a duration that is noted; what is wrong with it is told by the file that is made."""
        try:
            length = units.duration(self.noted[name]) if name in self.noted else otherwise
        except units.UnitError:
            return otherwise
        return int(length) if length >= 1 and length == int(length) else otherwise


def note(name: str) -> Path:
    """The place of an annotation of sloagent's."""
    return ("metadata", "annotations", notes.PREFIX + name)
