"""What the soak expects to be recorded, by arithmetic alone, and what a look into the store's tables finds."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path

import yaml

from tests.soak.files import SLOS

DELAY_SECONDS = 30
_UNITS = {"s": 1, "m": 60, "h": 3600}


def _seconds(text: str) -> int:
    return int(text[:-1]) * _UNITS[text[-1]]


def _intervals() -> dict[str, int]:
    written = yaml.safe_load(SLOS)
    return {slo["name"]: _seconds(slo.get("interval", written["defaults"]["interval"])) for slo in written["slos"]}


INTERVALS: Mapping[str, int] = _intervals()
"""SLO to seconds from slot to slot."""
WITH_PIECES = [slo["name"] for slo in yaml.safe_load(SLOS)["slos"] if "value" not in slo["sli"]]
"""The SLOs that count events, whose hours have pieces."""


def newest(now: float, interval: int) -> int:
    """The newest slot that is due."""
    return int((now - DELAY_SECONDS) // interval) * interval


def expected(first: float, last: float) -> dict[str, range]:
    """SLO to the slots that an agent owes that began at `first` and ended at `last`."""
    return {
        name: range(newest(first, interval), newest(last, interval) + 1, interval)
        for name, interval in INTERVALS.items()
    }


class Recorded:
    """A look into the store from outside, at the tables themselves, without any code of the product."""

    def __init__(self, store: Path) -> None:
        self._store = store

    def lacking(self, since: float, until: float, without: Collection[str] = ()) -> int | None:
        """How many of the slots due between two moments have no row of their own; None while nobody can look."""
        rows = self._ask(
            "SELECT v.slo, s.slot FROM slots s JOIN slo_versions v ON v.id = s.slo_id WHERE s.slot > ?",
            int(since) - 3600,
        )
        if rows is None:
            return None
        found = set(rows)
        return sum(
            (name, slot) not in found
            for name, slots in expected(since, until).items()
            if name not in without
            for slot in slots
        )

    def oldest_full_row(self) -> int:
        """The oldest slot that has a row of its own; 0 where that cannot be told."""
        rows = self._ask("SELECT min(slot) FROM slots")
        return int(rows[0][0] or 0) if rows else 0

    def hours_with_pieces(self) -> dict[str, int]:
        """SLO to how many whole hours have their piece."""
        rows = self._ask(
            "SELECT v.slo, count(*) FROM pieces p JOIN slo_versions v ON v.id = p.slo_id"
            " WHERE p.end_ms - p.start_ms = 3600000 AND p.start_ms % 3600000 = 0 GROUP BY v.slo"
        )
        return dict(rows or [])

    def _ask(self, statement: str, *values: object) -> list[tuple[object, ...]] | None:
        # Opened anew each time: a connection that stays would keep alive what a killed writer leaves behind.
        try:
            with closing(sqlite3.connect(f"file:{self._store}?mode=ro", uri=True, timeout=1.0)) as connection:
                return connection.execute(statement, values).fetchall()
        except sqlite3.Error:
            return None
