"""An HTTP server with fixed delays, as a process of its own: `python -m tests.e2e.delaying PORT [CERTIFICATE KEY]`.

The TLS handshake begins 10 ms after the connection, the head is sent 20 ms after the request, the body 30 ms after it.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
import time

HANDSHAKE_SECONDS = 0.010
FIRST_BYTE_SECONDS = 0.020
BODY_SECONDS = 0.030


def answer(connection: socket.socket, tls: ssl.SSLContext | None) -> None:
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            time.sleep(HANDSHAKE_SECONDS)
            connection = tls.wrap_socket(connection, server_side=True)
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                more = connection.recv(65536)
                if not more:
                    return
                request += more
            time.sleep(FIRST_BYTE_SECONDS)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            time.sleep(BODY_SECONDS)
            connection.sendall(b"hello")


def main() -> None:
    tls = None
    if len(sys.argv) > 2:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(sys.argv[2], sys.argv[3])
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64) as listening:
        print("listening", flush=True)
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=answer, args=(connection, tls), daemon=True).start()


if __name__ == "__main__":
    main()
