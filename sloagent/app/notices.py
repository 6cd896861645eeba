"""An alert as it is told: its labels, its sentences and its links."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from sloagent.app.agent_settings import AgentSettings
from sloagent.evaluation import wording
from sloagent.model.alert import ALERT_NAMES, Active, Key, Notice, Rule, Severity, Stage
from sloagent.model.slo import SLO, Labels, LatencySLI
from sloagent.model.timerange import at
from sloagent.sources import recorded
from sloagent.units import written_duration

TAKEN = frozenset({"alertname", "severity", "set", "slo", "run", "window", "past", "job", "instance"})
"""Labels of ours: a series' own of these names get `exported_` in front, as in the metrics."""

_HAPPENED: Mapping[Rule, str] = {
    Rule.VIOLATED: "is violated",
    Rule.BURN_RATE: "burns its error budget too fast",
    Rule.REGRESSION: "is worse than the baseline",
    Rule.LEAK: "leaks",
    Rule.NO_DATA: "has no data",
    Rule.CANNOT_EVALUATE: "cannot be judged",
}


class NoticeWriter:
    """Writes what is told of the alerts of one agent."""

    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings.alerts
        base = self._settings.external_url
        self._page = f"{base.rstrip('/')}/api/v1/alerts" if base else ""
        self._prometheus = self._settings.prometheus_url or settings.prometheus.url

    def ends_ahead_seconds(self, slo: SLO) -> float:
        """How far ahead the end of an alert that fires lies: two sendings and their repetition may fail.

        Four times the larger of interval and resend delay, as Prometheus has it.
        """
        return 4 * max(self._settings.resend, float(slo.interval))

    def firing(self, slo: SLO, key: Key, active: Active, now: float, note: str = "") -> Notice:
        """An alert that fires, as of `now`, in seconds since the epoch; `note` is one more sentence."""
        starts = active.fired if active.fired is not None else active.started
        return Notice(
            self.labels(slo, key, active.severity, active.run), self._annotations(slo, key, active, note),
            float(starts), now + self.ends_ahead_seconds(slo), resolved=False, generator_url=self._query(slo, starts),
        )  # fmt: skip

    def over(self, notice: Notice, labels: Labels, ended: float, reason: str) -> Notice:
        """The same alert as over since `ended`, seconds since the epoch, under the labels it was told by.

        `reason` tells an end that is no recovery from one that is; it may be empty.
        """
        annotations = dict(notice.annotations)
        if reason:
            annotations["resolved"] = reason
            annotations["summary"] = f"{annotations['summary']}: over, {reason}"
        return Notice(
            labels or notice.labels, tuple(sorted(annotations.items())), notice.starts_at, max(ended, notice.starts_at),
            resolved=True, generator_url=notice.generator_url,
        )  # fmt: skip

    def past(self, slo: SLO, key: Key, began: int, ended: int, reason: str, now: float) -> Notice:
        """One event for an alert of which nobody was told while it fired: for information, and over by itself."""
        labels = dict(self.labels(slo, key, Severity.INFO, ""))
        labels["past"] = "true"
        told = (
            f"It fired from {_clock(began)} to {_clock(ended)} and is over. Nobody was told of it then: sloagent was "
            "away, or Prometheus did not answer."
        )
        shown = Active(Stage.FIRING, Severity.INFO, began, fired=began, reason=reason)
        return Notice(
            tuple(sorted(labels.items())), self._annotations(slo, key, shown, told), now,
            now + self.ends_ahead_seconds(slo), resolved=False, generator_url=self._query(slo, ended),
        )  # fmt: skip

    def labels(self, slo: SLO, key: Key, severity: Severity, run: str) -> Labels:
        """What identifies an alert. Empty labels are left out."""
        found = {f"exported_{name}" if name in TAKEN else name: value for name, value in key.labels}
        found = {**self._settings.labels, **dict(slo.alerts.labels), **found}
        found |= {"alertname": ALERT_NAMES[key.rule], "severity": severity.value, "set": slo.set, "slo": slo.name}
        if key.window:
            found["window"] = written_duration(key.window)
        if run:
            found["run"] = run
        return tuple(sorted((name, value) for name, value in found.items() if value))

    def _annotations(self, slo: SLO, key: Key, active: Active, note: str) -> Labels:
        series = ", ".join(f"{name}={value}" for name, value in key.labels)
        happened = _HAPPENED[key.rule] + (f" over {written_duration(key.window)}" if key.window else "")
        parts = [slo.title.en if slo.title.en != slo.name else "", active.reason, note]
        found = {
            "summary": f"{slo.set}/{slo.name} {happened}" + (f": {series}" if series else ""),
            "description": " ".join(_sentence(part) for part in parts if part),
            "runbook_url": slo.alerts.runbook,
            "dashboard_url": self._page,
        }
        found |= _numbers(slo, key, active.value)
        return tuple(sorted((name, text) for name, text in found.items() if text))

    def _query(self, slo: SLO, slot: int) -> str:
        """A link to Prometheus that shows what was asked, in the hour before the slot."""
        form = {
            "g0.expr": _expression(slo), "g0.tab": "0", "g0.range_input": "1h",
            "g0.end_input": f"{at(slot):%Y-%m-%d %H:%M:%S}",
        }  # fmt: skip
        return f"{self._prometheus.rstrip('/')}/graph?{urlencode(form)}"


def _expression(slo: SLO) -> str:
    query = recorded.questions(slo)[0][0]
    if isinstance(slo.sli, LatencySLI) and not slo.sli.native:
        return f"histogram_quantile({slo.main_percentile / 100:.12g}, {query})"
    return query


def _numbers(slo: SLO, key: Key, value: float | None) -> dict[str, str]:
    """What was measured and what was promised of it, as far as a rule has one number for it."""
    objective = slo.objective
    if value is None or objective is None:
        return {}
    match key.rule:
        case Rule.VIOLATED:
            limit = objective.limit_for(key.labels)
            border = limit.at_most if limit.at_most is not None else limit.at_least
            promised = {"limit": wording.exactly(border, slo.unit)} if border is not None else {}
            return {"value": wording.quantity(value, slo.unit), **promised}
        case Rule.LEAK if objective.grows_at_most is not None:
            most = objective.grows_at_most
            return {"value": wording.per_hour(value, slo.unit), "limit": wording.per_hour(most, slo.unit)}
        case Rule.BURN_RATE:
            return {"value": f"{value:.3g} times the bearable rate"}
        case Rule.REGRESSION:
            return {"value": wording.quantity(value, slo.unit)}
    return {}


def _sentence(text: str) -> str:
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."


def _clock(slot: int) -> str:
    return f"{at(slot):%Y-%m-%d %H:%M:%S} UTC"
