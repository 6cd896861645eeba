"""The daemon's HTTP server: uvicorn in a thread of its own, so that signals and ticks never wait for a client."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from sloagent.errors import SloagentError

_START_SECONDS = 10.0


class Server:
    """Serves an application until stopped."""

    def __init__(self, application: Starlette, host: str, port: int) -> None:
        self._socket = _bind(host, port)
        configuration = uvicorn.Config(
            application, log_config=None, access_log=False, lifespan="off", http="h11", ws="none",
            server_header=False, date_header=True, timeout_graceful_shutdown=5,
        )  # fmt: skip
        self._server = uvicorn.Server(configuration)
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def address(self) -> str:
        """host:port as bound, with the port the system chose where 0 was asked for."""
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the requests under way, for at most five seconds, and end. Idempotent."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_START_SECONDS)

    def _run(self) -> None:
        run: Callable[..., None] = self._server.run
        run(sockets=[self._socket])


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise SloagentError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            hint="is another agent running? Choose another address with web.listen or --web.listen-address",
        ) from error
    return listening
