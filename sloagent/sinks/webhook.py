"""A webhook: told once of each change, and again until it has taken it."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import msgspec

from sloagent.errors import PeerError, SinkError
from sloagent.model.alert import Notice
from sloagent.peer.connection import Connection, Reply
from sloagent.peer.redaction import without
from sloagent.peer.secrets import Secret
from sloagent.sinks import Taken
from sloagent.sinks.alert_telemetry import AlertTelemetry
from sloagent.sinks.answers import answered, is_good, unanswered
from sloagent.sinks.delivery import Delivery, Result
from sloagent.sinks.receiver_settings import WebhookSettings, webhook_address
from sloagent.sinks.webhook_body import body, slack
from sloagent.sinks.webhook_template import from_template, load_template

log = logging.getLogger("sloagent")


class Webhook:
    """One webhook. It remembers what it was told, so that each change is told once."""

    repeats = False

    def __init__(
        self, settings: WebhookSettings, taken: Taken, telemetry: AlertTelemetry, *, external_url: str = ""
    ) -> None:
        self.name = settings.receiver
        self._settings = settings
        self._external_url = external_url
        self._address = Secret(settings.url, settings.url_file, settings.url_env)
        self._template = load_template(settings.template) if settings.template is not None else None
        self._connection = Connection(settings, timeout_seconds=settings.timeout, timeout_field="timeout")
        self._refusal = ""
        self._delivery = Delivery(self.name, self._send, retries=True, taken=taken, telemetry=telemetry)

    def offer(self, notices: Sequence[Notice]) -> None:
        """Take the notices into the queue; never blocks."""
        self._delivery.offer(notices)

    def test(self, notice: Notice) -> str:
        """Send one notice at once and return what was answered. Raises SinkError."""
        try:
            reply = self._post([notice])
        except PeerError as error:
            raise SinkError(self._redacted(unanswered(error)), retryable=error.retryable) from None
        if not is_good(reply):
            raise SinkError(self._redacted(answered(reply)), retryable=_is_passing(reply))
        return self._redacted(answered(reply))

    def close(self) -> None:
        """Send what is queued for a few seconds more, and end. Idempotent."""
        self._delivery.close()
        self._connection.close()

    def _send(self, notices: Sequence[Notice]) -> Result:
        wanted = [notice for notice in notices if self._settings.send_resolved or not notice.resolved]
        unwanted = [notice for notice in notices if notice.resolved] if not self._settings.send_resolved else []
        if not wanted:
            return Result(unwanted=unwanted)
        try:
            reply = self._post(wanted)
        except PeerError as error:
            return Result((), unwanted, failed=wanted, failure=self._redacted(unanswered(error)))
        except SinkError as error:
            return self._refused(wanted, unwanted, f"{error.message} ({error.hint})" if error.hint else error.message)
        if is_good(reply):
            self._refusal = ""
            return Result(wanted, unwanted)
        if _is_passing(reply):
            return Result(
                (), unwanted, failed=wanted, failure=self._redacted(answered(reply)), wait_seconds=_asked_seconds(reply)
            )
        return self._refused(wanted, unwanted, self._redacted(answered(reply)))

    def _refused(self, wanted: Sequence[Notice], unwanted: Sequence[Notice], why: str) -> Result:
        if why != self._refusal:
            log.error("%s refuses %d alerts: %s", self.name, len(wanted), why)
            self._refusal = why
        return Result((), unwanted, refused=wanted)

    def _post(self, notices: Sequence[Notice]) -> Reply:
        """Raises PeerError, and SinkError where there is nothing to send."""
        message = body(notices, self.name, self._external_url)
        if self._template is not None:
            content = from_template(self._template, message)
        else:
            content = msgspec.json.encode(slack(message) if self._settings.format == "slack" else message)
        try:
            address = webhook_address(self._address.read())
        except ValueError as error:
            raise SinkError(str(error), retryable=False) from None
        return self._connection.ask("POST", address, content, "application/json")

    def _redacted(self, text: str) -> str:
        """The text without our secrets; what comes after the host of the address is one."""
        ways = [urlsplit(address) for address in self._address.said]
        return without(self._connection.redacted(text), [part for way in ways for part in (way.path[1:], way.query)])


def _is_passing(reply: Reply) -> bool:
    """Whether the same may be taken later."""
    return reply.status in (408, 425, 429) or reply.status >= 500


def _asked_seconds(reply: Reply) -> float | None:
    """For how long the peer wants to be left alone: `Retry-After`, seconds or a date."""
    said = reply.headers.get("Retry-After", "").strip()
    if said.isdecimal() and len(said) < 10:
        return float(said)
    try:
        return max(parsedate_to_datetime(said).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return None
