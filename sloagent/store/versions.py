"""The versions of SLOs in the store: a changed SLO has a history of its own, under its fingerprint."""

from __future__ import annotations

from dataclasses import dataclass

from sloagent.model.slo import SLO
from sloagent.store.spec import slo_from, spec_text
from sloagent.store.sql import Connection


@dataclass(frozen=True, slots=True)
class Version:
    """One SLO as it was written once, asked of one source."""

    id: int
    source: str
    slo_set: str
    slo: str
    fingerprint: str
    interval: int
    window: int
    spec: str

    def as_slo(self) -> SLO:
        """The SLO without its titles."""
        return slo_from(self.slo_set, self.slo, self.spec)


def find(connection: Connection, source: str, slo: SLO) -> int | None:
    """The version's number, or None if nothing is known of it."""
    row = connection.execute(
        "SELECT id FROM slo_versions WHERE source = ? AND slo_set = ? AND slo = ? AND fingerprint = ?",
        (source, slo.set, slo.name, slo.fingerprint()),
    ).fetchone()
    return None if row is None else int(row[0])


def find_or_add(connection: Connection, source: str, slo: SLO) -> int:
    """The version's number, newly given if need be. Versions are never removed."""
    known = find(connection, source, slo)
    if known is not None:
        return known
    connection.execute(
        "INSERT INTO slo_versions (source, slo_set, slo, fingerprint, interval_seconds, window_seconds, spec)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (source, slo.set, slo.name, slo.fingerprint(), slo.interval, slo.window, spec_text(slo)),
    )
    added = find(connection, source, slo)
    assert added is not None, "it was inserted a statement ago"
    return added


def every(connection: Connection) -> list[Version]:
    """All versions, by source, set, SLO and fingerprint."""
    rows = connection.execute(
        "SELECT id, source, slo_set, slo, fingerprint, interval_seconds, window_seconds, spec FROM slo_versions"
    )
    # Sorted here, for a database may sort by the rules of a language.
    return sorted((Version(*row) for row in rows), key=lambda one: (one.source, one.slo_set, one.slo, one.fingerprint))


def watch(connection: Connection, slo_id: int, first_slot: int) -> int:
    """Lower `watched_from` to `first_slot` if that is earlier; returns what stands there now."""
    connection.execute(
        "UPDATE slo_versions SET watched_from = ? WHERE id = ? AND (watched_from IS NULL OR watched_from > ?)",
        (first_slot, slo_id, first_slot),
    )
    earliest = watched_from(connection, slo_id)
    return first_slot if earliest is None else earliest


def watched_from(connection: Connection, slo_id: int) -> int | None:
    """Since when the version's slots are expected, or None if nobody has said."""
    (first_slot,) = connection.execute("SELECT watched_from FROM slo_versions WHERE id = ?", (slo_id,)).fetchone()
    return None if first_slot is None else int(first_slot)
