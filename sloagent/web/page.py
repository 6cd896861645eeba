"""A page: an answer made once for all who wait for it, packed for those who can unpack it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor

from prometheus_client.exposition import gzip_accepted
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sloagent.web.shared_answer import SharedAnswer


class Page:
    """What `make` yields, as `media_type`. Prometheus and browsers take it packed: a twentieth to send."""

    def __init__(self, make: Callable[[], Iterable[bytes]], media_type: str, executor: Executor) -> None:
        self._media_type = media_type
        self._shared = SharedAnswer(make, executor)

    async def answer(self, request: Request) -> Response:
        """The page as it is after this call. Raises what making it raises."""
        packed = gzip_accepted(request.headers.get("accept-encoding", ""))
        headers = {"Vary": "Accept, Accept-Encoding"} | ({"Content-Encoding": "gzip"} if packed else {})
        return StreamingResponse(await self._shared.get(packed=packed), headers=headers, media_type=self._media_type)
