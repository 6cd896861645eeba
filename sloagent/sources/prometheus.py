"""Prometheus as a source: asks what an SLI needs to know and gives samples, or a refusal that says why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor

from sloagent.errors import SourceError
from sloagent.model.facts import Collected
from sloagent.model.piece import Counted, Piece
from sloagent.model.samples import Answer, Events, Kind, Malformed, Question, Refusal, Sample
from sloagent.model.slo import SLO, Evaluate, Labels, LatencySLI, ValueSLI
from sloagent.model.timerange import at as moment
from sloagent.peer.failures import words
from sloagent.sources import curl, envelope, promql, recorded
from sloagent.sources.asking import Asking
from sloagent.sources.bounds import Bounds
from sloagent.sources.connection import PrometheusConnection, Reply
from sloagent.sources.history import History
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.shapes import Shapes, shape_of
from sloagent.sources.test_bed import collect

CLOCK_SLACK_SECONDS = 2.0
"""HTTP dates are whole seconds, and two clocks that are kept by NTP differ by less."""

RAW_IS_MISSING = "what was counted over a stretch is asked of the metrics themselves, and they are not here"

Series = dict[Labels, Sample]
Queries = tuple[tuple[str, str], ...]


class PrometheusSource:
    """One Prometheus, or whatever speaks its API. Safe to use from many threads."""

    def __init__(
        self,
        settings: PrometheusSettings,
        *,
        timeout_seconds: float = 20.0,
        max_queries: int = 4,
        max_series: int = 1_000,
        max_response_bytes: int = 16 * 1024 * 1024,
        max_labels_bytes: int = 4_096,
        max_buckets: int = 1_000,
        delay_seconds: float = 0.0,
    ) -> None:
        """`delay_seconds` is how long samples need to arrive: until then an answer about a time is not the last word."""
        self._settings = settings
        self._delay = delay_seconds
        self._bounds = Bounds(series=max_series, buckets=max_buckets, labels_bytes=max_labels_bytes)
        self._timeout = f"{timeout_seconds:.3f}"
        self._connection = PrometheusConnection(
            settings, timeout_seconds=timeout_seconds, max_queries=max_queries, max_response_bytes=max_response_bytes
        )
        self._history = History(self._connection)
        self._shapes = Shapes(self._bounds)

    @property
    def name(self) -> str:
        """The name under which its verdicts are kept."""
        return self._settings.name

    def at(self, slo: SLO, slot: int) -> Answer | Refusal:
        """Ask one SLI at one slot (`time=slot`)."""
        found = self._instant(slo, recorded.questions(slo), str(slot), slot)
        if isinstance(found, Refusal):
            return found
        if not found.series and (refusal := self._unrecorded(slo, [slot], found.question)):
            return refusal
        return Answer(found.question, found.series, found.warnings)

    def over(self, slo: SLO, slots: Sequence[int]) -> list[Answer | Refusal] | Refusal:
        """Ask one SLI at many slots by range queries; one entry per slot, or one refusal that decides nothing."""
        if len(slots) < 2:
            return [self.at(slo, slot) for slot in slots]
        queries = recorded.questions(slo)
        nothing: Answer = Answer(Question(queries[0][0]), {})
        answers: list[Answer | Refusal] = [nothing] * len(slots)
        empty = list(range(len(slots)))
        for query, histogram in queries:
            question = Question(query, histogram)
            first, last = empty[0], empty[-1]
            try:
                reply = self._ask_range(query, slots[first], slots[last], slo.interval)
                per_slot = self._samples_over(slo, reply, slots[first : last + 1])
            except SourceError as error:
                return self._refused(question, error)
            for index in empty:
                if series := per_slot[index - first]:
                    answers[index] = Answer(question, series)
            if isinstance(slo.sli, LatencySLI) and first < (proven := _first_full(answers)) < len(slots):
                self._history.witness(slots[proven], reply)
            empty = [index for index in empty if answers[index] is nothing]
            if not empty:
                break
        found = self._without_lost_slots(slo, slots, answers, empty, reply)
        unsure = [slots[i] for i in empty if isinstance(found, list) and isinstance(found[i], Answer)]
        return (self._unrecorded(slo, unsure, question) if unsure else None) or found

    def piece(self, slo: SLO, start_ms: int, end_ms: int) -> Piece | Refusal:
        """Ask the increase of a latency or ratio SLI from one cut to the next."""
        if isinstance(slo.sli, ValueSLI):
            raise TypeError("a value has no pieces: only events can be counted")
        queries = promql.piece_questions(slo.sli, end_ms - start_ms)
        found = self._instant(slo, queries, f"{end_ms / 1000:.3f}", end_ms / 1000)
        if isinstance(found, Refusal):
            return found
        if slo.evaluate is Evaluate.RECORDED and not found.series:
            # Windows may have counted events here: that none were counted in all cannot be said.
            return Refusal(found.question, Kind.BAD_DATA, RAW_IS_MISSING, final=True)
        seconds = (end_ms - start_ms) / 1000
        counted: dict[Labels, Counted] = {}
        for labels, sample in found.series.items():
            match sample:
                case Events(part=part, total=total):
                    counted[labels] = Events(_times(part, seconds), _times(total, seconds))
                case Malformed(reason=reason):
                    return Refusal(found.question, Kind.BAD_DATA, _of_series(labels, reason), final=True)
                case float():
                    raise TypeError("a latency or ratio SLI was answered with plain numbers")
                case distribution:
                    counted[labels] = distribution
        return Piece(start_ms, end_ms, found.question.query, counted)

    def curl(self, query: str, slot: int) -> str:
        """The shell command that repeats an instant question by hand; secrets are read where they are kept."""
        return curl.command(self._settings, query, str(slot))

    def collect(self, start: float, end: float) -> Collected:
        """What it says of the test bed from `start` to `end`, seconds since the epoch."""
        first = floor(start)
        return collect(Asking(self._connection, self._bounds, self._timeout, first, max(floor(end), first + 1)))

    def version(self) -> str:
        """The peer's version, or an empty string if it does not say."""
        try:
            return self._connection.redacted(
                (envelope.version(self._connection.get("/api/v1/status/buildinfo").body),)
            )[0]
        except SourceError:
            return ""

    def date(self) -> float | Refusal | None:
        """The peer's clock when it answers a question that costs it nothing; None where it does not say."""
        try:
            return self._connection.post("/api/v1/query", {"query": "vector(1)", "timeout": self._timeout}).date
        except SourceError as error:
            return self._refused(Question("vector(1)"), error)

    def close(self) -> None:
        """Let go of connections. Idempotent."""
        self._connection.close()

    def _instant(self, slo: SLO, queries: Queries, time: str, seconds: float) -> _Found | Refusal:
        """The first query's answer that has any series; without any, an empty one, if there was a past to look in."""
        warnings: tuple[str, ...] = ()
        question = Question("")
        try:
            for query, histogram in queries:
                question = Question(query, histogram)
                form = {"query": query, "time": time, "timeout": self._timeout}
                reply = self._connection.post("/api/v1/query", form)
                vector = envelope.instant(reply.body)
                self._check_clock(seconds, reply)
                warnings += self._connection.redacted(vector.warnings)
                self._check_complete(slo, warnings)
                series = self._samples_at(slo, query, vector)
                if series:
                    break
            else:
                question = Question(queries[0][0])
            if series and isinstance(slo.sli, LatencySLI):
                self._history.witness(seconds, reply)
            elif not self._history.reaches(seconds, reply):
                return self._lost(question, seconds)
        except SourceError as error:
            return self._refused(question, error)
        return _Found(question, series, warnings)

    def _samples_at(self, slo: SLO, query: str, vector: envelope.Vector) -> Series:
        if vector.oddity:
            return {(): Malformed(vector.oddity)}
        return self._shapes.of(slo.sli, query, vector.metrics).samples(vector.points)

    def _ask_range(self, query: str, first: int, last: int, step: int) -> Reply:
        form = {"query": query, "start": str(first), "end": str(last), "step": str(step), "timeout": self._timeout}
        reply = self._connection.post("/api/v1/query_range", form)
        self._check_clock(last, reply)
        return reply

    def _samples_over(self, slo: SLO, reply: Reply, slots: Sequence[int]) -> list[Series]:
        matrix = envelope.stretch(reply.body, slots[0], slo.interval, len(slots))
        if matrix.warnings:
            raise self._partial(matrix.warnings)
        if not matrix.metrics:
            return [{} for _ in slots]
        shape = shape_of(slo.sli, matrix.metrics, self._bounds)
        found = [shape.samples(row) for row in zip(*matrix.points, strict=True)]
        self._bounds.check_series(max(map(len, found)))
        return found

    def _without_lost_slots(
        self, slo: SLO, slots: Sequence[int], answers: list[Answer | Refusal], empty: Sequence[int], reply: Reply
    ) -> list[Answer | Refusal] | Refusal:
        """The answers, with refusals in place of those that had no past to look in, as single questions would give."""
        doubtful = empty if isinstance(slo.sli, LatencySLI) else range(len(slots))
        try:
            reached = self._history.first_reached([slots[index] for index in doubtful], reply)
        except SourceError as error:
            return self._refused(Question(recorded.questions(slo)[0][0]), error)
        for index in doubtful[:reached]:
            answer = answers[index]
            answers[index] = self._lost(answer.question, slots[index])
        return answers

    def _unrecorded(self, slo: SLO, slots: Sequence[int], question: Question) -> Refusal | None:
        """Why these slots without series are no answer: rules were to record them, and were not evaluated in time."""
        if slo.evaluate is Evaluate.RAW:
            return None
        first, last = slots[0], slots[-1]
        try:
            reply = self._ask_range(recorded.evaluated(slo), first, last, slo.interval)
            matrix = envelope.stretch(reply.body, first, slo.interval, (last - first) // slo.interval + 1)
            self._check_complete(slo, self._connection.redacted(matrix.warnings))
        except SourceError as error:
            return self._refused(question, error)
        told = {
            slot
            for row in matrix.points
            for slot, point in zip(range(first, last + 1, slo.interval), row, strict=True)
            if point is not None
        }
        missing = next((slot for slot in slots if slot not in told), None)
        return None if missing is None else self._refused(question, recorded.not_recorded(slo, missing))

    def _check_clock(self, seconds: float, reply: Reply) -> None:
        # We ask when the delay is over by our own clock. By a clock that is ahead, samples would still be missing.
        if reply.date is not None and seconds + self._delay > reply.date + CLOCK_SLACK_SECONDS:
            waits = f", and samples need {self._delay:g} s to arrive" if seconds <= reply.date else ""
            raise SourceError(
                f"{moment(seconds):%Y-%m-%d %H:%M:%S} UTC was asked for, but there it is "
                f"{moment(reply.date):%Y-%m-%d %H:%M:%S} UTC{waits}; one of the two clocks is wrong",
                kind=Kind.CLOCK, retryable=True,
            )  # fmt: skip

    def _check_complete(self, slo: SLO, warnings: tuple[str, ...]) -> None:
        if warnings and not slo.allow_partial:
            raise self._partial(warnings)

    def _partial(self, warnings: tuple[str, ...]) -> SourceError:
        return SourceError(
            f"the answer may be partial: {'; '.join(warnings)}",
            kind=Kind.PARTIAL, retryable=True, hint="`allow_partial: true` in the SLO accepts such answers",
        )  # fmt: skip

    def _lost(self, question: Question, seconds: float) -> Refusal:
        when = f"{moment(seconds):%Y-%m-%d %H:%M:%S} UTC"
        message = f"it has no sample at or before {when}; its history begins later or was lost"
        return self._refused(question, SourceError(message, kind=Kind.HISTORY_LOST, retryable=False))

    def _refused(self, question: Question, error: SourceError) -> Refusal:
        asked = replace(question, histogram="")
        return Refusal(asked, Kind(error.kind), self._connection.explained(error), final=not error.retryable)


@dataclass(frozen=True, slots=True)
class _Found:
    """A successful answer at one time."""

    question: Question
    series: Series
    warnings: tuple[str, ...]


def _first_full(answers: Sequence[Answer | Refusal]) -> int:
    return next((i for i, answer in enumerate(answers) if isinstance(answer, Answer) and answer.series), len(answers))


def _times(rate: float | None, seconds: float) -> float | None:
    return None if rate is None else rate * seconds


def _of_series(labels: Labels, reason: str) -> str:
    if not labels:
        return reason
    shown = ", ".join(f'{name}="{value}"' for name, value in labels)
    return f"{{{words(shown.encode())}}}: {reason}"
