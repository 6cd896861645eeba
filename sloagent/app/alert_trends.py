"""Looks at more than one slot: a run under way beside its baseline, and what grows in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from sloagent.app import assess, pieces
from sloagent.app.assess import Stretch
from sloagent.app.recording import equal_parts
from sloagent.app.wiring import Agent
from sloagent.evaluation.alert_trends import LEAK_LOOK_SECONDS, leak_look, regression_look
from sloagent.evaluation.alerting import Look
from sloagent.evaluation.compare_series import Measured
from sloagent.evaluation.recent import Recent, counted, counted_events, recent
from sloagent.evaluation.regressing import Side, wandering
from sloagent.model.run import Run
from sloagent.model.slo import SLO, Labels, LatencySLI, RatioSLI, ValueSLI
from sloagent.model.timerange import TimeRange, at, contiguous

log = logging.getLogger("sloagent")


def lacking_baseline(agent: Agent) -> str:
    """Why no run can be compared with the baseline that is configured; empty where one can. Raises StoreError."""
    from sloagent.app import run_file

    name, runs = agent.settings.alerts.baseline, agent.store.runs()
    run = next((run for run in runs if run.name == name), None)
    if name is None or (run is not None and run.end is not None) or run_file.imported(agent.store, name) is not None:
        return ""
    if run is not None:
        return f"the baseline {name} has not ended yet"
    others = ", ".join(sorted(run.name for run in runs if run.end is not None)) or "none"
    return f"the store knows no run {name} that could be the baseline; of its own that have ended it knows: {others}"


class Trends:
    """What the store tells of the trends of one agent's SLOs. A baseline is read once, when there is one."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._baselines: dict[SLO, Side] = {}
        self._without: set[SLO] = set()
        """SLOs of which it was said that the baseline knows nothing."""

    def looks(self, slo: SLO, slot: int, run: Run) -> Iterator[Look]:
        """The looks that are due at a slot of a run, at what was recorded up to it. Raises StoreError."""
        name, rule = self._agent.settings.alerts.baseline, slo.alerts.regression
        since = int(run.start.timestamp())
        if name is not None and rule is not None and name != run.name:
            stretch = recent(slo, rule.window, since, slot)
            if stretch is not None and (baseline := self._baseline(slo, name)) is not None:
                yield regression_look(rule, baseline, self._current(slo, stretch), stretch.looks, name)
        grows = slo.objective is not None and slo.objective.grows_at_most is not None
        if grows and slo.alerts.leak is not None and slot % LEAK_LOOK_SECONDS == 0:
            own = Stretch(TimeRange(run.start, at(slot)), inside=True, exclusions=run.exclusions)
            slots = contiguous(own.counted(slo), slo.interval)
            found = self._agent.store.tally(self._agent.source.name, slo, slots)
            yield leak_look(slo, slo.alerts.leak, slot, found.series)

    def _current(self, slo: SLO, stretch: Recent) -> Side:
        store, source = self._agent.store, self._agent.source.name
        span, wanted = (stretch.slots[0], stretch.slots[-1]), frozenset(stretch.slots)
        match slo.sli:
            case LatencySLI():
                series: Mapping[Labels, Measured] = counted(
                    slo, (tile for slot, tile in store.tiles(source, slo, span) if slot in wanted)
                )
            case RatioSLI():
                series = counted_events(slo, (one for one in store.slots(source, slo, span) if one.slot in wanted))
            case ValueSLI():
                series = store.means(source, slo, stretch.parts)
        return Side(slo, series, self._answered(slo, stretch, series))

    def _answered(
        self, slo: SLO, stretch: Recent, series: Mapping[Labels, Measured]
    ) -> Mapping[Labels, tuple[str, ...]]:
        """The metrics that answered, where one of them is a lower bound."""
        if not isinstance(slo.sli, LatencySLI) or not slo.sli.lower_bounds:
            return {}
        span, wanted = (stretch.slots[0], stretch.slots[-1]), frozenset(stretch.slots)
        headers = self._agent.store.headers(self._agent.source.name, slo, span)
        names = tuple(sorted({one.histogram for one in headers if one.slot in wanted and one.histogram}))
        return dict.fromkeys(series, names) if slo.sli.lower_bound(names) else {}

    def _baseline(self, slo: SLO, name: str) -> Side | None:
        if slo not in self._baselines:
            found = self._of_a_run(slo, name) or self._of_a_file(slo, name)
            if found is None or not found.series:
                if slo not in self._without:
                    log.warning(
                        "%s/%s is not watched for regressions: the baseline %s knows nothing of it as it is asked now",
                        slo.set, slo.name, name,
                    )  # fmt: skip
                    self._without.add(slo)
                return None
            self._baselines[slo] = found
        return self._baselines[slo]

    def _of_a_run(self, slo: SLO, name: str) -> Side | None:
        """What the store remembers of a run of its own; None where there is none of this name that has ended."""
        store, source = self._agent.store, self._agent.source.name
        run = next((run for run in store.runs() if run.name == name), None)
        if run is None or run.end is None:
            return None
        stretch = Stretch(TimeRange(run.start, run.end), inside=True, phases=run.phases, exclusions=run.exclusions)
        if isinstance(slo.sli, ValueSLI):
            return Side(slo, store.means(source, slo, equal_parts(slo, stretch.counted(slo))))
        cuts = stretch.pieces(slo)
        whole = pieces.whole(store, source, slo, cuts)
        if whole is None:
            return None
        parts = (part for cut in cuts if (part := store.added(source, slo, [cut])) is not None)
        return Side(slo, whole, assess.answered(self._agent.cycle, slo, stretch), wandering(slo, parts))

    def _of_a_file(self, slo: SLO, name: str) -> Side | None:
        """What a run that was imported says of the SLO of this name."""
        from sloagent.app import run_file

        record = run_file.imported(self._agent.store, name)
        found = next(
            (one for one in (record.slos if record else ()) if (one.slo.set, one.slo.name) == (slo.set, slo.name)), None
        )
        if found is None:
            return None
        if isinstance(found.slo.sli, ValueSLI):
            return Side(found.slo, found.means)
        return Side(found.slo, found.whole.whole or {}, found.whole.answered)
