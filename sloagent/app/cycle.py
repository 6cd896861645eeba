"""The one road: ask, judge, commit, tell. Live ticks, `check`, `backfill` and catch-up differ only in the slots."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from sloagent.app.telemetry import Telemetry
from sloagent.errors import SinkError
from sloagent.evaluation.judge import judge
from sloagent.model.samples import Answer, Kind, Refusal
from sloagent.model.slo import SLO
from sloagent.model.verdict import SlotVerdict
from sloagent.sinks import Sink
from sloagent.sources import Source
from sloagent.store import Store

log = logging.getLogger("sloagent")

_ASK_AGAIN = frozenset({Kind.BAD_DATA, Kind.EXECUTION})
"""Refusals that are recorded only when they repeat."""


def ask(source: Source, slo: SLO, slot: int) -> Answer | Refusal:
    """The source's answer at one slot; a refusal that would be recorded is asked for a second time first."""
    answer = source.at(slo, slot)
    if isinstance(answer, Refusal) and answer.final and answer.kind in _ASK_AGAIN:
        return source.at(slo, slot)
    return answer


class Cycle:
    """The road from slots to recorded and told verdicts, over one source and one store."""

    def __init__(
        self, source: Source, store: Store, sinks: Sequence[Sink], telemetry: Telemetry, *, max_queries: int
    ) -> None:
        self.source = source
        self.store = store
        self.sinks = tuple(sinks)
        self.telemetry = telemetry
        self._pool = ThreadPoolExecutor(max_queries, thread_name_prefix="ask")

    def evaluate(
        self, questions: Sequence[tuple[SLO, int]], stop: Callable[[], bool] = lambda: False
    ) -> list[SlotVerdict]:
        """Ask and judge each (SLO, slot), at most `max_queries` at once, in the order given. Nothing is stored.

        `stop` is looked at before each question; what it kept from being asked is left out.
        """

        def one(question: tuple[SLO, int]) -> SlotVerdict | None:
            return None if stop() else self.evaluate_one(*question)

        return [verdict for verdict in self._pool.map(one, questions) if verdict is not None]

    def each(self, work: Callable[[SLO], None], slos: Sequence[SLO]) -> None:
        """Do `work` for every SLO, at most `max_queries` at once; the first exception is raised after all have ended."""
        for done in [self._pool.submit(work, slo) for slo in slos]:
            done.result()

    def record(self, verdicts: Sequence[SlotVerdict]) -> int:
        """Commit what may be recorded, then tell everybody, pending slots included. Returns how many were new.

        Raises StoreError; nobody is told of verdicts that could not be committed.
        """
        recorded = self.store.append(self.source.name, verdicts)
        self.telemetry.evaluated(verdicts)
        self.tell(verdicts)
        return recorded

    def tell(self, verdicts: Sequence[SlotVerdict]) -> None:
        """Tell every sink; one that fails is counted and logged and stops no other."""
        for sink in self.sinks:
            try:
                sink.tell(verdicts)
            except SinkError as error:
                self.telemetry.sink_failed(type(sink).__name__)
                log.warning("a sink could not be told: %s", error.message)

    def close(self) -> None:
        """Wait for questions under way and end the workers. Idempotent."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def evaluate_one(self, slo: SLO, slot: int) -> SlotVerdict:
        """Ask and judge one SLO at one slot on the calling thread."""
        with self.telemetry.query() as told:
            answer = ask(self.source, slo, slot)
            told(answer)
        return judge(slo, slot, answer)
