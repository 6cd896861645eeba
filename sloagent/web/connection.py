"""One connection to a client: uvicorn's HTTP protocol, which lacks deadlines, with what a deadline must know.

docs/adr/0011-the-door.md says why this is a subclass.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from enum import Enum
from http import HTTPStatus

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from sloagent.web.telemetry import WebTelemetry
from sloagent.web.tls import names

OWN_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)
"""Headers of every answer."""


_FORGET = struct.pack("ii", 1, 0)


class Stage(Enum):
    """What a connection waits for."""

    HEADER = "header"
    BODY = "body"
    ANSWER = "answer"
    """For us: the request is complete."""
    READER = "reader"
    """For the client to take what we wrote."""
    IDLE = "idle"
    """For the next request."""


class Connection(H11Protocol):
    """A connection that knows what it waits for, and since when."""

    def __init__(
        self,
        config: uvicorn.Config,
        state: ServerState,
        allowed_names: frozenset[str],
        telemetry: WebTelemetry,
        arrived: Callable[[], object],
    ) -> None:
        super().__init__(config, state, {})
        self._allowed_names = allowed_names
        self._telemetry = telemetry
        self._arrived = arrived
        self._answered = False
        self.stage = Stage.HEADER
        self.since = self.loop.time()
        """When it began to wait, by the loop's clock."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; a client whose certificate names nobody of ours is not heard."""
        self._arrived()
        super().connection_made(transport)
        if self._allowed_names and not self._allowed_names & names(transport.get_extra_info("peercert")):
            self.end("certificate")

    def data_received(self, data: bytes) -> None:
        """Take what came, unless it was ended already."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Wait for the next request, or go on with one that was sent early."""
        self._answered = True
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        """The client does not read as fast as we write."""
        super().pause_writing()
        self._look()

    def resume_writing(self) -> None:
        """The client has read on."""
        super().resume_writing()
        self._look()

    def shutdown(self) -> None:
        """End once the request under way is answered."""
        if not self.transport.is_closing():
            super().shutdown()

    def end(self, reason: str) -> None:
        """Let go of the connection at once, whatever is under way."""
        self._telemetry.closed(reason)
        self.connections.discard(self)
        client = self.transport.get_extra_info("socket")
        if self.stage is Stage.READER and client is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FORGET)  # nor does the kernel keep what is unread
        self.transport.abort()

    def look_at_end(self) -> None:
        """Note when the connection was closed with something left to write: closing waits for the client to read it."""
        if self.stage is not Stage.READER and self.transport.is_closing():
            self._enter(Stage.READER)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn says only that it is invalid
        """Refuse what is not HTTP, or has a header that is too large, and close; uvicorn calls it from its `except`."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()  # an answer has begun: there is no second one
            return
        for_head = False
        if self.conn.our_state is h11.SEND_RESPONSE:
            # The body of a request under way is broken: this is its answer, and not what the application would give.
            for_head = self.cycle.scope["method"] == "HEAD"
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        error = sys.exc_info()[1]
        code = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        if code not in (400, 431):
            code = 400
        self._telemetry.refused(code)
        said = "The header is too large (web.max_header)" if code == 431 else HTTPStatus(code).phrase
        text = f"{said}.\n".encode()
        headers = [*OWN_HEADERS, ("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text)))]
        answer = h11.Response(status_code=code, headers=[*headers, ("Connection", "close")])
        for event in (answer, h11.Data(data=b"" if for_head else text), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _look(self) -> None:
        stage = self._stage_now()
        if stage is not self.stage:
            self._enter(stage)

    def _enter(self, stage: Stage) -> None:
        self.stage, self.since = stage, self.loop.time()

    def _stage_now(self) -> Stage:
        if self.flow.write_paused or self.transport.is_closing():
            return Stage.READER
        match self.conn.their_state:
            case h11.SEND_BODY:
                return Stage.BODY
            case h11.IDLE:
                return Stage.IDLE if self._answered and not self.conn.trailing_data[0] else Stage.HEADER
            case _:
                return Stage.ANSWER
