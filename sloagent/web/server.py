"""The daemon's HTTP server: an event loop in a thread of its own, so that signals and ticks never wait for a client."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import threading
import time

import uvicorn
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from sloagent.errors import SloagentError
from sloagent.web.access import OPEN, Access
from sloagent.web.guard import Guard
from sloagent.web.reception import Reception
from sloagent.web.settings import WebSettings
from sloagent.web.telemetry import WebTelemetry

_START_SECONDS = 10.0
_FINISH_SECONDS = 5.0
_LAST_SECONDS = 0.1
"""Who knocked just before the end is still answered."""
_TURN_SECONDS = 0.0001
_QUEUE = 1024
"""Connections that the kernel holds until we accept them; it takes no more than its own limit."""


class Server:
    """Serves an application until stopped; without `access`, to everybody who can connect."""

    def __init__(
        self,
        application: ASGIApp,
        host: str,
        port: int,
        *,
        settings: WebSettings | None = None,
        access: Access | None = None,
        telemetry: WebTelemetry | None = None,
    ) -> None:
        self._settings = settings or WebSettings()
        self._telemetry = telemetry or WebTelemetry(CollectorRegistry())
        self._access = access or Access(lambda: OPEN, self._telemetry)
        self._application = application
        self._socket = _bind(host, port)
        self._begun = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="web", daemon=True)
        # A thread that computes hands over after this time instead of 5 ms. The event loop asks for its turn after every
        # read and write, so under fifty scrapes it would wait thousands of times.
        sys.setswitchinterval(_TURN_SECONDS)
        # Clients cause these lines at will: what they do is counted, and not logged.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)

    @property
    def address(self) -> str:
        """host:port as bound, with the port the system chose where 0 was asked for."""
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def url(self) -> str:
        """The address as a URL."""
        return f"{'https' if self._access.in_force.tls is not None else 'http'}://{self.address}"

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()
        self._begun.wait(_START_SECONDS)

    def stop(self) -> None:
        """Finish the requests under way, for at most five seconds, and end. Idempotent."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ending.set)
            self._thread.join(_START_SECONDS)
        self._socket.close()

    async def _serve(self) -> None:
        guard = Guard(self._application, self._access, self._settings, self._telemetry)
        config = uvicorn.Config(
            guard, log_config=None, access_log=False, lifespan="off", http="h11", ws="none", interface="asgi3",
            proxy_headers=False, server_header=False, timeout_keep_alive=max(1, round(self._settings.idle_timeout)),
            h11_max_incomplete_event_size=self._settings.max_header,
        )  # fmt: skip
        config.load()
        state = ServerState()
        self._socket.setblocking(False)
        reception = Reception(self._socket, config, state, self._settings, self._access, self._telemetry)
        tasks = [asyncio.create_task(work) for work in (reception.accept(), reception.keep_deadlines())]
        self._loop = asyncio.get_running_loop()
        self._begun.set()
        await self._ending.wait()
        await asyncio.sleep(_LAST_SECONDS)
        tasks[0].cancel()
        reception.close()
        deadline = time.monotonic() + _FINISH_SECONDS
        while len(reception) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        reception.abort()
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_QUEUE)
    except OSError as error:
        listening.close()
        raise SloagentError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            hint="is another agent running? Choose another address with web.listen or --web.listen-address",
        ) from error
    return listening
