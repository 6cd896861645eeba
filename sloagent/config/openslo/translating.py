"""From one SLO of OpenSLO to one of an SLO file; what cannot be kept is refused with its place and the reason."""

from __future__ import annotations

from dataclasses import dataclass

from sloagent.config.document import Path, Value
from sloagent.config.findings import Findings
from sloagent.config.openslo import notes, numbers
from sloagent.config.openslo.entry import ANNOTATION, COMPOSITE, REFERENCE, Entry, note
from sloagent.config.openslo.indicator import Indicator
from sloagent.config.openslo.promise import Promise
from sloagent.config.openslo.shape import SLISpec
from sloagent.config.problem import spelling_hint


def translate(entry: Entry) -> None:
    """Write the SLO into the file that is made; what cannot be kept goes into the findings."""
    of = _Translation(entry)
    entry.put(("name",), entry.slo.metadata.name, ("metadata", "name"))
    of.annotations()
    of.unkept()
    of.texts()
    found = of.indicator()
    if found is not None:
        promise = Promise(entry)
        Indicator(entry, *found).write(promise, promise.interval())


@dataclass(frozen=True, slots=True)
class _Translation:
    """What of an SLO is neither its indicator nor its objective."""

    of: Entry

    def unkept(self) -> None:
        """Note what sloagent does not judge."""
        spec = self.of.slo.spec
        if spec.alertPolicies:
            self.of.refuse(
                ("spec", "alertPolicies"), "sloagent alerts by rules of its own, and not by these policies",
                "leave them out; every SLO has alerts", key=True,
            )  # fmt: skip
        if spec.budgetingMethod == "RatioTimeslices":
            self.of.refuse(
                ("spec", "budgetingMethod"), "an average of ratios is nothing that sloagent judges",
                "write Timeslices for the share of good windows, or Occurrences for that of all events",
            )  # fmt: skip
        if len(spec.objectives) > 1:
            self.of.refuse(
                ("spec", "objectives", 1), "sloagent judges one objective of an SLO", "make an SLO of each objective"
            )
        first = spec.objectives[0]
        for name in COMPOSITE:
            if getattr(first, name) is not None:
                self.of.refuse(
                    ("spec", "objectives", 0, name), "sloagent does not judge SLOs that are made of several",
                    "give each its own SLO, with its indicator beside objectives", key=True,
                )  # fmt: skip
        if spec.timeWindow:
            self._time_window()

    def _time_window(self) -> None:
        """The period of the error budget; runs are judged over their own time."""
        window, path = self.of.slo.spec.timeWindow[0], ("spec", "timeWindow", 0)
        length = numbers.seconds(window.duration)
        if window.calendar is not None or window.isRolling is False:
            wrong = "calendar" if window.calendar is not None else "isRolling"
            summary = "an error budget that follows the calendar is nothing that sloagent reckons"
            self.of.refuse((*path, wrong), summary, "write isRolling: true, without calendar", key=True)
        elif length is None:
            summary = f"{window.duration} has no fixed length"
            self.of.refuse((*path, "duration"), summary, "write it in days or weeks, such as 30d")
        elif notes.BUDGET_PERIOD not in self.of.noted:
            self.of.put(("alerts", "burn_rate", "period"), f"{length}s", (*path, "duration"))

    def texts(self) -> None:
        """Write titles and notes for people."""
        slo, noted = self.of.slo, self.of.noted
        title, remark = slo.metadata.displayName.strip(), slo.spec.description.strip()
        if title or notes.TITLE_ZH in noted:
            both: dict[str, Value] = {"en": title or slo.metadata.name, "zh": noted.get(notes.TITLE_ZH, "")}
            self.of.put(("title",), both, ("metadata", "displayName") if title else note(notes.TITLE_ZH))
        if remark:
            zh = noted.get(notes.NOTE_ZH, "")
            self.of.put(("note",), {"en": remark, "zh": zh}, ("spec", "description"))

    def annotations(self) -> None:
        """Write those that an SLO file has as they are; those that mean nothing are noted."""
        for name, text in self.of.noted.items():
            if name not in notes.OF_AN_SLO:
                hint = spelling_hint(name, notes.OF_AN_SLO, what="sloagent knows")
                self._refuse_note(name, f'sloagent has no annotation "{name}"', hint)
            elif name in notes.OF_A_LATENCY and notes.LATENCY not in self.of.noted:
                summary = f"{name} belongs to a latency, and which histogram it has is not said"
                self._refuse_note(name, summary, f"add {notes.PREFIX}{notes.LATENCY}, or leave this out")
            elif name == notes.BUDGET_PERIOD and text != notes.THE_AGENTS:
                hint = f"write {notes.THE_AGENTS}, or leave this out and write timeWindow"
                self._refuse_note(name, f'"{text}" is no budget period', hint)
            elif name in notes.FIELDS:
                self.of.put(notes.FIELDS[name], notes.value_of(name, text), note(name))

    def _refuse_note(self, name: str, summary: str, hint: str) -> None:
        self.of.refuse(note(name), summary, hint, check=ANNOTATION, key=True)

    def indicator(self) -> tuple[SLISpec, Findings, Path] | None:
        """The SLI, with the findings and the place of where it stands; None where there is none, and that is noted."""
        spec = self.of.slo.spec
        if spec.indicator is not None and spec.indicatorRef is not None:
            summary = "indicator and indicatorRef exclude each other"
            self.of.refuse(("spec", "indicatorRef"), summary, "keep one", check=REFERENCE, key=True)
            return None
        if spec.indicator is not None:
            return spec.indicator.spec, self.of.findings, ("spec", "indicator", "spec")
        if spec.indicatorRef is None:
            if not any(getattr(objective, name) is not None for objective in spec.objectives for name in COMPOSITE):
                summary = "the SLO does not say what is measured"
                self.of.refuse(("spec",), summary, "add indicator or indicatorRef", check=REFERENCE, key=True)
            return None
        found = self.of.known.indicators.get(spec.indicatorRef)
        if found is None:
            summary = f'there is no SLI named "{spec.indicatorRef}" in this file'
            hint = spelling_hint(spec.indicatorRef, self.of.known.indicators, what="its SLIs are")
            self.of.refuse(("spec", "indicatorRef"), summary, hint or "write it into this file", check=REFERENCE)
            return None
        return found[0].spec, found[1], ("spec",)
