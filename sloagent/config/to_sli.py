"""From an SLI as written to an SLI as meant: parameters resolved, PromQL checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sloagent import units
from sloagent.config import promql
from sloagent.config.document import Path
from sloagent.config.findings import Findings
from sloagent.config.parameters import substitute
from sloagent.config.promql import Complaint
from sloagent.config.slo_spec import LatencySpec, RatioSpec, SLISpec, ValueSpec
from sloagent.config.to_objective import unknown_parameter
from sloagent.model.slo import SLI, LatencySLI, LowerBound, RatioSLI, ValueSLI


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the SLI of one SLO with its window; what is wrong goes into the findings."""

    window_seconds: int
    parameters: Mapping[str, str]
    findings: Findings

    def read(self, spec: SLISpec, path: Path) -> SLI | None:
        """The SLI, or None where it is not said which of the three it is."""
        given = [name for name in ("latency", "ratio", "value") if getattr(spec, name) is not None]
        if len(given) > 1:
            self.findings.add(
                (*path, given[1]), "sli/kind", f"an SLI is one thing, and this is {' and '.join(given)}",
                "make two SLOs of it", key=True,
            )  # fmt: skip
        found: list[SLI] = []
        if spec.latency is not None:
            found.append(self._latency(spec.latency, (*path, "latency")))
        if spec.ratio is not None:
            found.append(self._ratio(spec.ratio, (*path, "ratio")))
        if spec.value is not None:
            found.append(self._value(spec.value, (*path, "value")))
        if found:
            return found[0] if len(found) == 1 else None
        self.findings.missing(
            path,
            ("latency", "ratio", "value"),
            "sli/kind",
            "the SLI does not say what is measured",
            "add latency: {histogram: …}, ratio: … or value: …",
        )
        return None

    def _latency(self, spec: LatencySpec, path: Path) -> LatencySLI:
        several = isinstance(self.findings.at((*path, "histogram")), list)
        for at, name in enumerate(spec.histogram):
            here = (*path, "histogram", at) if several else (*path, "histogram")
            self._complain(promql.check_histogram(name), here)
            if name in spec.histogram[:at]:
                self.findings.add(here, "sli/histogram", f'"{name}" stands twice in the list', "leave one out")
        for at, label in enumerate(spec.by):
            self._complain(promql.check_label(label), (*path, "by", at))
            if label in spec.by[:at]:
                self.findings.add((*path, "by", at), "sli/label", f'"{label}" stands twice in `by`', "leave one out")
        where = self._where(spec.where, (*path, "where"))
        bounds: list[LowerBound] = []
        for at, bound in enumerate(spec.lower_bound):
            here = (*path, "lower_bound", at)
            self._complain(promql.check_histogram(bound.histogram), (*here, "histogram"))
            if bound.histogram in (*spec.histogram, *(earlier.histogram for earlier in bounds)):
                self.findings.add(
                    (*here, "histogram"), "sli/histogram",
                    f'"{bound.histogram}" stands twice in `histogram` and `lower_bound`', "leave one out",
                )  # fmt: skip
            bounds.append(LowerBound(bound.histogram, self._where(bound.where, (*here, "where"))))
        return LatencySLI(spec.histogram, where, spec.by, spec.type == "native", tuple(bounds))

    def _where(self, written: str, path: Path) -> str:
        where = self._resolved(written, path)
        if where is not None:
            self._complain(promql.check_where(where, self.window_seconds), path, where)
        return (where or "").strip().removesuffix(",")

    def _ratio(self, spec: RatioSpec, path: Path) -> RatioSLI:
        if spec.good is not None and spec.bad is not None:
            self.findings.add(
                (*path, "good"),
                "sli/ratio",
                "good and bad exclude each other: one of them and total make a ratio",
                "keep one",
                key=True,
            )
        if spec.good is None and spec.bad is None:
            self.findings.missing(
                path,
                ("good", "bad"),
                "sli/ratio",
                "which events are counted against the total is not said",
                "add good: … or bad: …",
            )
        if self.findings.is_written((*path, "bad_absent")) and spec.bad is None and spec.good is not None:
            self.findings.add(
                (*path, "bad_absent"),
                "sli/ratio",
                "bad_absent is about bad events, and this ratio counts good ones",
                "leave it out",
                key=True,
            )
        good, bad, total = (
            self._query(getattr(spec, side), (*path, side), counts_events=True) for side in ("good", "bad", "total")
        )
        counts = "bad" if spec.bad is not None else "good"
        return RatioSLI(counts, bad if counts == "bad" else good, total, bad_absent_is_zero=spec.bad_absent == "zero")

    def _value(self, spec: ValueSpec, path: Path) -> ValueSLI:
        query = self._query(spec.query, (*path, "query"), counts_events=False)
        if spec.unit:
            try:
                units.check_unit(spec.unit)
            except units.UnitError as error:
                self.findings.add((*path, "unit"), "sli/unit", error.summary, error.hint)
        return ValueSLI(query, spec.unit)

    def _query(self, written: str | None, path: Path, *, counts_events: bool) -> str:
        if written is None:
            return ""
        resolved = self._resolved(written, path)
        query = written if resolved is None else resolved
        wrong = promql.check_brackets(query) if resolved is None else promql.complaints(query, self.window_seconds)
        if counts_events:
            wrong += promql.check_events(query)
        for complaint in wrong:
            self._complain(complaint, path, query)
        return promql.without_comments(query)

    def _resolved(self, text: str, path: Path) -> str | None:
        resolved, unknown = substitute(text, self.parameters)
        for name in unknown:
            unknown_parameter(self.findings, path, name, self.parameters)
        return None if unknown else resolved

    def _complain(self, complaint: Complaint | None, path: Path, resolved: str = "") -> None:
        """Note the complaint, and what the parameters have made of the text if that is what is wrong."""
        if complaint is None:
            return
        hint = complaint.hint
        written = self.findings.at(path)
        if resolved and resolved != written and "$" in str(written):
            shown = resolved if len(resolved) <= 160 else f"{resolved[:160]}…"
            hint = "; ".join(filter(None, (hint, f"with its parameters it is {shown}")))
        self.findings.add(path, complaint.check, complaint.summary, hint)
