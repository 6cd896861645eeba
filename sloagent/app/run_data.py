"""A run as JSON, as `sloagent runs` prints it and HTTP answers it."""

from __future__ import annotations

from collections.abc import Iterable

from sloagent.app.times import stamp
from sloagent.model.run import Run

SCHEMA = "sloagent/runs/v1"


def document(runs: Iterable[tuple[Run, bool]]) -> dict[str, object]:
    """Runs, each with whether it was imported, as JSON-able values."""
    return {"schema": SCHEMA, "runs": [_run(run, imported) for run, imported in runs]}


def _run(run: Run, imported: bool) -> dict[str, object]:
    """Times in RFC 3339, `to` null while it goes on."""
    return {
        "name": run.name,
        "from": stamp(run.start),
        "to": stamp(run.end) if run.end else None,
        "labels": dict(run.labels),
        "phases": [
            {"name": p.name, "from": stamp(p.range.start), "to": stamp(p.range.end), "note": p.note} for p in run.phases
        ],
        "exclusions": [
            {"from": stamp(e.range.start), "to": stamp(e.range.end), "reason": e.reason} for e in run.exclusions
        ],
        "imported": imported,
    }
