"""What every process of ours answers to Prometheus and to whoever keeps it alive: /metrics, /-/healthy, /-/ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sloagent.web.page import Page

_END = b"# EOF\n"
"""How an OpenMetrics page ends, and only a whole one."""


def routes(registry: CollectorRegistry, not_ready: Callable[[], str]) -> list[Route]:
    """The three endpoints; `not_ready` gives a sentence, empty when the process is ready."""
    exposing = ThreadPoolExecutor(1, thread_name_prefix="metrics")
    pages: dict[str, Page] = {}

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("sloagent is healthy.\n")

    async def ready(_: Request) -> Response:
        why = not_ready()
        return PlainTextResponse(f"{why}\n", 503) if why else PlainTextResponse("sloagent is ready.\n")

    async def metrics(request: Request) -> Response:
        encode, content_type = _format(request.headers.get("accept", ""))
        page = pages.get(content_type)
        if page is None:
            page = pages[content_type] = Page(partial(_families, registry, encode), content_type, exposing)
        return await page.answer(request)

    return [Route("/metrics", metrics), Route("/-/healthy", healthy), Route("/-/ready", ready)]


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
