"""What is remembered. One way in (`append`), committed before anybody is told; the first commit of a slot wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # settings are read without the model
    from sloagent.evaluation.budget import BadAndAll
    from sloagent.model.alert import Checkpoint, Key, Told, Transition
    from sloagent.model.distribution import Distribution
    from sloagent.model.piece import Counted, Piece
    from sloagent.model.record import Line
    from sloagent.model.run import Run
    from sloagent.model.slo import SLO, Labels
    from sloagent.model.tally import Tally
    from sloagent.model.verdict import SlotHeader, SlotVerdict

Stretch = tuple[int, int]
"""First and last slot, both included."""


@dataclass(frozen=True, slots=True)
class AlertStep:
    """What was concluded of an SLO's alerts from a checkpoint and the slots after it; with it, from what."""

    slo: SLO
    after: int | None
    """The slot of the checkpoint that it was made from; None: from nothing."""
    slots: int
    """How many slots with full rows were looked at: those after `after`, up to `checkpoint.slot`."""
    transitions: tuple[Transition, ...]
    """At slots after `after`, up to `checkpoint.slot`; no key twice at one slot."""
    checkpoint: Checkpoint
    after_chain: int = 0
    """The `chain` of the checkpoint that it was made from."""


class Store(Protocol):
    """The seam. Every method raises StoreError where the store cannot be read or written; none returns half a truth."""

    def append(self, source: str, slots: Sequence[SlotVerdict]) -> int:
        """Commit the slots in one transaction; pending ones and those already recorded are left out.

        Returns how many were newly recorded. Distributions are kept of the slots that tile the time (slot % window == 0).
        What was concluded of alerts without a slot that is newly recorded is forgotten: checkpoints from it on, and the
        transitions after the newest that is left.
        """
        ...

    def recorded(self, source: str, slo: SLO, stretch: Stretch) -> frozenset[int]:
        """The slots of the stretch that have a verdict, rolled-up ones included."""
        ...

    def slots(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[SlotVerdict]:
        """The recorded slots that still have full rows, ascending, as they were judged (without distributions).

        A slot's verdicts ascend by labels.
        """
        ...

    def headers(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[SlotHeader]:
        """The recorded slots that still have full rows, ascending, without their series: quick, however many those are."""
        ...

    def lines(self, source: str, slo: SLO, stretch: Stretch, series: Sequence[Labels], columns: int) -> list[Line]:
        """For each of the series, in their order, its windows over the stretch, for a chart of so many columns.

        Where there are more than 2 × `columns`, the stretch is cut into that many equal columns, and of each the windows
        with the least and the greatest value are kept (the earlier of equals), or the worst where none has a value. Of an
        hour whose rows became one sum its worst window is known; `seen` counts them all.
        """
        ...

    def tiles(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[tuple[int, Mapping[Labels, Distribution]]]:
        """(slot, distributions by labels) of the recorded slots that tile the time, ascending."""
        ...

    def spent(self, source: str, slo: SLO, stretch: Stretch) -> Iterator[tuple[int, Labels, BadAndAll]]:
        """(slot, series, bad and all) of the slots that still have full rows, ascending by slot.

        What each took of the error budget (`evaluation.budget`): of events only the slots that tile the time.
        """
        ...

    def tally(self, source: str, slo: SLO, stretches: Sequence[Stretch]) -> Tally:
        """The sum over all recorded slots of the stretches, from full rows and roll-ups alike.

        Raises StoreError where a stretch begins or ends inside a roll-up, saying where it may.
        """
        ...

    def means(self, source: str, slo: SLO, stretches: Sequence[Stretch]) -> Mapping[Labels, tuple[float, ...]]:
        """Of a value: per series the mean over the recorded slots of each stretch, the same from full rows and sums.

        Left out are stretches in which the series has no number, or an infinite one, and those that begin or end inside
        an hourly sum or hold one that does not tell it, for an older version made it.
        """
        ...

    def watch(self, source: str, slo: SLO, first_slot: int) -> int:
        """Remember since when this SLO's slots are expected; the earliest ever said wins and is returned."""
        ...

    def append_piece(self, source: str, slo: SLO, piece: Piece) -> None:
        """Commit a piece; the first commit of (source, SLO, start, end) wins."""
        ...

    def cuts(self, source: str, slo: SLO, start_ms: int, end_ms: int) -> dict[tuple[int, int], str]:
        """(start, end) of the pieces that lie wholly inside the stretch, and the query of each: what need not be asked."""
        ...

    def added(self, source: str, slo: SLO, wanted: Sequence[tuple[int, int]]) -> Mapping[Labels, Counted] | None:
        """Per series the sum of exactly the wanted pieces, (start, end) in milliseconds; None where one is missing.

        It takes no more memory for more series, or for more pieces.
        """
        ...

    def checkpoint(self, source: str, slo: SLO) -> Checkpoint | None:
        """What was concluded last of the SLO's alerts; None where that has to begin from nothing."""
        ...

    def append_alerts(self, source: str, steps: Sequence[AlertStep]) -> list[bool]:
        """Commit the steps one after the other in one transaction; for each, whether it was taken.

        One is taken if the newest checkpoint is still the one that it was made from, and there are still as many slots as
        were looked at. Else nothing of it is written: somebody was faster, or a slot came late; conclude again. The last
        checkpoint of each hour stays, so that a late slot costs at most an hour.
        """
        ...

    def transitions(self, source: str, slo: SLO, stretch: Stretch) -> list[Transition]:
        """How the SLO's alerts came and went, ascending by slot and key."""
        ...

    def told(self, source: str, slo: SLO, receiver: str) -> dict[Key, Told]:
        """What the receiver was told last of each of the SLO's alerts, ascending by key."""
        ...

    def told_firing(self, source: str, receiver: str) -> list[SLO]:
        """The SLOs, those of before too, of whose alerts the receiver takes one to fire; without their titles."""
        ...

    def tell(self, source: str, receiver: str, entries: Sequence[tuple[SLO, Key, Told]]) -> None:
        """Remember, in one transaction, what a receiver was told, in the place of what it was told before."""
        ...

    def lease(self, name: str, holder: str, now: float, seconds: float) -> bool:
        """Take or prolong a lease until `now` + `seconds` (since the epoch); false while another holder has it.

        Of those who ask at once, one gets it.
        """
        ...

    def release(self, name: str, holder: str) -> None:
        """Give a lease up, if `holder` has it."""
        ...

    def save_run(self, run: Run) -> None:
        """Insert or replace a run by its name, with its phases and exclusions."""
        ...

    def change_run(self, name: str, change: Callable[[Run | None], Run]) -> Run:
        """Put what `change` makes of the run of this name (None: there is none) in its place, and return it.

        Two who change one run at once do so one after the other. What `change` raises leaves everything as it was; it is
        called again where the database begins the transaction anew, and must not use the store.
        """
        ...

    def runs(self) -> list[Run]:
        """All runs, ascending by start."""
        ...

    def save_document(self, kind: str, name: str, content: bytes) -> None:
        """Keep the content, for ever, in the place of the document that had this name among its kind."""
        ...

    def document(self, kind: str, name: str) -> bytes | None:
        """The content as it was saved; None where there is no such document."""
        ...

    def documents(self, kind: str) -> list[str]:
        """The names of the documents of a kind, sorted."""
        ...

    def sum_hours(self, before: int) -> int:
        """Sum up hours that end by `before`, at most 100 of all SLOs, the newest first, and keep the sums beside their rows.

        No answer is another for it: `tally`, `means` and `lines` are quicker. Returns how many hours it were; call it
        again until there are none.
        """
        ...

    def roll_up(self, before: int) -> int:
        """Fold full rows older than `before` (a slot) into hourly tallies; returns how many rows went.

        No roll-up crosses a border of a run, phase or exclusion, so their numbers do not change.
        """
        ...

    def prune(self, before: int) -> int:
        """Forget everything older than `before` except runs and documents; returns how many rows went.

        The newest checkpoint of an SLO that is still judged stays, however old.
        """
        ...

    def dump(self) -> Iterator[str]:
        """Everything that is promised, one JSON object a line, sorted by key: byte-identical for the same truth."""
        ...

    def check(self) -> list[str]:
        """What is wrong with the store, in sentences; empty when it is sound."""
        ...

    def backup(self, target: Path) -> None:
        """Write a consistent copy while the store is in use. Refuses an existing target."""
        ...

    def size_bytes(self) -> int:
        """Bytes on disk."""
        ...

    def close(self) -> None:
        """Let go of the file or connection. Idempotent."""
        ...
