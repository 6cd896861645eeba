"""A server that a test writes down: what it sends to each connection, once the request's head has come."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Answering:
    """Sends `parts` to every connection, once it has heard a head, or at once unless it `waits`.

    Then it closes it or, where it `holds`, waits until the other side leaves.
    """

    def __init__(
        self, parts: Sequence[bytes], *, holds: bool = False, waits: bool = True, tls: ssl.SSLContext | None = None
    ) -> None:
        self.parts = parts
        self.holds = holds
        self.waits = waits
        self.requests: list[str] = []
        self.left = threading.Semaphore(0)
        """Released whenever a connection has ended."""
        self.asked = threading.Semaphore(0)
        """Released whenever a head has come."""
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listening.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """Stop, and wait for the threads."""
        self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._answer, args=(connection,)))
            self._threads[-1].start()

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            secured = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            with secured:
                head = b""
                while self.waits and b"\r\n\r\n" not in head and (more := secured.recv(65536)):
                    head += more
                self.requests.append(head.decode())
                self.asked.release()
                for part in self.parts:
                    secured.sendall(part)
                while self.holds and secured.recv(65536):
                    pass
        self.left.release()


@contextmanager
def answering(
    *parts: bytes, holds: bool = False, waits: bool = True, tls: ssl.SSLContext | None = None
) -> Iterator[Answering]:
    """The server, while it runs."""
    server = Answering(parts, holds=holds, waits=waits, tls=tls)
    try:
        yield server
    finally:
        server.close()
