"""What one receiver of alerts has been told, and what is due to be told."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from sloagent.app.notices import NoticeWriter
from sloagent.model.alert import Active, Key, Notice, Rule, Severity, Stage, Told, Transition
from sloagent.model.slo import SLO, Labels
from sloagent.sinks import Receiver

RESOLVED_SECONDS = 900.0
"""For so long an end is sent again, as Prometheus does it: whoever was away hears of it."""


@dataclass(slots=True)
class _Line:
    """One alert."""

    told: Told | None = None
    last: Stage | None = None
    """What was offered last in this process: that it fires, or that it is resolved."""
    offered: float = 0.0
    """When."""
    shown: Active | None = None
    """As it was when it was last seen firing in this process."""


@dataclass(slots=True)
class _Past:
    """An alert that began and ended before anybody was told."""

    began: int
    ended: int
    reason: str
    offered: float = 0.0


@dataclass(frozen=True, slots=True)
class _Sent:
    """What is remembered when a notice is taken."""

    slo: SLO
    key: Key
    started: int
    stage: Stage
    is_past: bool = False


class Correspondence:
    """The alerts of all SLOs with one receiver. Not safe to use from several threads at once.

    One that forgets what it was told (Alertmanager: at `ends_at`) is told again and again while an alert fires, and for a
    quarter of an hour after its end; one that does not (a webhook) is told each change once, when it has taken it.
    """

    def __init__(self, receiver: Receiver, writer: NoticeWriter, resend_seconds: float) -> None:
        self.receiver = receiver
        self._writer = writer
        self._resend = resend_seconds
        self._lines: dict[SLO, dict[Key, _Line]] = {}
        self._past: dict[tuple[SLO, Key], _Past] = {}
        self._sent: dict[tuple[Labels, bool], _Sent] = {}
        """By labels and whether it is over: what was offered and is not taken yet."""

    @property
    def was_told(self) -> bool:
        """Whether the receiver has ever been told of anything."""
        return any(line.told is not None for lines in self._lines.values() for line in lines.values())

    def remember(self, slo: SLO, told: Mapping[Key, Told]) -> None:
        """Take over what another process, or this one before, is known to have told of an SLO."""
        self._lines[slo] = {key: _Line(one) for key, one in told.items()}

    def due(
        self, slo: SLO, firing: Mapping[Key, Active], ends: Mapping[Key, Transition], now: float
    ) -> Iterator[Notice]:
        """The notices that are due at `now`, in seconds since the epoch, while these alerts of an SLO fire.

        `ends` are the newest ends of its alerts.
        """
        lines = self._lines.setdefault(slo, {})
        for key, active in sorted(firing.items()):
            self._past.pop((slo, key), None)  # it fires again, and that is told
            line = lines.setdefault(key, _Line())
            labels = self._writer.labels(slo, key, active.severity, active.run)
            if line.told is not None and line.told.resolved is None and line.told.labels not in ((), labels):
                yield self._resolved(slo, key, line, line.told, None, now, "its labels were changed")
                line = lines[key] = _Line()
            line.shown = active
            if self._is_due(line, now):
                yield self._firing(slo, key, line, active, now)
        for key in sorted(lines.keys() - firing.keys()):
            line = lines[key]
            if line.told is None:
                del lines[key]  # nobody has heard of it: it is told as past, or not at all
            elif self._end_is_due(line, line.told, now):
                yield self._resolved(slo, key, line, line.told, ends.get(key), now)
        for (of, key), past in self._past.items():
            if of == slo and now - past.offered >= self._resend:
                past.offered = now
                notice = self._writer.past(slo, key, past.began, past.ended, past.reason, now)
                self._sent[notice.labels, False] = _Sent(slo, key, past.began, Stage.RESOLVED, is_past=True)
                yield notice

    def note_past(self, slo: SLO, key: Key, began: int, end: Transition) -> None:
        """Take note of an alert that fired from `began` to its end, unless the receiver was told while it did."""
        line = self._lines.get(slo, {}).get(key)
        told = line.told if line is not None else None
        # Of what ended before the last word on an alert the receiver was told, or is told no more.
        last = max(told.firing_until, told.resolved or 0.0) if told is not None else 0.0
        if told is None or (last < end.slot and told.firing_until < began):
            earlier = self._past.get((slo, key))
            self._past[slo, key] = _Past(earlier.began if earlier else began, end.slot, end.reason)

    def taken(self, notice: Notice, at: float) -> tuple[SLO, Key, Told] | None:
        """What is to be remembered of a notice that was taken at a time, in seconds since the epoch; None: nothing new."""
        sent = self._sent.pop((notice.labels, notice.resolved), None)
        if sent is None:
            return None
        if sent.is_past:
            self._past.pop((sent.slo, sent.key), None)
        line = self._lines.setdefault(sent.slo, {}).setdefault(sent.key, _Line())
        labels = notice.labels
        if sent.stage is Stage.FIRING:
            line.told = Told(sent.started, at, labels=labels)
        elif sent.is_past or line.told is None:
            line.told = Told(sent.started, at, at, labels)
        elif line.told.resolved is None and line.told.labels in ((), labels):
            line.told = replace(line.told, resolved=at)
        else:
            return None
        return sent.slo, sent.key, line.told

    def ends_of(self, staying: Collection[SLO], now: float, reason: str) -> list[Notice]:
        """The ends of all alerts that the receiver takes to fire, of SLOs that do not stay."""
        return [
            self._resolved(slo, key, line, line.told, None, now, reason)
            for slo, lines in self._lines.items()
            if slo not in staying
            for key, line in sorted(lines.items())
            if line.told is not None and line.told.resolved is None
        ]

    def _is_due(self, line: _Line, now: float) -> bool:
        knows = line.told is not None and line.told.resolved is None
        if knows and not self.receiver.repeats:
            return False
        return line.last is not Stage.FIRING or now - line.offered >= self._resend

    def _end_is_due(self, line: _Line, told: Told, now: float) -> bool:
        if told.resolved is None:
            return line.last is not Stage.RESOLVED or now - line.offered >= self._resend
        was_current = told.firing_until < told.resolved  # not told as one event after it was over
        again = self.receiver.repeats and was_current and now - told.resolved < RESOLVED_SECONDS
        return again and now - line.offered >= self._resend

    def _firing(self, slo: SLO, key: Key, line: _Line, active: Active, now: float) -> Notice:
        note = ""
        if line.told is not None and line.told.resolved is None:
            silent = now - line.told.firing_until
            if silent > self._writer.ends_ahead_seconds(slo):
                note = f"It fired before; nothing was told for {silent:.0f} s, so that it may have been taken for over"
        line.last, line.offered = Stage.FIRING, now
        notice = self._writer.firing(slo, key, active, now, note)
        self._sent[notice.labels, False] = _Sent(slo, key, active.fired or active.started, Stage.FIRING)
        return notice

    def _resolved(
        self, slo: SLO, key: Key, line: _Line, told: Told, end: Transition | None, now: float, reason: str = ""
    ) -> Notice:
        if end is not None and end.slot < told.started:
            end = None  # of an episode before this one
        line.last, line.offered = Stage.RESOLVED, now
        shown = line.shown or _as_it_was(slo, key, told, end)
        ended = float(end.slot) if end is not None else told.resolved or now
        why = reason or (end.reason if end is not None else "")
        notice = self._writer.over(self._writer.firing(slo, key, shown, now), told.labels, ended, why)
        self._sent[notice.labels, True] = _Sent(slo, key, told.started, Stage.RESOLVED)
        return notice


def _as_it_was(slo: SLO, key: Key, told: Told, end: Transition | None) -> Active:
    """An alert that fired before this process began."""
    severity, run = Severity.TICKET, ""
    if end is not None:
        severity, run = end.severity, end.run
    elif key.rule is Rule.CANNOT_EVALUATE and slo.alerts.cannot_evaluate is not None:
        severity = slo.alerts.cannot_evaluate.severity  # the one that is not in the store
    return Active(Stage.FIRING, severity, told.started, fired=told.started, run=run)
