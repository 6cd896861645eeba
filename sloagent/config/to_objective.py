"""From an objective as written to an objective as meant: units resolved, and the limit on the right side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sloagent import units
from sloagent.config.document import Path
from sloagent.config.findings import Findings
from sloagent.config.parameters import substitute
from sloagent.config.problem import spelling_hint
from sloagent.config.slo_spec import ObjectiveSpec, OverrideSpec
from sloagent.model.slo import SLI, Gate, LatencySLI, Limit, Objective, Override, RatioSLI, ValueSLI


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the objective of one SLI; what is wrong goes into the findings."""

    sli: SLI | None
    """None where it is not known which kind it is; what depends on it is then not said."""
    parameters: Mapping[str, str]
    findings: Findings
    unit_is_wrong: bool = False
    """Then limits are not read: nothing can be said of them."""

    @property
    def unit(self) -> str:
        """The base unit in which limits are."""
        match self.sli:
            case LatencySLI():
                return "seconds"
            case RatioSLI():
                return "ratio"
            case ValueSLI(unit=unit):
                return unit
            case None:
                return ""

    def read(self, spec: ObjectiveSpec, path: Path) -> Objective:
        """The objective; of a wrong one what could be read."""
        limit = self._limit(spec, path)
        growth = self._growth(spec, path)
        self._promises_something(path)
        self._percentile(spec, path)
        return Objective(
            limit=limit,
            percentile=spec.percentile if isinstance(self.sli, LatencySLI) else None,
            overrides=tuple(
                self._override(override, (*path, "overrides", at)) for at, override in enumerate(spec.overrides)
            ),
            grows_at_most=growth,
            gate=self._gate(spec, path),
            windows_at_least=self._windows_at_least(spec, path),
        )

    def _promises_something(self, path: Path) -> None:
        enough: tuple[str, ...] = ("at_most", "at_least")
        if self.sli is None or isinstance(self.sli, ValueSLI):
            enough += ("grows_at_most",)
        example = {"seconds": "at_most: 1s", "ratio": "at_least: 99.9%", "bytes": "at_most: 8GiB"}
        self.findings.missing(
            path, enough, "objective/limit", "the objective has no limit",
            f"add {example.get(self.unit, 'at_most or at_least with its unit')}, or write objective: tbd",
        )  # fmt: skip

    def _limit(self, spec: ObjectiveSpec | OverrideSpec, path: Path) -> Limit:
        at_most, at_least, warn_at = (
            self._quantity(getattr(spec, name), (*path, name)) for name in ("at_most", "at_least", "warn_at")
        )
        self._alone(at_most, at_least, spec, path)
        if all(self.findings.is_written((*path, name)) for name in ("at_most", "at_least")):
            keep = {LatencySLI: "at_most", RatioSLI: "at_least"}.get(type(self.sli), "one of them")
            self.findings.add(
                (*path, "at_least"),
                "objective/limit",
                "at_most and at_least exclude each other",
                f"keep {keep}",
                key=True,
            )
        elif self.findings.is_written((*path, "at_most")) and isinstance(self.sli, RatioSLI):
            promise = f"at_least: {(1 - at_most) * 100:.10g}%" if at_most is not None else "at_least"
            self.findings.add(
                (*path, "at_most"), "objective/limit", "a ratio promises a share of good events, at least so large",
                f"write {promise}, if {spec.at_most or 'this'} is the share of bad ones", key=True,
            )  # fmt: skip
        elif self.findings.is_written((*path, "at_least")) and isinstance(self.sli, LatencySLI):
            self.findings.add(
                (*path, "at_least"),
                "objective/limit",
                "a latency is promised to be at most so large",
                "write at_most",
                key=True,
            )
        else:
            self._warning(at_most, at_least, warn_at, spec, path)
        return Limit(at_most, at_least, warn_at)

    def _alone(
        self, at_most: float | None, at_least: float | None, spec: ObjectiveSpec | OverrideSpec, path: Path
    ) -> None:
        """Whether each limit makes sense by itself."""
        match self.sli:
            case LatencySLI() if at_most is not None and at_most <= 0:
                self.findings.add(
                    (*path, "at_most"), "objective/limit", "no latency is at most 0", "write a limit such as 1s"
                )
            case RatioSLI() if at_least is not None and not 0 < at_least <= 1:
                reason = "is always kept" if at_least <= 0 else "can never be kept"
                self.findings.add(
                    (*path, "at_least"),
                    "objective/ratio",
                    f"a promise of {spec.at_least} {reason}",
                    "write a share such as 99.9%",
                )
            case _:
                pass

    def _warning(
        self,
        at_most: float | None,
        at_least: float | None,
        warn_at: float | None,
        spec: ObjectiveSpec | OverrideSpec,
        path: Path,
    ) -> None:
        """Whether the warn level lies on the good side of its limit."""
        has_limit = any(self.findings.is_written((*path, name)) for name in ("at_most", "at_least"))
        # Without growth either, it has been told that a limit is missing.
        only_grows = isinstance(self.sli, ValueSLI) and self.findings.is_written((*path, "grows_at_most"))
        if spec.warn_at is not None and not has_limit and only_grows:
            self.findings.add(
                (*path, "warn_at"),
                "objective/warn",
                "warn_at has no limit to warn of",
                "add at_most or at_least",
                key=True,
            )
        if warn_at is None:
            return
        if at_most is not None and warn_at >= at_most:
            self.findings.add(
                (*path, "warn_at"), "objective/warn", f"warn_at {spec.warn_at} never warns: at_most is {spec.at_most}",
                f"write a level below {spec.at_most}",
            )  # fmt: skip
        if at_least is not None and warn_at <= at_least:
            self.findings.add(
                (*path, "warn_at"), "objective/warn", f"warn_at {spec.warn_at} never warns: at_least is {spec.at_least}",
                f"write a level above {spec.at_least}",
            )  # fmt: skip

    def _growth(self, spec: ObjectiveSpec, path: Path) -> float | None:
        here = (*path, "grows_at_most")
        if not self.findings.is_written(here):
            return None
        if self.sli is not None and not isinstance(self.sli, ValueSLI):
            self.findings.add(here, "objective/growth", "only a value can grow", "leave grows_at_most out", key=True)
            return None
        growth = self._quantity(spec.grows_at_most, here, reader=units.growth)
        if growth is not None and growth < 0:
            self.findings.add(
                here, "objective/growth", "a leak limit is not negative", "write how much growth is accepted"
            )
        return growth

    def _quantity(
        self, text: str | None, path: Path, reader: Callable[[str, str], float] = units.quantity
    ) -> float | None:
        if text is None:
            return None
        written, unknown = substitute(text, self.parameters)
        for name in unknown:
            unknown_parameter(self.findings, path, name, self.parameters)
        if unknown or self.unit_is_wrong or self.sli is None:
            return None
        if not self.unit:
            self.findings.add(
                path,
                "sli/unit",
                "a limit needs the unit of the value it limits",
                "add it to sli.value: unit: bytes, seconds, cores, ratio, or a word such as goroutines",
            )
            return None
        try:
            return reader(written, self.unit)
        except units.UnitError as error:
            check = "objective/ratio" if self.unit == "ratio" else "objective/unit"
            summary = error.summary if written == text else f"{text} is {written}: {error.summary}"
            self.findings.add(path, check, summary, error.hint)
            return None

    def _percentile(self, spec: ObjectiveSpec, path: Path) -> None:
        here = (*path, "percentile")
        if self.sli is not None and not isinstance(self.sli, LatencySLI):
            if self.findings.is_written(here):
                noun = "a ratio" if isinstance(self.sli, RatioSLI) else "a value"
                self.findings.add(
                    here, "objective/percentile", f"{noun} has no percentiles", "leave percentile out", key=True
                )
        elif spec.percentile is None:
            if self.sli is not None:
                summary = "which percentile is promised is not said"
                self.findings.missing(path, ("percentile",), "objective/percentile", summary, "add percentile: 99")
        elif not 0 < spec.percentile <= 100:
            self.findings.add(
                here,
                "objective/percentile",
                f"there is no percentile {spec.percentile:g}",
                "write one above 0, at most 100",
            )
        elif spec.percentile < 1:
            self.findings.add(
                here,
                "objective/percentile",
                f"a percentile of {spec.percentile:g} is below 1 %",
                f"write {spec.percentile * 100:g}",
            )

    def _override(self, override: OverrideSpec, path: Path) -> Override:
        limit = self._limit(override, path)
        above = path[:-2]
        senses = [name for name in ("at_most", "at_least") if self.findings.is_written((*above, name))]
        if not senses:
            self.findings.add(
                path,
                "objective/override",
                "an override needs a general limit to differ from",
                "add at_most or at_least",
            )
        else:
            # A latency and a ratio have one side; the other has been told.
            self.findings.missing(
                path,
                ("at_most", "at_least") if isinstance(self.sli, LatencySLI | RatioSLI) else senses,
                "objective/override",
                f"the override has no {senses[0]}, and the objective has",
                f"add {senses[0]} with its unit",
            )
        match = tuple(sorted(override.match.items()))
        by = (*above[:-1], "sli", "latency", "by")
        if isinstance(self.sli, LatencySLI) and not self.findings.is_unread(by):
            for label in override.match:
                if label not in self.sli.by:
                    hint = spelling_hint(label, self.sli.by, what="the labels of `by` are") or "add it to `by`"
                    self.findings.add(
                        (*path, "match", label),
                        "objective/override",
                        f'no series has the label "{label}": it is not in `by`',
                        hint,
                        key=True,
                    )
        return Override(match, limit)

    def _gate(self, spec: ObjectiveSpec, path: Path) -> Gate:
        if spec.judge == "whole_run" and isinstance(self.sli, ValueSLI):
            self.findings.add(
                (*path, "judge"),
                "objective/judge",
                "a value has no reading over a whole run",
                "write windows or worst_window",
            )
        return Gate(spec.judge)

    def _windows_at_least(self, spec: ObjectiveSpec, path: Path) -> float:
        here = (*path, "windows_at_least")
        if self.findings.is_written(here) and spec.judge != "windows":
            self.findings.add(
                here,
                "objective/judge",
                f"windows_at_least says nothing with judge: {spec.judge}",
                "leave it out",
                key=True,
            )
        try:
            share = units.quantity(spec.windows_at_least, "ratio")
        except units.UnitError as error:
            self.findings.add(here, "objective/ratio", error.summary, error.hint)
            return 1.0
        if not 0 < share <= 1:
            self.findings.add(
                here,
                "objective/ratio",
                f"{spec.windows_at_least} is no share of the windows",
                "write a share such as 99%",
            )
        return share


def unknown_parameter(findings: Findings, path: Path, name: str, parameters: Mapping[str, str]) -> None:
    """Note that `$name` is no parameter of the set."""
    if findings.is_unread(("parameters",)) or findings.is_written(("parameters", name)):
        return  # declared, and wrong there
    known = [f"${parameter}" for parameter in (*parameters, "window")]
    hint = spelling_hint(f"${name}", known, what="the parameters of this set are")
    if not hint.endswith("?"):
        hint += "; for a dollar sign write $$"
    findings.add(path, "parameter/unknown", f"${name} is no parameter of this set", hint)
