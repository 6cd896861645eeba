"""What the daemon answers over HTTP. It reads memory only, but for runs, which the store keeps; nothing asks Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sloagent.errors import ConfigError
from sloagent.web import exposition
from sloagent.web.page import Page
from sloagent.web.runs import Runs, routes


@dataclass(frozen=True, slots=True)
class View:
    """What the endpoints may see and do; `app` fills it in."""

    registry: CollectorRegistry
    not_ready: Callable[[], str]
    """Why the agent is not ready, in a sentence; empty when it is."""
    verdicts: Callable[[], Sequence[object]]
    """The newest verdicts as JSON-able values."""
    slos: Callable[[], Sequence[object]]
    """The SLOs in force as JSON-able values."""
    reload: Callable[[], None]
    """Load the configuration anew; raises ConfigError and keeps the old one where the new one is wrong."""
    pending: Callable[[], Sequence[object]]
    """The slots that are due and have no verdict, as JSON-able values; SLOs that owe nothing are left out."""
    alerts: Callable[[], tuple[Sequence[object], Sequence[object]]]
    """What is pending and firing, and the SLOs of whose alerts nothing is known yet, as JSON-able values."""
    runs: Runs
    """What can be asked of runs."""


def application(view: View) -> Starlette:
    """The endpoints: /metrics, /-/healthy, /-/ready, /-/reload; of /api/v1 verdicts, slos, pending, alerts and runs."""
    reading = ThreadPoolExecutor(1, thread_name_prefix="api")
    acting = ThreadPoolExecutor(1, thread_name_prefix="reload")

    async def reload(_: Request) -> Response:
        try:
            await asyncio.get_running_loop().run_in_executor(acting, view.reload)
        except ConfigError as error:
            return PlainTextResponse("\n".join([*error.problems, error.message]) + "\n", 400)
        return PlainTextResponse("configuration reloaded\n")

    def api(name: str, lists: Callable[[], Mapping[str, Sequence[object]]]) -> Route:
        def encoded() -> Iterator[bytes]:
            yield msgspec.json.encode({"schema": f"sloagent/{name}/v1", **lists()})

        page = Page(encoded, "application/json", reading)

        async def answer(request: Request) -> Response:
            return await page.answer(request)

        return Route(f"/api/v1/{name}", answer)

    starlette = Starlette(
        routes=[
            *exposition.routes(view.registry, view.not_ready),
            Route("/-/reload", reload, methods=["POST", "PUT"]),
            api("verdicts", lambda: {"verdicts": view.verdicts()}),
            api("slos", lambda: {"slos": view.slos()}),
            api("pending", lambda: {"pending": view.pending()}),
            api("alerts", lambda: dict(zip(("alerts", "unknown"), view.alerts(), strict=True))),
            *routes(view.runs),
        ]
    )
    starlette.router.redirect_slashes = False  # a redirect would name the host that the client says we are
    return starlette
