"""One Kubernetes-style API: the requests made of it, and the streams that it answers with.

Requests go through the aiohttp session that kubernetes_asyncio sets up. Its generated models and its watch are not used:
objects are decoded only as far as they are needed, and a watch has to tell what it missed (docs/adr/0017).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from sloagent.errors import ConfigError, SloagentError
from sloagent.probes.credentials import Credentials
from sloagent.probes.settings import EndpointSettings

if TYPE_CHECKING:
    import aiohttp

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
"""Who does not know how to answer with the metadata alone answers with whole objects."""
CREDENTIALS_SECONDS = 60.0
"""How long credentials are used before they are read again; a 401 has them read at once."""
LONGEST_LINE_BYTES = 4 * 1024 * 1024
"""Of one event; etcd takes objects of 1.5 MiB."""


class EndpointError(SloagentError):
    """A request that failed. `status` is HTTP's, 0 where no answer came; `reason` is Kubernetes's word, or ours."""

    def __init__(self, message: str, *, status: int, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after


class _Status(msgspec.Struct):
    message: str | None = None
    reason: str | None = None


class Endpoint:
    """The API of one cluster; credentials are read with the first request. Close it."""

    def __init__(self, name: str, settings: EndpointSettings, *, connections: int = 0) -> None:
        """`connections` bounds those that are open at once; 0 is no bound."""
        self.name = name
        self._prefix = settings.path
        self._connections = connections
        self._credentials = Credentials(name, settings)
        self._session: aiohttp.ClientSession | None = None
        self._certificate: tuple[str | None, str | None] = (None, None)
        self._read_at = -CREDENTIALS_SECONDS
        self._reading = asyncio.Lock()

    async def ask(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: bytes | None = None,
        accept: str = JSON, content: str = JSON, timeout: float = 30.0,
    ) -> bytes:  # fmt: skip
        """The body of the answer. Raises EndpointError."""
        _, text = await self.send(
            method, path, query=query, body=body, accept=accept, content=content, timeout=timeout
        )  # fmt: skip
        return text

    async def send(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: bytes | None = None,
        accept: str = JSON, content: str = JSON, timeout: float = 30.0,
    ) -> tuple[int, bytes]:  # fmt: skip
        """The status, 200 to 299, and the body of the answer. Raises EndpointError."""
        import aiohttp

        bound = aiohttp.ClientTimeout(total=timeout)
        for fresh in (False, True):
            async with self._request(
                method, path, query, accept, bound, body=body, content=content, fresh=fresh
            ) as answer:
                if answer.status == 401 and not fresh:
                    continue
                text = await answer.read()
                if not 200 <= answer.status < 300:
                    raise self._refused(answer, text)
                return answer.status, text
        raise AssertionError("the second round ends it")

    @asynccontextmanager
    async def lines(
        self, path: str, *, query: Mapping[str, str], accept: str = JSON, silence: float = 90.0
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The lines of an answer that goes on, open once its head has come. `silence` is the longest pause, seconds.

        Raises EndpointError, from the iteration too; a stream that the server ends well just ends.
        """
        import aiohttp

        bound = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=silence)
        for fresh in (False, True):
            async with self._request("GET", path, query, accept, bound, fresh=fresh) as answer:
                if answer.status == 401 and not fresh:
                    continue
                if answer.status != 200:
                    raise self._refused(answer, await answer.read())
                yield self._lines(answer.content)
                return

    @property
    def address(self) -> str:
        """Where requests go, once the credentials have been read."""
        return self._credentials.host + self._prefix

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, query: Mapping[str, str] | None, accept: str, bound: aiohttp.ClientTimeout, *,
        fresh: bool, body: bytes | None = None, content: str = JSON,
    ) -> AsyncGenerator[aiohttp.ClientResponse]:  # fmt: skip
        import aiohttp

        session = await self._identified(fresh=fresh)
        headers = {"Accept": accept}
        if self._credentials.authorization:
            headers["Authorization"] = self._credentials.authorization
        if body is not None:
            headers["Content-Type"] = content
        try:
            async with session.request(
                method, self._credentials.host + self._prefix + path, params=query, data=body, headers=headers,
                proxy=self._credentials.proxy, server_hostname=self._credentials.server_name, timeout=bound,
                allow_redirects=False,
            ) as answer:  # fmt: skip
                yield answer
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = "timeout" if isinstance(error, TimeoutError) else "connection"
            raise EndpointError(f"{self.name}: {_words(error)}", status=0, reason=reason) from error

    async def _identified(self, *, fresh: bool) -> aiohttp.ClientSession:
        """The session, once credentials are as fresh as they have to be."""
        async with self._reading:
            if fresh or self._session is None or time.monotonic() - self._read_at >= CREDENTIALS_SECONDS:
                try:
                    await self._credentials.read()
                    if self._session is None or self._certificate != self._credentials.certificate:
                        await self.close()
                        self._session = self._credentials.session(self._connections)
                        self._certificate = self._credentials.certificate
                except ConfigError as error:
                    raise EndpointError(error.message, status=0, reason="credentials") from error
                self._read_at = time.monotonic()
            return self._session

    def _refused(self, answer: aiohttp.ClientResponse, text: bytes) -> EndpointError:
        try:
            status = msgspec.json.decode(text, type=_Status)
        except msgspec.MsgspecError:
            status = _Status(text[:200].decode(errors="replace").strip())
        said = (status.message or answer.reason or "").removeprefix(str(answer.status)).strip()
        after = answer.headers.get("Retry-After", "")
        return EndpointError(
            f"{self.name}: {answer.status} {said}", status=answer.status,
            reason=status.reason or f"status_{answer.status}", retry_after=float(after) if after.isdecimal() else 0.0,
        )  # fmt: skip

    async def _lines(self, content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
        rest = b""
        async for chunk in content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line:
                    yield line
            if len(rest) > LONGEST_LINE_BYTES:
                raise EndpointError(
                    f"{self.name}: an event of more than {LONGEST_LINE_BYTES} bytes", status=0, reason="too_large"
                )


def _words(error: BaseException) -> str:
    """Why no answer came, in a few words; aiohttp's own name its classes."""
    import aiohttp

    match error:
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ClientConnectorCertificateError():
            return f"{error.host} port {error.port}: {error.certificate_error}"
        case aiohttp.ClientConnectorError():
            cause: OSError = error.os_error
            # asyncio names an address that refuses in its text, and the system's words are in the number alone
            words = os.strerror(cause.errno) if cause.errno and cause.errno > 0 else cause.strerror or str(cause)
            return f"{error.host} port {error.port}: {words.lower()}"
        case _:
            return str(error) or type(error).__name__
