"""One Prometheus while it is asked about a stretch of time: what it was asked, and what it refused, is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

from sloagent.errors import SourceError
from sloagent.model.samples import Kind
from sloagent.sources import envelope
from sloagent.sources.bounds import Bounds
from sloagent.sources.connection import PrometheusConnection
from sloagent.sources.envelope import Point

Labels = Mapping[str, str]
"""With the metric's name, as `__name__`."""


@dataclass(slots=True)
class Asking:
    """Asks about `start` to `end`, whole seconds since the epoch. A refusal is noted and leaves the answer empty."""

    connection: PrometheusConnection
    bounds: Bounds
    timeout: str
    start: int
    end: int
    questions: list[str] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)

    @property
    def seconds(self) -> int:
        """How long the stretch is."""
        return self.end - self.start

    def instant(self, query: str) -> list[tuple[Labels, float]]:
        """The series at the end of the stretch, and their numbers."""
        form = {"query": query, "time": str(self.end), "timeout": self.timeout}
        return [(labels, row[0]) for labels, row in self._ask("/api/v1/query", form) if row[0] is not None]

    def over(self, query: str, step: int) -> list[tuple[Labels, list[float | None]]]:
        """The series at the end of the stretch and every `step` seconds before it, ascending."""
        first = self.end - self.seconds // step * step
        form = {"query": query, "start": str(first), "end": str(self.end), "step": str(step), "timeout": self.timeout}
        return self._ask("/api/v1/query_range", form)

    def refused(self, query: str, why: str) -> None:
        """Note why there is no answer."""
        self.refusals.append((query, why))

    def _ask(self, path: str, form: Mapping[str, str]) -> list[tuple[Labels, list[float | None]]]:
        self.questions.append(form["query"])
        try:
            answer = self._answer(path, form)
            found = [envelope.named_labels(metric) for metric in answer.metrics]
        except SourceError as error:
            self.refused(form["query"], self.connection.explained(error))
            return []
        return [(labels, list(map(_number, row))) for labels, row in zip(found, answer.points, strict=True)]

    def _answer(self, path: str, form: Mapping[str, str]) -> envelope.Matrix:
        """The answer, of one time or many. Raises SourceError where it is none, not whole, or beyond a bound."""
        body = self.connection.post(path, form).body
        answer = _stretch(body, form) if "step" in form else _one(envelope.instant(body))
        if answer.warnings:
            said = "; ".join(self.connection.redacted(answer.warnings))
            raise SourceError(f"the answer may be partial: {said}", kind=Kind.PARTIAL, retryable=True)
        self.bounds.check_series(len(answer.metrics))
        self.bounds.check_labels(answer.metrics)
        return answer


def _one(vector: envelope.Vector) -> envelope.Matrix:
    if vector.oddity:
        raise SourceError(vector.oddity, kind=Kind.PROTOCOL, retryable=True)
    return envelope.Matrix(vector.metrics, [[point] for point in vector.points], vector.warnings)


def _stretch(body: bytes, form: Mapping[str, str]) -> envelope.Matrix:
    first, last, step = int(form["start"]), int(form["end"]), int(form["step"])
    return envelope.stretch(body, first, step, (last - first) // step + 1)


def _number(point: Point | None) -> float | None:
    """A number that says something: NaN and infinities are as good as none."""
    return point if isinstance(point, float) and isfinite(point) else None
