"""Secrets that can be recognised wherever they turn up, the search for them, and a peer that repeats what it is sent."""

from __future__ import annotations

import base64
import html
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

from tests.faults import Exchange, Fault, FaultServer, error, forward_with, redirect, status

SONG = "c4nary"
"""With this every canary begins and ends, so that a piece of one is recognised too."""


def canary(place: str) -> str:
    """A new secret, with characters that HTML, URLs, JSON and shells treat in their own ways."""
    return f"{SONG}-{place}-{secrets.token_hex(8)}/&+{SONG}"


def found(collected: Mapping[str, bytes], canaries: Mapping[str, str]) -> list[str]:
    """Each canary in the collected bytes, or a piece of one, and where; as it is, quoted, escaped or in base64."""
    hits = []
    for where, content in collected.items():
        if SONG.encode() in content:
            at = content.index(SONG.encode())
            hits.append(f"a canary in {where}: …{content[max(at - 80, 0) : at + 60]!r}…")
        hits += [
            f"the canary of {place} in {where}"
            for place, secret in canaries.items()
            for form in _forms(secret)
            if form in content
        ]
    return hits


def _forms(secret: str) -> Iterator[bytes]:
    for text in (
        secret,
        quote(secret),
        quote_plus(secret),
        html.escape(secret),
        json.dumps(secret)[1:-1],
        secret[::-1],
    ):
        yield text.encode()
    data = secret.encode()
    for shift in range(3):
        # Only the middle of base64 is independent of what stands around it.
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"x" * shift + data)[4:-4]


def files_below(directory: Path, *, but: Callable[[Path], bool]) -> dict[str, bytes]:
    """The bytes of every regular file below a directory."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not but(path)
    }


def told(exchange: Exchange) -> str:
    """All that the question said of who asks."""
    names = ("authorization", "x-api-key", "x-other")
    return " ".join(value for name, value in exchange.request.headers.items() if name in names)


def _echo(make: Callable[[str], Fault]) -> Fault:
    return lambda exchange: make(told(exchange))(exchange)


def _raw(line: str) -> Fault:
    def fault(exchange: Exchange) -> bool:
        exchange.send(line.encode("latin-1"))
        return False

    return fault


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


ECHOES: dict[str, Fault] = {
    "in an error": _echo(lambda said: error(500, "internal", f"you sent {said}")),
    "in a refusal": _echo(lambda said: error(422, "execution", f"you sent {said}")),
    "in the type of an error": _echo(lambda said: error(400, said[:50], "no")),
    "in a 401": _echo(lambda said: status(401, f"who is {said}?".encode())),
    "in HTML": _echo(lambda said: status(502, f"<pre>{html.escape(said)}</pre>".encode(), kind="text/html")),
    "in a page with 200": _echo(lambda said: status(200, f"<html>{html.escape(said)}".encode(), kind="text/html")),
    "in JSON of another kind": _echo(lambda said: status(200, json.dumps({"you": said}).encode())),
    "in JSON that is an error": _echo(lambda said: error(200, "internal", said)),
    "cut at the front": _echo(lambda said: status(503, said[12:].encode())),
    "cut at the end": _echo(lambda said: status(503, said[:30].encode())),
    "cut by us": _echo(lambda said: status(503, b"x" * 160 + said.encode())),
    "split": _echo(lambda said: status(503, "\n".join(said[at : at + 9] for at in range(0, len(said), 9)).encode())),
    "in base64": _echo(lambda said: status(503, _base64(said).encode())),
    "in shifted base64": _echo(lambda said: status(503, _base64(f"header: {said}").encode())),
    "quoted": _echo(lambda said: status(503, quote_plus(said).encode())),
    "in the reason": _echo(lambda said: _raw(f"HTTP/1.1 503 {said}\r\nContent-Length: 0\r\n\r\n")),
    "in the status line": _echo(lambda said: _raw(f"HTTP/1.1 {said}\r\n\r\n")),
    "instead of HTTP": _echo(lambda said: _raw(f"{said}\r\n\r\n")),
    "in a broken header": _echo(lambda said: _raw(f"HTTP/1.1 503 No\r\nA: b\r\n{said}\r\nContent-Length: 0\r\n\r\n")),
    "in an encoding": _echo(lambda said: status(200, b"{}", f"Content-Encoding: {said}")),
    "in a redirect": _echo(lambda said: redirect(f"http://127.0.0.1:1/{quote(said)}?{quote(said)}")),
    "in the date": _echo(lambda said: status(200, b"{}", f"Date: {said}")),
    "in warnings": _echo(
        lambda said: forward_with(
            lambda body: json.dumps({**json.loads(body), "warnings": [said, _base64(said), *[said] * 20]}).encode()
        )
    ),
    "as its version": _echo(
        lambda said: status(200, json.dumps({"status": "success", "data": {"version": said}}).encode())
    ),
}
"""Ways in which a peer repeats the headers that it was sent."""


def repeat(server: FaultServer, way: str) -> None:
    """Answer every question so; but whether there is a past, and the version, as they are."""
    if way == "as its version":
        server.fail(ECHOES[way], when=lambda request: request.path.endswith("buildinfo"))
    else:
        server.fail(ECHOES[way], when=lambda request: request.path.startswith("/api/v1/query"))
