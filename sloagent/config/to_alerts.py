"""From `alerts:` blocks as written to the rules of an SLO: its own words, then those of the defaults, then sloagent's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sloagent import units
from sloagent.config.alerts_spec import AlertsSpec, BurnPairSpec, BurnRateSpec, RegressionSpec, RepeatedSpec, RuleSpec
from sloagent.config.document import Path
from sloagent.config.findings import Findings
from sloagent.model.alert import Alerts, Burning, BurnPair, Regressing, Repeated, Severity
from sloagent.model.alert_defaults import STANDARD_ALERTS
from sloagent.model.link import is_link
from sloagent.model.slo import Labels
from sloagent.units import UnitError

LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
OURS = frozenset({"alertname", "severity", "set", "slo", "run", "window"})
"""Labels that every alert has from sloagent."""


def alerts_of(written: Sequence[tuple[AlertsSpec, Path]], findings: Findings) -> Alerts:
    """The rules of an SLO from the blocks that speak of it, the general ones first, each with its path."""
    alerts = STANDARD_ALERTS
    for spec, path in written:
        alerts = _Block(spec, path, findings).over(alerts)
    return alerts


class _Block:
    """One block, laid over what the more general ones say."""

    def __init__(self, spec: AlertsSpec, path: Path, findings: Findings) -> None:
        self._spec = spec
        self._path = path
        self._findings = findings

    def over(self, alerts: Alerts) -> Alerts:
        spec = self._spec
        return Alerts(
            violated=self._repeated(spec.violated, alerts.violated, STANDARD_ALERTS.violated),
            burn_rate=self._burning(spec.burn_rate, alerts.burn_rate),
            regression=self._regressing(spec.regression, alerts.regression),
            leak=self._leak(spec.leak, alerts.leak),
            no_data=self._repeated(spec.no_data, alerts.no_data, STANDARD_ALERTS.no_data),
            cannot_evaluate=self._repeated(
                spec.cannot_evaluate, alerts.cannot_evaluate, STANDARD_ALERTS.cannot_evaluate
            ),
            labels=self._labels(alerts.labels),
            runbook=self._runbook(alerts.runbook),
        )

    def _repeated(self, spec: RepeatedSpec, general: Repeated | None, standard: Repeated | None) -> Repeated | None:
        base = _base(spec, general, standard)
        if base is None:
            return None
        return Repeated(
            after=spec.after if spec.after is not None else base.after,
            severity=_severity(spec, base.severity),
            over_after=spec.over_after if spec.over_after is not None else base.over_after,
        )

    def _burning(self, spec: BurnRateSpec, general: Burning | None) -> Burning | None:
        if spec.enabled is False or (general is None and not spec.model_fields_set):
            return None
        base = general or STANDARD_ALERTS.burn_rate
        assert base is not None, "the standard has burn rates"
        for place, pair in enumerate(spec.pairs or ()):
            self._check_pair(pair, (*self._path, "burn_rate", "pairs", place))
        pairs = base.pairs
        if spec.pairs is not None:
            pairs = tuple(
                BurnPair(pair.factor, round(pair.long), round(pair.short), Severity(pair.severity))
                for pair in spec.pairs
            )
        return Burning(pairs, round(spec.period) if spec.period is not None else base.period)

    def _check_pair(self, pair: BurnPairSpec, path: Path) -> None:
        if pair.short > pair.long:
            self._findings.add(
                (*path, "short"), "alerts/window",
                f"the short window, {units.written_duration(pair.short)}, is longer than the long one, "
                f"{units.written_duration(pair.long)}",
                "write a short window of about a twelfth of the long one",
            )  # fmt: skip

    def _regressing(self, spec: RegressionSpec, general: Regressing | None) -> Regressing | None:
        if spec.enabled is False or (general is None and not spec.model_fields_set):
            return None
        base = general or STANDARD_ALERTS.regression
        assert base is not None, "the standard looks for regressions"
        terms = replace(
            base.terms,
            tolerance=self._share(spec.tolerance, "tolerance", base.terms.tolerance),
            level=round(1 - self._share(spec.confidence, "confidence", 1 - base.terms.level), 12),
            noise=self._share(spec.noise, "noise", base.terms.noise),
        )
        window = round(spec.window) if spec.window is not None else base.window
        return Regressing(window, terms, _severity(spec, base.severity))

    def _share(self, written: str | None, name: str, otherwise: float) -> float:
        if written is None:
            return otherwise
        path = (*self._path, "regression", name)
        try:
            share = units.quantity(written, "ratio")
        except UnitError as error:
            self._findings.add(path, "alerts/unit", error.summary, error.hint)
            return otherwise
        if not 0 < share < 1:
            self._findings.add(
                path,
                "alerts/value",
                f"{name} is a share between 0 and 1",
                f"write {name}: {'99%' if name == 'confidence' else '5%'}",
            )
            return otherwise
        return share

    def _leak(self, spec: RuleSpec, general: Severity | None) -> Severity | None:
        if spec.enabled is False or (general is None and not spec.model_fields_set):
            return None
        return _severity(spec, general or STANDARD_ALERTS.leak or Severity.TICKET)

    def _labels(self, general: Labels) -> Labels:
        for name in self._spec.labels:
            self._check_label(name)
        return tuple(sorted({**dict(general), **self._spec.labels}.items()))

    def _check_label(self, name: str) -> None:
        path = (*self._path, "labels", name)
        if not LABEL.fullmatch(name):
            self._findings.add(
                path,
                "alerts/label",
                f'"{name}" is no name of a label',
                "write letters, digits and underscores",
                key=True,
            )
        elif name in OURS:
            self._findings.add(path, "alerts/label", f"every alert has the label {name} from sloagent",
                               "choose another name", key=True)  # fmt: skip

    def _runbook(self, general: str) -> str:
        link = self._spec.runbook
        if link and not is_link(link):
            self._findings.add(
                (*self._path, "runbook"),
                "alerts/link",
                "a runbook is a link",
                "write it like https://example.com/runbook, without a user",
            )
        return link or general


def _base(spec: RepeatedSpec, general: Repeated | None, standard: Repeated | None) -> Repeated | None:
    """What a rule is laid over; None where it is off, and stays so."""
    if spec.enabled is False or (general is None and not spec.model_fields_set):
        return None
    return general or standard


def _severity(spec: RuleSpec, otherwise: Severity) -> Severity:
    return Severity(spec.severity) if spec.severity is not None else otherwise
