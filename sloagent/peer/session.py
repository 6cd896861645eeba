"""An HTTP session that keeps one deadline over everything, trusts only its settings, and knows its connections."""

from __future__ import annotations

import io
import logging
import socket
import ssl
import threading
import time
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import cast

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.retry import Retry

from sloagent.peer.settings import HTTPConfig

MOST_WAYS = 16
"""Addresses whose pool is remembered; a peer can redirect to any number of them."""


class Exchange(threading.local):
    """The question that this thread has under way: when it must be over, and over which connection it goes."""

    ends_at: float = float("inf")
    """On the monotonic clock."""
    reused: bool = False
    """The connection had carried an earlier question, so the peer may have closed it meanwhile."""
    connected_at: float = 0.0
    """When the connection was made, on the monotonic clock."""


exchange = Exchange()


class _DeadlineReader(io.RawIOBase):
    """Bytes from a socket until the deadline: requests' own timeout counts each read anew, and a drip never ends."""

    def __init__(self, connected: socket.socket, ends_at: float) -> None:
        super().__init__()
        self._socket = connected
        self._ends_at = ends_at
        self._raw = cast("io.RawIOBase", connected.makefile("rb", buffering=0))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        self._socket.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Readable:
    """What http.client asks of a socket when it reads an answer: a file."""

    def __init__(self, connected: socket.socket) -> None:
        self._connected = connected

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self._connected, exchange.ends_at))


class _DeadlineResponse(HTTPResponse):
    """An answer whose status, headers and body all come before the deadline, or not at all."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(cast("socket.socket", _Readable(sock)), debuglevel, method, url)


class _Plain(HTTPConnection):
    """A connection that remembers since when it stands and whether it has been used."""

    response_class = _DeadlineResponse
    connected_at = 0.0
    asked = False
    _held: list[bytes] | None = None
    """While a question is put together: its headers and its body, which then leave in one packet."""

    def connect(self) -> None:
        super().connect()
        self.asked = False
        self.connected_at = time.monotonic()

    def close(self) -> None:
        super().close()
        self.asked = False

    def send(self, data: bytes) -> None:  # type: ignore[override]
        """Hold a part of a question until it is whole; two packets would wake the peer twice."""
        if self._held is None:
            super().send(data)
        else:
            self._held.append(data)

    def request(self, *args: object, **kwargs: object) -> None:
        exchange.reused = self.asked
        if self.asked and self.sock is not None:
            self.sock.settimeout(max(exchange.ends_at - time.monotonic(), 0.001))
        self._held = []
        try:
            super().request(*args, **kwargs)  # type: ignore[arg-type]
            whole = b"".join(self._held)
        finally:
            self._held = None
        super().send(whole)
        self.asked = True
        exchange.connected_at = self.connected_at


class _Encrypted(_Plain, HTTPSConnection):
    """The same over TLS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _EncryptedPool(HTTPSConnectionPool):
    ConnectionCls = _Encrypted


class DeadlineAdapter(HTTPAdapter):
    """Sends over such connections. `server_name` is the name the peer's certificate must carry, if not the host's."""

    def __init__(self, *, pool_size: int, server_name: str) -> None:
        self._server_name = server_name
        self._ways: dict[str, tuple[HTTPConnectionPool, str]] = {}
        super().__init__(pool_connections=2, pool_maxsize=pool_size, max_retries=Retry(0, read=False))

    def ask(
        self, request: requests.PreparedRequest, session: requests.Session, timeout: urllib3.Timeout
    ) -> urllib3.BaseHTTPResponse:
        """Send as `session.send` would, straight over the pool: what requests does around it costs half as much again.

        The body is not read yet. Raises what urllib3 raises, and OSError where a certificate file is missing.
        """
        address = (request.url or "").split("?", 1)[0]
        known = self._ways.get(address)
        if known is None or known[0].pool is None:
            # Not known, or closed because questions were redirected to too many places since.
            proxies = dict(session.proxies)
            pool = self.get_connection_with_tls_context(request, session.verify, proxies=proxies, cert=session.cert)
            self.cert_verify(pool, request.url, session.verify, session.cert)  # type: ignore[no-untyped-call]
            whole = self.request_url(request, proxies)
            known = cast("HTTPConnectionPool", pool), whole.split("?", 1)[0]
            if len(self._ways) >= MOST_WAYS:
                self._ways.clear()
            self._ways[address] = known
        pool, target = known
        form = (request.url or "")[len(address) :]
        return pool.urlopen(
            request.method or "", target + form, body=request.body, headers=request.headers, redirect=False,
            assert_same_host=False, preload_content=False, decode_content=False, retries=self.max_retries,
            timeout=timeout,
        )  # fmt: skip

    def close(self) -> None:
        """Close every connection that is kept. Idempotent."""
        # urllib3 closes a pool that nobody holds any more; we hold ours.
        for pool, _ in self._ways.values():
            pool.close()
        self._ways.clear()
        super().close()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: object) -> None:
        """Make the pools for asking directly, of our connections."""
        super().init_poolmanager(connections, maxsize, block, **self._named(kwargs))
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _EncryptedPool}

    def proxy_manager_for(self, proxy: str, **kwargs: object) -> urllib3.ProxyManager:
        """Make the pools for asking through a proxy, of our connections."""
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **self._named(kwargs))
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _EncryptedPool}
        return manager

    def _named(self, kwargs: dict[str, object]) -> dict[str, object]:
        if not self._server_name:
            return kwargs
        return {**kwargs, "server_hostname": self._server_name, "assert_hostname": self._server_name}


def new_session(settings: HTTPConfig) -> requests.Session:
    """A session without netrc, proxy variables and cookies; TLS and proxy as the settings say."""
    # urllib3 logs a peer's broken headers as they are, with what they repeat of ours.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.headers.clear()
    tls = settings.tls_config
    if tls.insecure_skip_verify:
        # urllib3 would warn on every question; the person who wrote the setting knows.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        session.verify = False
    else:
        session.verify = str(tls.ca_file) if tls.ca_file is not None else _system_authorities()
    if tls.cert_file is not None and tls.key_file is not None:
        session.cert = (str(tls.cert_file), str(tls.key_file))
    if settings.proxy_url:
        session.proxies = {"http": settings.proxy_url, "https": settings.proxy_url}
    return session


def _system_authorities() -> str | bool:
    """The machine's own certificate authorities, as Prometheus itself trusts them; else requests's own list."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return paths.cafile
    return paths.capath if paths.capath and any(Path(paths.capath).iterdir()) else True
