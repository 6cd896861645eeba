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

from sloagent.errors import RunError, SloagentError
from sloagent.web.body import BodyError, fields, text, texts

_STATUS = {"wrong": 400, "unknown": 404, "stands": 409}
PATH = "/api/v1/runs"
NOW = "now"

Endpoint = Callable[[Request], Awaitable[Response]]


class Runs(Protocol):
    """What can be asked of runs; `app` fills it in. Times are as people write them.

    Everything returns JSON-able values, and raises RunError where it cannot be, SloagentError where the store is at fault.
    """

    def listed(self) -> object:
        """All of them."""
        ...

    def shown(self, name: str) -> object:
        """One of them."""
        ...

    def start(self, name: str, labels: Mapping[str, str], at: str) -> object:
        """Begin a run."""
        ...

    def stop(self, name: str, at: str) -> object:
        """End it."""
        ...

    def phase(self, run: str, name: str, start: str | None, end: str, note: str) -> object:
        """Name a part of it; without a start from the end of the last one, or from the start of the run."""
        ...

    def exclude(self, run: str, start: str, end: str, reason: str) -> object:
        """Leave a stretch out of it."""
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
        return await done(partial(runs.start, text(body, "name"), texts(body, "labels"), text(body, "at", NOW)), 201)

    async def one(request: Request) -> Response:
        return await done(partial(runs.shown, request.path_params["name"]))

    async def stop(request: Request) -> Response:
        body = await fields(request, [], ["at"])
        return await done(partial(runs.stop, request.path_params["name"], text(body, "at", NOW)))

    async def phases(request: Request) -> Response:
        body = await fields(request, ["name"], ["from", "to", "note"])
        start = text(body, "from") if "from" in body else None
        name, end, note = text(body, "name"), text(body, "to", NOW), text(body, "note")
        return await done(partial(runs.phase, request.path_params["name"], name, start, end, note), 201)

    async def exclusions(request: Request) -> Response:
        body = await fields(request, ["from", "reason"], ["to"])
        start, end, reason = text(body, "from"), text(body, "to", NOW), text(body, "reason")
        return await done(partial(runs.exclude, request.path_params["name"], start, end, reason), 201)

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
        except SloagentError as error:
            return _refusal(503, error.message, error.hint)

    return answer


def _refusal(status: int, message: str, hint: str) -> Response:
    return _json(status, {"error": message, "hint": hint})


def _json(status: int, content: object) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
