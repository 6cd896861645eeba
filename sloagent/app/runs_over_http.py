"""What HTTP asks of runs, in the daemon's store: the rules are those of the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sloagent.app import runs
from sloagent.app.run_data import document
from sloagent.app.times import now, parse
from sloagent.errors import RunError
from sloagent.model.run import Run
from sloagent.store import Store


class RunsOverHTTP:
    """`web.runs.Runs` over the store in force."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store

    def listed(self) -> object:
        """All of them."""
        return document(runs.listed(self._store()))

    def shown(self, name: str) -> object:
        """One of them."""
        return document([runs.shown(self._store(), name)])

    def start(self, name: str, labels: Mapping[str, str], at: str) -> object:
        """Begin a run."""
        present = now()
        return _told(runs.start(self._store(), name, labels, _time("at", at, present), present))

    def stop(self, name: str, at: str) -> object:
        """End it."""
        present = now()
        return _told(runs.stop(self._store(), name, _time("at", at, present), present))

    def phase(self, run: str, name: str, start: str | None, end: str, note: str) -> object:
        """Name a part of it; without a start from the end of the last one."""
        present = now()
        begin, until = None if start is None else _time("from", start, present), _time("to", end, present)
        return _told(runs.add_phase(self._store(), run, name, begin, until, note, present))

    def exclude(self, run: str, start: str, end: str, reason: str) -> object:
        """Leave a stretch out of it."""
        present = now()
        begin, until = _time("from", start, present), _time("to", end, present)
        return _told(runs.exclude(self._store(), run, begin, until, reason, present))


def _told(run: Run) -> object:
    return document([(run, False)])


def _time(field: str, text: str, present: datetime) -> datetime:
    try:
        return parse(text, present)
    except ValueError as error:
        raise RunError(f"{field}: {error}", kind="wrong") from None
