"""The process: clusters behind one port, each below `/c/NAME`, and a control endpoint on a port of its own.

    python -m tests.kube.server SETTINGS.json

writes one line of JSON with both ports to standard output and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import gc
import json
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
from aiohttp import web

from tests.kube.access import Access
from tests.kube.faults import Faults
from tests.kube.reading import listed
from tests.kube.refusal import RefusalError, not_found
from tests.kube.resource import CLUSTERS, NAMESPACES, Place, place_of
from tests.kube.selectors import selector
from tests.kube.store import Cluster, encode
from tests.kube.watching import Settings, Stream, reset
from tests.kube.writing import create, delete, patch, remove, replace

VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.2", "platform": "linux/amd64"}
LARGEST_BYTES = 8 * 1024 * 1024
_REVIEW = ("authorization.k8s.io", "selfsubjectaccessreviews")
_PROXYING = ("search.karmada.io", "proxying")
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Kube:
    """Everything that the process serves."""

    def __init__(self, names: list[str], tokens: Mapping[str, str]) -> None:
        self.truth: list[list] = []
        self.clusters = {name: Cluster(name, self.truth) for name in names}
        self.first = names[0]
        """The cluster at the root, where a service account looks."""
        self.access = Access(tokens)
        self.faults = Faults(self.clusters)
        self.settings = Settings()
        self.requests = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request but those for control."""
        self.requests += 1
        name, path = self._which(request.path)
        try:
            if name not in self.clusters:
                raise RefusalError(404, "the server could not find the requested resource")
            if self.faults.find("refuse", name, "") is not None:
                reset(request)
                return web.Response()
            user = self.access.user(request)
            return await self._of_cluster(request, name, path, user)
        except RefusalError as refusal:
            headers = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after else None
            return _json(encode(refusal.status()), refusal.code, headers)

    def _which(self, path: str) -> tuple[str, str]:
        if path.startswith("/c/"):
            name, _, rest = path[3:].partition("/")
            return name, "/" + rest
        return self.first, path

    async def _of_cluster(self, request: web.Request, name: str, path: str, user: str) -> web.StreamResponse:
        if path in ("/healthz", "/livez", "/readyz"):
            return web.Response(text="ok")
        if path == "/version":
            await self.faults.before(name, "version", "GET")
            return _json(encode(VERSION))
        place = place_of(path)
        if place is None or self.access.is_absent(name, place.resource):
            return web.Response(status=404, text="404 page not found\n")
        resource = place.resource
        query = request.query
        verb = _verb(request.method, place, query)
        if (resource.group, resource.plural) != _REVIEW and not self.access.allows(name, verb, place):
            raise self.access.forbidden(user, verb, place)
        if place.subresource == "proxy" and (resource == CLUSTERS or (resource.group, resource.plural) == _PROXYING):
            target = place.name if resource == CLUSTERS else name
            if target not in self.clusters or (
                resource == CLUSTERS and self.clusters[name].get(CLUSTERS, "", target) is None
            ):
                raise not_found(CLUSTERS, target)
            return await self._of_cluster(request, target, "/" + place.rest, user)
        canned = await self.faults.before(name, resource.plural, request.method)
        if canned is not None:
            raise RefusalError(canned.status, f"the server answers {canned.status} since it was told to",
                          retry_after=canned.retry_after)  # fmt: skip
        return await self._answer(request, self.clusters[name], place, verb, query)

    async def _answer(
        self, request: web.Request, cluster: Cluster, place: Place, verb: str, query: Mapping[str, str]
    ) -> web.StreamResponse:
        partial = _wants_partial(request)
        collection = cluster.of(place.resource)
        match verb:
            case "watch":
                stream = Stream(collection, place.namespace, query, partial=partial, faults=self.faults,
                                settings=self.settings)  # fmt: skip
                return await stream.serve(request)
            case "list":
                return _json(listed(collection, place.namespace, query, partial=partial))
            case "get":
                stored = collection.now.get(f"{place.namespace}/{place.name}")
                if stored is None:
                    raise not_found(place.resource, place.name)
                return _json(stored.partial if partial else stored.whole)
        body = await _body(request)
        match verb:
            case "create" if (place.resource.group, place.resource.plural) == _REVIEW:
                return _json(encode(self.access.review(cluster.name, body)), 201)
            case "create":
                return _json(encode(create(cluster, place, body)), 201)
            case "update":
                return _json(encode(replace(cluster, place, body)))
            case "patch":
                return _json(encode(patch(cluster, place, body, request.content_type)))
            case "delete":
                thing, gone = delete(cluster, place, body if isinstance(body, dict) else {})
                details = {"name": place.name, "kind": place.resource.plural, "uid": thing["metadata"]["uid"]}
                success = {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "metadata": {},
                    "status": "Success",
                    "details": details,
                }
                return _json(encode(success if gone else thing))
            case "deletecollection":
                return _json(self._delete_all(cluster, place, query))
        raise RefusalError(405, "the server does not allow this method on the requested resource")

    def _delete_all(self, cluster: Cluster, place: Place, query: Mapping[str, str]) -> bytes:
        wanted = selector(query.get("labelSelector", ""), query.get("fieldSelector", ""))
        there = [
            thing
            for thing in cluster.all(place.resource)
            if place.namespace in ("", thing["metadata"].get("namespace")) and (wanted is None or wanted(thing))
        ]
        answer = listed(cluster.of(place.resource), place.namespace, {
            key: query[key] for key in ("labelSelector", "fieldSelector") if key in query
        }, partial=False)  # fmt: skip
        for thing in there:
            remove(cluster, place.resource, thing)
        return answer


def _verb(method: str, place: Place, query: Mapping[str, str]) -> str:
    if method == "GET":
        if place.name:  # whatever else is asked, and that of a proxy too
            return "get"
        return "watch" if query.get("watch", "") in ("1", "true") else "list"
    if method == "DELETE" and not place.name:
        if place.resource == NAMESPACES:
            raise RefusalError(405, "the server does not allow this method on the requested resource")
        return "deletecollection"
    if (method == "POST") == bool(place.name) and not place.subresource:
        raise RefusalError(405, "the server does not allow this method on the requested resource")
    return _VERBS.get(method, method.lower())


def _wants_partial(request: web.Request) -> bool:
    """The first kind of answer in `Accept` that there is. Raises RefusalError (406)."""
    for kind in request.headers.get("Accept", "*/*").split(","):
        main, *parameters = (part.strip() for part in kind.split(";"))
        if main not in ("application/json", "application/*", "*/*"):
            continue
        shape = next((part[3:] for part in parameters if part.startswith("as=")), "")
        if not shape or shape.startswith("PartialObjectMetadata"):
            return bool(shape)
    raise RefusalError(406, "only the following media types are accepted: application/json")


async def _body(request: web.Request) -> object:
    text = await request.read()
    if not text:
        if request.method == "DELETE":
            return {}
        raise RefusalError(400, "the request has no body")
    if request.method in ("POST", "PUT") and request.content_type != "application/json":
        raise RefusalError(415, f"the body of the request was in an unknown format: {request.content_type}")
    try:
        body = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise RefusalError(400, f"the object provided is unrecognized: {error}") from None
    if request.method in ("POST", "PUT") and not isinstance(body, dict):
        raise RefusalError(400, "the object provided is unrecognized: it is no object")
    return body


def _json(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


async def serve(settings: dict) -> None:
    """Serve until standard input ends."""
    from tests.kube.control import Control

    kube = Kube(settings["clusters"], settings["tokens"])
    tls = None
    if settings.get("certificate"):
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=settings["ca"])
        tls.load_cert_chain(settings["certificate"], settings["key"])
        tls.verify_mode = ssl.CERT_OPTIONAL
    ports = []
    runners = []
    for handle, context in ((kube.handle, tls), (Control(kube).handle, None)):
        app = web.Application(client_max_size=LARGEST_BYTES)
        app.router.add_route("*", "/{rest:.*}", handle)
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", settings.get("port", 0) if not ports else 0, ssl_context=context,
                           backlog=1024)  # fmt: skip
        await site.start()
        runners.append(runner)
        ports.append(runner.addresses[0][1])
    gc.freeze()
    print(json.dumps({"port": ports[0], "control": ports[1]}), flush=True)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.read)
    for runner in runners:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(Path(sys.argv[1]).read_text())))
