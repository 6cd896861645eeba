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

        try:
            refusal = await self._refusal(scope, receive, rules)
        except ClientDisconnect:
            return  # half a request asks for nothing
        await (refusal or self._application)(scope, receive, send_guarded)

    async def _refusal(self, scope: Scope, receive: Receive, rules: Rules) -> Response | None:
        """The answer to a request that is not let in; None for one that is."""
        headers = Headers(scope=scope)
        size = sum(len(name) + len(content) + 4 for name, content in headers.raw)
        if size + len(scope["raw_path"]) + len(scope["query_string"]) > self._settings.max_header:
            return PlainTextResponse(
                f"The header is larger than {self._settings.max_header:,} bytes (web.max_header).\n", 431, _CLOSE
            )
        if rules.users and (denied := await self._unknown(headers, rules)) is not None:
            return denied
        if (has_body := _length(headers)) is not None and (
            has_body > self._settings.max_body or await self._too_long(receive)
        ):
            return PlainTextResponse(
                f"The body is larger than {self._settings.max_body:,} bytes (web.max_body).\n", 413, _CLOSE
            )
        if scope["method"] not in _HARMLESS and _is_foreign(headers, scope["scheme"], named=rules.knows_clients):
            return PlainTextResponse("This request comes from another site.\n", 403)
        return None

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

    async def _too_long(self, receive: Receive) -> bool:
        """Read the body, which nobody wants, to its end or its limit. Raises ClientDisconnect where it has no end."""
        length = 0
        while length <= self._settings.max_body:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            length += len(message.get("body", b""))
            if not message.get("more_body", False):
                return False
        return True


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
