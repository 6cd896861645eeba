"""What stands before every endpoint: the password, the sizes, the cross-site check; and the headers of every answer."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sloagent.web.access import Access, Rules
from sloagent.web.connection import OWN_HEADERS
from sloagent.web.passwords import BusyError, Passwords
from sloagent.web.settings import WebSettings
from sloagent.web.telemetry import WebTelemetry

_HARMLESS = ("GET", "HEAD")
_CLOSE = {"Connection": "close"}


class Guard:
    """The application, as far as one is let in."""

    def __init__(self, application: ASGIApp, access: Access, settings: WebSettings, telemetry: WebTelemetry) -> None:
        self._application = application
        self._access = access
        self._settings = settings
        self._telemetry = telemetry
        self._passwords = Passwords()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        rules = self._access.current()

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._telemetry.refused(message["status"])
                headers = MutableHeaders(raw=message["headers"])
                for name, content in OWN_HEADERS:
                    headers[name] = content
                for name, content in rules.headers.items():
                    headers[name] = content
            await send(message)

        headers = Headers(scope=scope)
        try:
            refusal = await self._unwelcome(scope, headers, rules)
            if refusal is None and (announced := _length(headers)) is not None:
                body = await self._body(announced, receive)
                refusal = self._too_long() if body is None else None
                receive = _again(body or b"", receive)
        except ClientDisconnect:
            return  # half a request asks for nothing
        if refusal is None and scope["method"] not in _HARMLESS:
            foreign = _is_foreign(headers, scope["scheme"], named=rules.knows_clients)
            refusal = PlainTextResponse("This request comes from another site.\n", 403) if foreign else None
        await (refusal or self._application)(scope, receive, send_guarded)

    async def _unwelcome(self, scope: Scope, headers: Headers, rules: Rules) -> Response | None:
        """The answer to a request whose header is too large or names no user; None to any other."""
        size = sum(len(name) + len(content) + 4 for name, content in headers.raw)
        if size + len(scope["raw_path"]) + len(scope["query_string"]) > self._settings.max_header:
            return PlainTextResponse(
                f"The header is larger than {self._settings.max_header:,} bytes (web.max_header).\n", 431, _CLOSE
            )
        return await self._unknown(headers, rules) if rules.users else None

    async def _unknown(self, headers: Headers, rules: Rules) -> Response | None:
        shown = headers.getlist("authorization")
        try:
            admitted = len(shown) == 1 and await self._passwords.admit(shown[0].encode("latin-1"), rules.users)
        except BusyError:
            return PlainTextResponse("Too many passwords wait to be checked.\n", 503, {"Retry-After": "1"})
        if admitted:
            return None
        challenge = {"WWW-Authenticate": 'Basic realm="sloagent", charset="UTF-8"'}
        return PlainTextResponse("A user and a password are needed.\n", 401, challenge)

    async def _body(self, announced: int, receive: Receive) -> bytes | None:
        """The whole body, None where it is larger than it may be. Raises ClientDisconnect where it has no end."""
        body, most = bytearray(), self._settings.max_body
        more = announced <= most
        while more and len(body) <= most:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return None if more or max(announced, len(body)) > most else bytes(body)

    def _too_long(self) -> Response:
        text = f"The body is larger than {self._settings.max_body:,} bytes (web.max_body).\n"
        return PlainTextResponse(text, 413, _CLOSE)


def _again(body: bytes, receive: Receive) -> Receive:
    """What the application hears: the body that has been read, then whatever comes."""
    told = False

    async def hear() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return hear


def _length(headers: Headers) -> int | None:
    """The length of the body as announced, 0 where it is not; None where there is no body."""
    if "transfer-encoding" in headers:
        return 0
    announced = int(headers.get("content-length", "0"))  # its digits have been checked by the HTTP parser
    return announced or None


def _is_foreign(headers: Headers, scheme: str, *, named: bool) -> bool:
    """Whether a browser sends this for a page of another site.

    Browsers say so in `Sec-Fetch-Site`, older ones by `Origin`; other clients send neither. `named` is whether clients
    must show who they are: if not, a site could give its own name our address, so a browser must have asked for us by
    address.
    """
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return True
    origin = headers.get("origin")
    if origin is None:
        return False
    host = headers.get("host", "")
    return origin != f"{scheme}://{host}" or not (named or _is_address(host))


def _is_address(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False
