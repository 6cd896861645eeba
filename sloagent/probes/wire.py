"""Connections that one thread works on and another can cut, made as curl makes them, with the time of each step."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeVar
from urllib.parse import SplitResult

from sloagent.probes.http_settings import TLSSettings

T = TypeVar("T")

Kind = Literal["dns", "connect", "tls", "timeout", "protocol", "status"]


class WireError(Exception):
    """What went wrong on the way, as a sentence; `kind` is what metrics call it."""

    def __init__(self, kind: Kind, why: str, *, code: int | None = None) -> None:
        super().__init__(why)
        self.kind = kind
        self.code = code
        """The status code, where an answer came that none was expected with."""


class Wire:
    """The open connections of one attempt. Blocking calls on them end once it is cut; `opened` belongs to one thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handles: list[socket.socket] = []
        self.is_cut = False

    def opened(self, family: int, kind: int, protocol: int) -> socket.socket:
        """A socket that `cut` reaches, whatever it is wrapped in later."""
        fresh = socket.socket(family, kind, protocol)
        with self._lock:
            if self.is_cut:
                fresh.close()
                raise OSError("cut")
            self._handles.append(fresh.dup())
        return fresh

    def cut(self) -> None:
        """Shut all connections down; safe from any thread, more than once."""
        with self._lock:
            self.is_cut = True
            for handle in self._handles:
                with suppress(OSError):  # it was not connected yet, or is no more
                    handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connections."""
        self.cut()
        with self._lock:
            while self._handles:
                self._handles.pop().close()


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection and when it stood, on the monotonic clock. `secured_at` is None without TLS."""

    socket: socket.socket
    connected_at: float
    secured_at: float | None


def trust(address: SplitResult, settings: TLSSettings) -> ssl.SSLContext | None:
    """What an https address is checked with; None for http. Raises WireError."""
    if address.scheme != "https":
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        why = "it holds no certificate" if isinstance(error, ssl.SSLError) else os_words(error)
        raise WireError("tls", f"{settings.ca_file}: {why}") from None
    if settings.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def connect(address: SplitResult, tls: ssl.SSLContext | None, wire: Wire) -> Connected:
    """Resolve, connect to the first address that answers, shake hands. Raises WireError."""
    host = address.hostname or ""
    try:
        found = socket.getaddrinfo(host, address.port or (443 if tls else 80), type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        why = os_words(error) if isinstance(error, OSError) else "no host has such a name"
        raise WireError("dns", f"{host}: {why}") from None
    plain, trouble = None, ""
    for family, kind, protocol, _, place in found:
        plain, trouble = _opened(wire, family, kind, protocol, place)
        if plain is not None or wire.is_cut:
            break
    if plain is None:
        raise WireError("connect", trouble)
    connected_at = time.monotonic()
    if tls is None:
        return Connected(plain, connected_at, None)
    secured = plain
    try:
        secured = tls.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        secured.do_handshake()
    except (OSError, ValueError) as error:
        secured.close()
        raise WireError("tls", f"no TLS with {host}: {_tls_words(error)}") from None
    return Connected(secured, connected_at, time.monotonic())


async def in_thread(work: Callable[[], T], wire: Wire) -> T:
    """What `work`, which blocks on this wire, returns or raises. Cancelled, it cuts the wire and does not wait.

    A thread of its own, and no pool: twenty silent targets would take every thread of one, and a name's resolution
    cannot be cut, so that a process that ends must not wait for it.
    """
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return await asyncio.wrap_future(done)
    except asyncio.CancelledError:
        wire.cut()
        raise


def os_words(error: OSError) -> str:
    """The system's words for an error, without numbers."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def _opened(
    wire: Wire, family: int, kind: int, protocol: int, place: tuple[object, ...]
) -> tuple[socket.socket | None, str]:
    """A connection to one address, or why there is none."""
    try:
        fresh = wire.opened(family, kind, protocol)
    except OSError as error:
        return None, os_words(error)
    try:
        fresh.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fresh.connect(place)
    except OSError as error:
        fresh.close()
        return None, f"{place[0]} port {place[1]}: {os_words(error)}"
    return fresh, ""


def _tls_words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message.lower()
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return os_words(error) if isinstance(error, OSError) else "the name in the URL cannot be checked"
