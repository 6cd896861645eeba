"""What the daemon answers over HTTP. It reads memory only: no request reaches the store or Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sloagent.errors import ConfigError

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


def application(view: View) -> Starlette:
    """The endpoints: /metrics, /-/healthy, /-/ready, /-/reload, /api/v1/verdicts, /api/v1/slos."""

    def healthy(_: Request) -> Response:
        return PlainTextResponse("sloagent is healthy.\n")

    def ready(_: Request) -> Response:
        why = view.not_ready()
        return PlainTextResponse(f"{why}\n", 503) if why else PlainTextResponse("sloagent is ready.\n")

    def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return StreamingResponse(_families(view.registry, encode), media_type=content_type)

    def reload(_: Request) -> Response:
        try:
            view.reload()
        except ConfigError as error:
            return PlainTextResponse("\n".join([*error.problems, error.message]) + "\n", 400)
        return PlainTextResponse("configuration reloaded\n")

    def verdicts(_: Request) -> Response:
        return _json({"schema": "sloagent/verdicts/v1", "verdicts": view.verdicts()})

    def slos(_: Request) -> Response:
        return _json({"schema": "sloagent/slos/v1", "slos": view.slos()})

    return Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/-/healthy", healthy),
            Route("/-/ready", ready),
            Route("/-/reload", reload, methods=["POST", "PUT"]),
            Route("/api/v1/verdicts", verdicts),
            Route("/api/v1/slos", slos),
        ]
    )


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


def _json(content: object) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")
