"""Whoever is told of alerts: a server that keeps every JSON document it is sent, and when."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request."""

    at: float
    """Seconds since the epoch."""
    path: str
    body: dict[str, Any]


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    """With the usual five, of connections that come at once some wait a second for their second try."""


class Receiving:
    """A real HTTP server on loopback; answers 200 unless it is told another status."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if outer.status == 200:
                    outer.received.append(Received(time.time(), self.path, json.loads(body)))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def alerts(self, path: str) -> list[tuple[float, dict[str, Any]]]:
        """(when, alert) of every alert in every notification to this path, in their order."""
        return [(one.at, alert) for one in self.received if one.path == path for alert in one.body["alerts"]]

    def __enter__(self) -> Receiving:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
