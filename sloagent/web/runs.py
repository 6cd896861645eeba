"""Runs over HTTP, so that a load test marks what it does. They are kept in the store, so nothing here waits on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sloagent.errors import RunError, StoreError
from sloagent.web.body import BodyError, fields, text, texts

_STATUS = {"wrong": 400, "unknown": 404, "stands": 409}
PATH = "/api/v1/runs"

Endpoint = Callable[[Request], Awaitable[Response]]


class Runs(Protocol):
    """What can be asked of runs; `app` fills it in. Times are as people write them, None is left out.

    Everything returns JSON-able values, and raises RunError and StoreError.
    """

    def listed(self) -> object:
        """All of them."""
        ...

    def shown(self, name: str) -> object:
        """One of them."""
        ...

    def start(self, name: str, labels: Mapping[str, str], at: str | None) -> object:
        """Begin a run, now unless said."""
        ...

    def stop(self, name: str, at: str | None) -> object:
        """End it, now unless said."""
        ...

    def phase(self, run: str, name: str, start: str | None, end: str | None, note: str) -> object:
        """Name a part of it: from the end of the last one to now, unless said."""
        ...

    def exclude(self, run: str, start: str, end: str | None, reason: str) -> object:
        """Leave a stretch out of it, up to now unless said."""
        ...


def routes(runs: Runs) -> list[Route]:
    """The endpoints. A name may hold a slash, so whatever stands in its place belongs to it."""
    storing = ThreadPoolExecutor(1, thread_name_prefix="runs")

    async def done(work: Callable[[], object], status: int = 200) -> Response:
        return _json(status, await asyncio.get_running_loop().run_in_executor(storing, work))

    async def collection(request: Request) -> Response:
        if request.method != "POST":
            return await done(runs.listed)
        body = await fields(request, ["name"], ["labels", "at"])
        return await done(partial(runs.start, text(body, "name") or "", texts(body, "labels"), text(body, "at")), 201)

    async def one(request: Request) -> Response:
        return await done(partial(runs.shown, request.path_params["name"]))

    async def stop(request: Request) -> Response:
        body = await fields(request, [], ["at"])
        return await done(partial(runs.stop, request.path_params["name"], text(body, "at")))

    async def phases(request: Request) -> Response:
        body = await fields(request, ["name"], ["from", "to", "note"])
        name, start, end, note = (text(body, field) for field in ("name", "from", "to", "note"))
        return await done(partial(runs.phase, request.path_params["name"], name or "", start, end, note or ""), 201)

    async def exclusions(request: Request) -> Response:
        body = await fields(request, ["from", "reason"], ["to"])
        start, end, reason = (text(body, field) for field in ("from", "to", "reason"))
        return await done(partial(runs.exclude, request.path_params["name"], start or "", end, reason or ""), 201)

    return [
        Route(PATH, _answering(collection), methods=["GET", "POST"]),
        Route(f"{PATH}/{{name:path}}/stop", _answering(stop), methods=["POST"]),
        Route(f"{PATH}/{{name:path}}/phases", _answering(phases), methods=["POST"]),
        Route(f"{PATH}/{{name:path}}/exclusions", _answering(exclusions), methods=["POST"]),
        Route(f"{PATH}/{{name:path}}", _answering(one)),
    ]


def _answering(endpoint: Endpoint) -> Endpoint:
    """The endpoint, whose refusals become answers."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except BodyError as error:
            return _refusal(error.status, error.message, error.hint)
        except RunError as error:
            return _refusal(_STATUS[error.kind], error.message, error.hint)
        except StoreError as error:
            return _refusal(503, error.message, error.hint)

    return answer


def _refusal(status: int, message: str, hint: str) -> Response:
    return _json(status, {"error": message, "hint": hint})


def _json(status: int, content: object) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
