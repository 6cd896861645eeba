"""The objective of an SLO of OpenSLO, as an SLO file promises it."""

from __future__ import annotations

from dataclasses import dataclass

from sloagent.config.document import Path
from sloagent.config.openslo import numbers
from sloagent.config.openslo.entry import ANNOTATION, Entry, note
from sloagent.config.openslo.shape import Objective

PLAIN_UNIT = "units"
"""Of a value whose unit nobody says."""


@dataclass(slots=True)
class Promise:
    """The objective of an SLO."""

    of: Entry

    @property
    def path(self) -> Path:
        """Where it stands."""
        return ("spec", "objectives", 0)

    @property
    def written(self) -> Objective:
        """As it is written."""
        return self.of.slo.spec.objectives[0]

    @property
    def in_slices(self) -> bool:
        """Whether good windows are counted, and not events."""
        return self.of.slo.spec.budgetingMethod == "Timeslices"

    def interval(self) -> int:
        """Seconds from one evaluation to the next; 60 where it is not said, or wrong."""
        here, written = (*self.path, "timeSliceWindow"), self.written.timeSliceWindow
        if not self.in_slices:
            for name in ("timeSliceWindow", "timeSliceTarget"):
                said = getattr(self.written, name) is not None
                if said and self.of.slo.spec.budgetingMethod == "Occurrences":
                    summary = f"{name} says nothing without budgetingMethod: Timeslices"
                    self.of.refuse((*self.path, name), summary, "leave it out", key=True)
            return self.of.seconds("interval", 60)
        if "interval" in self.of.noted:
            summary = "timeSliceWindow says the interval"
            self.of.refuse(note("interval"), summary, "leave this out", check=ANNOTATION, key=True)
        if written is None:
            self.of.refuse(self.path, "how long a time slice is, is not said", "add timeSliceWindow: 1m", key=True)
            return 60
        length = numbers.seconds(written)
        if length is None:
            self.of.refuse(here, f"a time slice of {written} has no fixed whole length", "write it like 1m or 1h")
            return 60
        self.of.put(("interval",), f"{length}s", here)
        return length

    def target(self, what: str) -> tuple[str, Path] | None:
        """The target as a share (`0.99` or `99%`) and where it stands; None where it is wrong, and noted."""
        both = [name for name in ("target", "targetPercent") if getattr(self.written, name) is not None]
        if len(both) != 1:
            here = (*self.path, "targetPercent") if both else self.path
            summary = "target and targetPercent exclude each other" if both else f"{what} is not said"
            self.of.refuse(here, summary, "keep one" if both else "add target: 0.99", key=True)
            return None
        number = numbers.decimal(getattr(self.written, both[0]))
        return self._between(f"{number}%" if both[0] == "targetPercent" else number, (*self.path, both[0]))

    def slice_target(self, what: str) -> tuple[str, Path] | None:
        """The share of a slice that is good."""
        if self.written.timeSliceTarget is None:
            self.of.refuse(self.path, f"{what} is not said", "add timeSliceTarget: 0.99", key=True)
            return None
        return self._between(numbers.decimal(self.written.timeSliceTarget), (*self.path, "timeSliceTarget"))

    def _between(self, share: str, path: Path) -> tuple[str, Path] | None:
        # That a percentage is between 0 and 100 is checked here, with the field's own name.
        number = float(share.rstrip("%")) / (100 if share.endswith("%") else 1)
        if not 0 < number <= 1:
            hint = "write a percentage such as 99.9" if share.endswith("%") else "write a share such as 0.999"
            self.of.refuse(path, f"{share} is no share that can be promised", hint)
            return None
        return share, path

    def of_events(self, what: str) -> tuple[str, Path] | None:
        """The share of good events that is promised; what is promised of windows has been written."""
        if not self.in_slices:
            self.of.put(("objective", "judge"), "whole_run", ("spec", "budgetingMethod"))
            return self.target(what)
        if windows := self.target("which share of the time slices is good"):
            self.of.put(("objective", "windows_at_least"), *windows)
        return self.slice_target(what)

    def of_numbers(self) -> None:
        """What is promised of a value: a limit, and the share of windows that keep it."""
        for name in ("op", "value"):
            if getattr(self.written, name) is None:
                example = "add op: lte" if name == "op" else "add value: 1"
                self.of.refuse(self.path, f"a threshold needs {name}", example, key=True)
        if self.in_slices and self.written.timeSliceTarget != 1:
            here = (*self.path, "timeSliceTarget")
            summary = "sloagent judges one value for each time slice, so it is good altogether or not at all"
            self.of.refuse(here, summary, "write timeSliceTarget: 1", key=self.written.timeSliceTarget is None)
        if windows := self.target("which share of the values is good"):
            self.of.put(("objective", "windows_at_least"), *windows)
        if self.written.op in ("lt", "gt"):
            wider = {"lt": "lte", "gt": "gte"}[self.written.op]
            summary = f"a limit itself is kept: sloagent has no {self.written.op}"
            self.of.refuse((*self.path, "op"), summary, f"write {wider}")
        elif self.written.op is not None and self.written.value is not None:
            limit = numbers.quantity(self.written.value, self.of.noted.get("unit", PLAIN_UNIT))
            side = "at_most" if self.written.op == "lte" else "at_least"
            self.of.put(("objective", side), limit, (*self.path, "value"))

    def no_threshold(self) -> None:
        """Whether there is none: a ratio is held against its target alone."""
        for name in ("op", "value"):
            if getattr(self.written, name) is not None:
                summary = f"{name} says nothing of a ratio, which is at least its target"
                self.of.refuse((*self.path, name), summary, "leave it out", key=True)
