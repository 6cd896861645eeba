"""What the daemon answers over HTTP. It reads memory only, but for runs, which the store keeps; nothing asks Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sloagent.errors import ConfigError
from sloagent.web.page import Page
from sloagent.web.runs import Runs, routes

_END = b"# EOF\n"
"""How an OpenMetrics page ends, and only a whole one."""


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
    runs: Runs
    """What can be asked of runs."""


def application(view: View) -> Starlette:
    """The endpoints: /metrics, /-/healthy, /-/ready, /-/reload, and /api/v1 with verdicts, slos, pending and runs."""
    exposing = ThreadPoolExecutor(1, thread_name_prefix="metrics")
    reading = ThreadPoolExecutor(1, thread_name_prefix="api")
    acting = ThreadPoolExecutor(1, thread_name_prefix="reload")
    pages: dict[str, Page] = {}

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("sloagent is healthy.\n")

    async def ready(_: Request) -> Response:
        why = view.not_ready()
        return PlainTextResponse(f"{why}\n", 503) if why else PlainTextResponse("sloagent is ready.\n")

    async def metrics(request: Request) -> Response:
        encode, content_type = _format(request.headers.get("accept", ""))
        page = pages.get(content_type)
        if page is None:
            page = pages[content_type] = Page(partial(_families, view.registry, encode), content_type, exposing)
        return await page.answer(request)

    async def reload(_: Request) -> Response:
        try:
            await asyncio.get_running_loop().run_in_executor(acting, view.reload)
        except ConfigError as error:
            return PlainTextResponse("\n".join([*error.problems, error.message]) + "\n", 400)
        return PlainTextResponse("configuration reloaded\n")

    def api(name: str, rows: Callable[[], Sequence[object]]) -> Route:
        def encoded() -> Iterator[bytes]:
            yield msgspec.json.encode({"schema": f"sloagent/{name}/v1", name: rows()})

        page = Page(encoded, "application/json", reading)

        async def answer(request: Request) -> Response:
            return await page.answer(request)

        return Route(f"/api/v1/{name}", answer)

    starlette = Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/-/healthy", healthy),
            Route("/-/ready", ready),
            Route("/-/reload", reload, methods=["POST", "PUT"]),
            api("verdicts", view.verdicts),
            api("slos", view.slos),
            api("pending", view.pending),
            *routes(view.runs),
        ]
    )
    starlette.router.redirect_slashes = False  # a redirect would name the host that the client says we are
    return starlette


_ESCAPINGS = ("", ";escaping=allow-utf-8", ";escaping=underscores", ";escaping=dots", ";escaping=values")
_FORMATS = frozenset(
    choose_encoder(name + escaping)[1]
    for name in ("", "application/openmetrics-text;version=1.0.0", "text/plain;version=1.0.0")
    for escaping in _ESCAPINGS
)
"""What Prometheus may ask for. Each has a page of its own, so there must not be as many as there are strangers."""


def _format(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    """How to write the page, and its content type; the plain one for whoever asks for what there is not."""
    try:
        encode, content_type = choose_encoder(accept)
    except TypeError:  # a version that is none
        return choose_encoder("")
    return (encode, content_type) if content_type in _FORMATS else choose_encoder("")


class _Single(Collector):
    """One family, where the encoders want all."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterator[Metric]:
        yield self._family


def _families(registry: CollectorRegistry, encode: Callable[[Collector], bytes]) -> Iterator[bytes]:
    """The page family by family: as a whole, that of a thousand series would take 10 MiB for a moment."""
    end = b""
    for family in registry.collect():
        page = encode(_Single(family))
        if page.endswith(_END):
            page, end = page.removesuffix(_END), _END
        yield page
    yield end
