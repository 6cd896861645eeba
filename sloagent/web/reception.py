"""Where connections come in: how many there may be, how long each may wait, and who goes when there is no room."""

from __future__ import annotations

import asyncio
import errno
from asyncio import sslproto
from email.utils import formatdate
from functools import partial
from socket import socket

import uvicorn
from uvicorn.server import ServerState

from sloagent.web.access import Access
from sloagent.web.connection import Connection, Stage
from sloagent.web.settings import WebSettings
from sloagent.web.telemetry import WebTelemetry

LOOK_SECONDS = 0.25
"""How often deadlines are looked at; none is kept more exactly."""
_FULL_SECONDS = 0.02
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_AT_A_TIME = 4
_SLOW_SECONDS = 1.0
_FIRST_TO_GO = (
    (Stage.HEADER, _SLOW_SECONDS),
    (Stage.BODY, _SLOW_SECONDS),
    (Stage.READER, _SLOW_SECONDS),
    (Stage.IDLE, 0.0),
    (Stage.HEADER, 0.0),
)
"""Who makes room for a new connection: of those who wait in this stage for so long, the one that has waited longest."""

# asyncio keeps a buffer of 256 KiB for each TLS connection, and lets only the class say how large it is. A TLS record
# has at most 16 KiB.
sslproto.SSLProtocol.max_size = 16 * 1024


class Reception:
    """Accepts connections on a listening socket. For the event loop's thread."""

    def __init__(
        self,
        listening: socket,
        config: uvicorn.Config,
        state: ServerState,
        settings: WebSettings,
        access: Access,
        telemetry: WebTelemetry,
    ) -> None:
        self._listening = listening
        self._config = config
        self._state = state
        self._settings = settings
        self._access = access
        self._telemetry = telemetry
        self._arriving: dict[asyncio.Task[None], float] = {}
        """Connections in their TLS handshake, and since when."""
        self._limits = {
            Stage.HEADER: settings.header_timeout,
            Stage.BODY: settings.body_timeout,
            Stage.READER: settings.answer_timeout,
        }
        """uvicorn itself closes the idle ones; an answer of ours takes as long as it takes."""

    async def accept(self) -> None:
        """Let connections in until cancelled. Where there is no room, and all are being answered, they wait outside."""
        loop = asyncio.get_running_loop()
        accepted = 0
        while True:
            while len(self) >= self._settings.max_connections and not self._make_room():
                await asyncio.sleep(_FULL_SECONDS)
            try:
                client, _ = await loop.sock_accept(self._listening)
            except OSError as error:
                if error.errno in _NO_ROOM:
                    self._make_room()
                    await asyncio.sleep(_FULL_SECONDS)
                continue
            task = loop.create_task(self._admit(client))
            self._arriving[task] = loop.time()
            task.add_done_callback(self._no_longer_arriving)
            accepted += 1
            if accepted % _AT_A_TIME == 0:
                await asyncio.sleep(0)  # so that those inside are heard, however many wait outside

    async def keep_deadlines(self) -> None:
        """End what waits for too long, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
            await asyncio.sleep(LOOK_SECONDS)
            now = loop.time()
            for connection in self.connections:
                connection.look_at_end()
                limit = self._limits.get(connection.stage)
                if limit is not None and now - connection.since >= limit:
                    connection.end("answer" if connection.stage is Stage.READER else connection.stage.value)
            self._telemetry.connections.set(len(self))

    def close(self) -> None:
        """Turn away those in their handshake, and ask the others to end after the request under way."""
        for task in tuple(self._arriving):
            task.cancel()
        for connection in self.connections:
            connection.shutdown()

    def abort(self) -> None:
        """Let go of whoever is left."""
        for connection in self.connections:
            connection.transport.abort()

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Those who have a connection, in no order."""
        return tuple(one for one in self._state.connections if isinstance(one, Connection))

    def __len__(self) -> int:
        return len(self._arriving) + len(self._state.connections)

    async def _admit(self, client: socket) -> None:
        rules = self._access.current()
        task = asyncio.current_task()
        assert task is not None
        arrived = partial(self._no_longer_arriving, task)
        wait = self._settings.header_timeout if rules.tls is not None else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                partial(Connection, self._config, self._state, rules.names, self._telemetry, arrived),
                client, ssl=rules.tls, ssl_handshake_timeout=wait, ssl_shutdown_timeout=wait,
            )  # fmt: skip
        except OSError:  # TLS errors and deadlines are among them
            client.close()
            self._telemetry.closed("handshake")
        except asyncio.CancelledError:
            client.close()
            raise

    def _no_longer_arriving(self, task: asyncio.Task[None]) -> None:
        self._arriving.pop(task, None)

    def _make_room(self) -> bool:
        """End the connection that a new one may take the place of; False where all are at work."""
        now = asyncio.get_running_loop().time()
        longest: dict[Stage, Connection] = {}
        for one in self.connections:
            if one.stage not in longest or one.since < longest[one.stage].since:
                longest[one.stage] = one
        for stage, seconds in _FIRST_TO_GO:
            connection = longest.get(stage)
            if stage is Stage.HEADER and self._arriving:
                task, since = next(iter(self._arriving.items()))  # the first to arrive
                if now - since >= seconds and (connection is None or since < connection.since):
                    self._no_longer_arriving(task)
                    self._telemetry.closed("full")
                    return task.cancel()
            if connection is not None and now - connection.since >= seconds:
                connection.end("full")
                return True
        return False
