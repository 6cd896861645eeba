"""The daemon's store: it may fail to open, fail while in use, and come back; what is damaged is set aside and salvaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from sloagent.evaluation.budget import BadAndAll
from sloagent.model.alert import Checkpoint, Key, Told, Transition
from sloagent.model.distribution import Distribution
from sloagent.model.piece import Counted, Piece
from sloagent.model.record import Line
from sloagent.model.run import Run
from sloagent.model.slo import SLO, Labels
from sloagent.model.tally import Tally
from sloagent.model.verdict import SlotHeader, SlotVerdict
from sloagent.store import AlertStep, Store, Stretch
from sloagent.store.reopening import Reopening
from sloagent.store.salvage import Salvage

RETRY_SECONDS = 5.0


class ResilientStore:
    """A `Store` over one that `open_inner` opens, as often as need be.

    While there is none, every method raises StoreError with the reason at once; opening is tried again every
    `retry_seconds` by whoever calls. A damaged file at `path` is set aside, and a thread salvages it into a new one;
    without a `path` (a database elsewhere) nothing is ever moved. Making one never raises StoreError.
    """

    def __init__(
        self, open_inner: Callable[[], Store], *, path: Path | None = None, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._reopening = Reopening(open_inner, path=path, retry_seconds=retry_seconds)

    @property
    def trouble(self) -> str:
        """Why the store cannot be read or written, in a sentence; empty while it can."""
        return self._reopening.trouble

    @property
    def quarantined(self) -> int:
        """How many damaged or foreign files this process has set aside."""
        return self._reopening.quarantined

    @property
    def salvaged(self) -> Salvage | None:
        """What became of the last one."""
        return self._reopening.salvaged

    def append(self, source: str, slots: Sequence[SlotVerdict]) -> int:
        """Commit the slots in one transaction; see `Store.append`."""
        with self._reopening.used(writing=True) as inner:
            recorded = inner.append(source, slots)
        if recorded:
            self._reopening.written(inner)
        return recorded

    def recorded(self, source: str, slo: SLO, stretch: Stretch) -> frozenset[int]:
        """The slots of the stretch that have a verdict, rolled-up ones included."""
        with self._reopening.used(decoding=True) as inner:
            return inner.recorded(source, slo, stretch)

    def slots(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[SlotVerdict]:
        """The recorded slots that still have full rows, ascending, as they were judged."""
        with self._reopening.used(decoding=True) as inner:
            yield from inner.slots(source, slo, stretch)

    def headers(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[SlotHeader]:
        """The recorded slots that still have full rows, ascending, without their series."""
        with self._reopening.used(decoding=True) as inner:
            yield from inner.headers(source, slo, stretch)

    def lines(self, source: str, slo: SLO, stretch: Stretch, series: Sequence[Labels], columns: int) -> list[Line]:
        """For each of the series its windows over the stretch, for a chart of so many columns; see `Store.lines`."""
        with self._reopening.used(decoding=True) as inner:
            return inner.lines(source, slo, stretch, series, columns)

    def tiles(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[tuple[int, Mapping[Labels, Distribution]]]:
        """(slot, distributions by labels) of the recorded slots that tile the time, ascending."""
        with self._reopening.used(decoding=True) as inner:
            yield from inner.tiles(source, slo, stretch)

    def spent(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[tuple[int, Labels, BadAndAll]]:
        """(slot, series, bad and all) of the slots that still have full rows, ascending by slot; see `Store.spent`."""
        with self._reopening.used(decoding=True) as inner:
            yield from inner.spent(source, slo, stretch)

    def tally(self, source: str, slo: SLO, stretches: Sequence[Stretch]) -> Tally:
        """The sum over all recorded slots of the stretches, from full rows and roll-ups alike."""
        with self._reopening.used(decoding=True) as inner:
            return inner.tally(source, slo, stretches)

    def means(self, source: str, slo: SLO, stretches: Sequence[Stretch]) -> Mapping[Labels, tuple[float, ...]]:
        """Of a value: per series the mean over the recorded slots of each stretch; see `Store.means`."""
        with self._reopening.used(decoding=True) as inner:
            return inner.means(source, slo, stretches)

    def watch(self, source: str, slo: SLO, first_slot: int) -> int:
        """Remember since when this SLO's slots are expected; the earliest ever said wins and is returned."""
        with self._reopening.used(writing=True) as inner:
            return inner.watch(source, slo, first_slot)

    def append_piece(self, source: str, slo: SLO, piece: Piece) -> None:
        """Commit a piece; the first commit of (source, SLO, start, end) wins."""
        with self._reopening.used(writing=True) as inner:
            inner.append_piece(source, slo, piece)

    def cuts(self, source: str, slo: SLO, start_ms: int, end_ms: int) -> dict[tuple[int, int], str]:
        """(start, end) of the pieces that lie wholly inside the stretch, and the query of each."""
        with self._reopening.used(decoding=True) as inner:
            return inner.cuts(source, slo, start_ms, end_ms)

    def added(self, source: str, slo: SLO, wanted: Sequence[tuple[int, int]]) -> Mapping[Labels, Counted] | None:
        """Per series the sum of exactly the wanted pieces; None where one is missing."""
        with self._reopening.used(decoding=True) as inner:
            return inner.added(source, slo, wanted)

    def checkpoint(self, source: str, slo: SLO) -> Checkpoint | None:
        """What was concluded last of the SLO's alerts; None where that has to begin from nothing."""
        with self._reopening.used(decoding=True) as inner:
            return inner.checkpoint(source, slo)

    def append_alerts(self, source: str, steps: Sequence[AlertStep]) -> list[bool]:
        """Commit the steps in one transaction; for each, whether it was taken; see `Store.append_alerts`."""
        with self._reopening.used(writing=True) as inner:
            return inner.append_alerts(source, steps)

    def transitions(self, source: str, slo: SLO, stretch: Stretch) -> list[Transition]:
        """How the SLO's alerts came and went, ascending by slot and key."""
        with self._reopening.used(decoding=True) as inner:
            return inner.transitions(source, slo, stretch)

    def told(self, source: str, slo: SLO, receiver: str) -> dict[Key, Told]:
        """What the receiver was told last of each of the SLO's alerts, ascending by key."""
        with self._reopening.used(decoding=True) as inner:
            return inner.told(source, slo, receiver)

    def told_firing(self, source: str, receiver: str) -> list[SLO]:
        """The SLOs, those of before too, of whose alerts the receiver takes one to fire; without their titles."""
        with self._reopening.used(decoding=True) as inner:
            return inner.told_firing(source, receiver)

    def tell(self, source: str, receiver: str, entries: Sequence[tuple[SLO, Key, Told]]) -> None:
        """Remember, in one transaction, what a receiver was told, in the place of what it was told before."""
        with self._reopening.used(writing=True) as inner:
            inner.tell(source, receiver, entries)

    def lease(self, name: str, holder: str, now: float, seconds: float) -> bool:
        """Take or prolong a lease until `now` + `seconds`; false while another holder has it."""
        with self._reopening.used(writing=True) as inner:
            return inner.lease(name, holder, now, seconds)

    def release(self, name: str, holder: str) -> None:
        """Give a lease up, if `holder` has it."""
        with self._reopening.used(writing=True) as inner:
            inner.release(name, holder)

    def save_run(self, run: Run) -> None:
        """Insert or replace a run by its name, with its phases and exclusions."""
        with self._reopening.used(writing=True) as inner:
            inner.save_run(run)
        self._reopening.written(inner)

    def change_run(self, name: str, change: Callable[[Run | None], Run]) -> Run:
        """Put what `change` makes of the run of this name in its place; see `Store.change_run`."""
        with self._reopening.used(decoding=True, writing=True) as inner:
            run = inner.change_run(name, change)
        self._reopening.written(inner)
        return run

    def runs(self) -> list[Run]:
        """All runs, ascending by start."""
        with self._reopening.used(decoding=True) as inner:
            return inner.runs()

    def save_document(self, kind: str, name: str, content: bytes) -> None:
        """Keep the content, for ever, in the place of the document that had this name among its kind."""
        with self._reopening.used(writing=True) as inner:
            inner.save_document(kind, name, content)
        self._reopening.written(inner)

    def document(self, kind: str, name: str) -> bytes | None:
        """The content as it was saved; None where there is no such document."""
        with self._reopening.used(decoding=True) as inner:
            return inner.document(kind, name)

    def documents(self, kind: str) -> list[str]:
        """The names of the documents of a kind, sorted."""
        with self._reopening.used(decoding=True) as inner:
            return inner.documents(kind)

    def sum_hours(self, before: int) -> int:
        """Sum up hours that end by `before` and keep the sums beside their rows; returns how many hours it were."""
        with self._reopening.used(decoding=True, writing=True) as inner:
            return inner.sum_hours(before)

    def roll_up(self, before: int) -> int:
        """Fold full rows older than `before` (a slot) into hourly tallies; returns how many rows went."""
        with self._reopening.used(decoding=True, writing=True) as inner:
            return inner.roll_up(before)

    def prune(self, before: int) -> int:
        """Forget everything older than `before` except runs and documents; returns how many rows went."""
        with self._reopening.used(writing=True) as inner:
            return inner.prune(before)

    def dump(self) -> Iterator[str]:
        """Everything that is promised, one JSON object a line, sorted by key."""
        with self._reopening.used(decoding=True) as inner:
            yield from inner.dump()

    def check(self) -> list[str]:
        """What is wrong with the store, in sentences; empty when it is sound."""
        with self._reopening.used() as inner:
            return inner.check()

    def backup(self, target: Path) -> None:
        """Write a consistent copy while the store is in use. Refuses an existing target."""
        with self._reopening.used() as inner:
            inner.backup(target)

    def size_bytes(self) -> int:
        """Bytes on disk."""
        with self._reopening.used() as inner:
            return inner.size_bytes()

    def close(self) -> None:
        """Let go of the file or connection; a salvage under way goes on at the next start. Idempotent."""
        self._reopening.close()
