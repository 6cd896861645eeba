"""Alertmanager, told as Prometheus tells it: API v2, every member by itself, what fires again and again."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from sloagent.errors import PeerError, SinkError
from sloagent.model.alert import Notice
from sloagent.model.slo import Labels
from sloagent.peer.connection import Connection, Reply
from sloagent.peer.failures import escaped
from sloagent.sinks import Taken
from sloagent.sinks.alert_telemetry import AlertTelemetry
from sloagent.sinks.answers import answered, is_good, unanswered
from sloagent.sinks.delivery import Delivery, Result
from sloagent.sinks.receiver_settings import AlertmanagerSettings
from sloagent.sinks.relabel import relabelled
from sloagent.sinks.sanitising import clean_annotations, clean_labels, link, timestamp

log = logging.getLogger("sloagent")

REFUSES_ALERTS = (400, 413, 422)
"""What may be the fault of one alert in a batch; every other status is the peer's, or our way to it."""
MOST_REFUSED = 10_000
"""Of which it is remembered that they were refused."""
_Sent = tuple[Notice, dict[str, object]]


class Alertmanager:
    """One member of a cluster. It forgets an alert at its end, so that it is told again and again while it fires."""

    repeats = True

    def __init__(self, settings: AlertmanagerSettings, taken: Taken, telemetry: AlertTelemetry) -> None:
        self.name = settings.receiver
        self._url = f"{settings.receiver}/api/v2/alerts"
        self._rules = settings.alert_relabel_configs
        self._connection = Connection(settings, timeout_seconds=settings.timeout, timeout_field="timeout")
        self._refused: dict[Labels, None] = {}
        self._delivery = Delivery(self.name, self._send, retries=False, taken=taken, telemetry=telemetry)

    def offer(self, notices: Sequence[Notice]) -> None:
        """Take the notices into the queue; never blocks."""
        self._delivery.offer(notices)

    def test(self, notice: Notice) -> str:
        """Send one notice at once and return what was answered. Raises SinkError."""
        alert = self._alert(notice)
        if alert is None:
            return "alert_relabel_configs drop this alert; nothing was sent"
        try:
            reply = self._post([(notice, alert)])
        except PeerError as error:
            raise SinkError(
                self._connection.redacted(unanswered(error)), retryable=error.retryable, hint=error.hint
            ) from None
        if not is_good(reply):
            raise SinkError(self._connection.redacted(answered(reply)), retryable=reply.status not in REFUSES_ALERTS)
        return self._connection.redacted(answered(reply))

    def close(self) -> None:
        """Send what is queued for a few seconds more, and end. Idempotent."""
        self._delivery.close()
        self._connection.close()

    def _send(self, notices: Sequence[Notice]) -> Result:
        """Tell a batch once: the next round tells again what fires."""
        batch = [(notice, alert) for notice in notices if (alert := self._alert(notice)) is not None]
        wanted = {id(notice) for notice, _ in batch}
        # One that was refused would have its whole batch refused again, and the others told twice.
        groups = [[one] for one in batch if one[0].labels in self._refused]
        if fresh := [one for one in batch if one[0].labels not in self._refused]:
            groups.insert(0, fresh)
        taken: list[_Sent] = []
        refused: list[_Sent] = []
        failure = ""
        while groups and not failure:
            group = groups.pop(0)
            try:
                reply = self._post(group)
            except PeerError as error:
                failure = self._connection.redacted(unanswered(error))
            else:
                if is_good(reply):
                    taken += group
                elif reply.status not in REFUSES_ALERTS:
                    failure = self._connection.redacted(answered(reply))
                elif len(group) > 1:
                    groups[:0] = [group[: len(group) // 2], group[len(group) // 2 :]]
                else:
                    refused += group
                    self._note_refused(group[0][0], reply)
            if failure:
                groups.insert(0, group)
        for notice, _ in taken:
            self._refused.pop(notice.labels, None)
        return Result(
            [notice for notice, _ in taken], [notice for notice in notices if id(notice) not in wanted],
            [notice for notice, _ in refused], [notice for group in groups for notice, _ in group], failure,
        )  # fmt: skip

    def _alert(self, notice: Notice) -> dict[str, object] | None:
        """A notice as it is sent; None where the rules drop it, or leave no label of it."""
        labels = relabelled(notice.labels, self._rules)
        if not labels or not (cleaned := clean_labels(labels)):
            return None
        alert: dict[str, object] = {
            "labels": cleaned,
            "annotations": clean_annotations(notice.annotations),
            "startsAt": timestamp(notice.starts_at),
            "endsAt": timestamp(max(notice.ends_at, notice.starts_at)),
        }
        if address := link(notice.generator_url):
            alert["generatorURL"] = address
        return alert

    def _post(self, group: Sequence[_Sent]) -> Reply:
        body = msgspec.json.encode([alert for _, alert in group])
        return self._connection.ask("POST", self._url, body, "application/json")

    def _note_refused(self, notice: Notice, reply: Reply) -> None:
        if notice.labels not in self._refused:
            shown = ", ".join(f"{name}={escaped(value, 100)}" for name, value in notice.labels)
            log.error("%s refuses the alert {%s}: %s", self.name, shown, self._connection.redacted(answered(reply)))
            if len(self._refused) >= MOST_REFUSED:
                self._refused.clear()
            self._refused[notice.labels] = None
