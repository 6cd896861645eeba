"""What the daemon answers over HTTP. It reads memory only: no request reaches the store or Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sloagent.errors import ConfigError


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

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(await run_in_threadpool(encode, view.registry), media_type=content_type)

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


def _json(content: object) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")
