"""What recorded slots took of an error budget, read without all else that their rows hold."""

from __future__ import annotations

from collections.abc import Iterator

from sloagent.evaluation.budget import BadAndAll, events_spent, window_spent
from sloagent.model.slo import SLO, Labels, ValueSLI
from sloagent.store import compact
from sloagent.store.dictionary import Names
from sloagent.store.sql import Connection


def read_spent(
    connection: Connection, names: Names, slo_id: int, slo: SLO, first: int, last: int
) -> Iterator[tuple[int, Labels, BadAndAll]]:
    """(slot, series, bad and all) of the slots with full rows, ascending by slot; of events, those that tile the time."""
    tiling = 1 if isinstance(slo.sli, ValueSLI) else slo.window
    rows = connection.execute(
        "SELECT slot, series_id, outcome, events, COALESCE(share_upper, share_lower) FROM verdicts"
        " WHERE slo_id = ? AND slot BETWEEN ? AND ? AND slot % ? = 0 ORDER BY slot",
        (slo_id, first, last, tiling),
    )
    known = names.series.known
    for slot, series_id, outcome, events, good_share in rows:
        if isinstance(slo.sli, ValueSLI):
            spent = window_spent(compact.outcome_of(outcome))
        else:
            spent = events_spent(events, good_share)
        if spent is not None:
            yield slot, known.get(series_id) or names.series.content(connection, series_id), spent
