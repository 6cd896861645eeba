"""A plain client of one cluster for tests: requests, and watches read line by line. It shares no code with the probes."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.parse

from tests.kube.world import World

PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class Heard:
    """An answer: status, headers, what its JSON says (the text, if it is none)."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        text = answer.read().decode()
        try:
            self.said = json.loads(text)
        except json.JSONDecodeError:
            self.said = text


class Client:
    """At `/c/CLUSTER`; `timeout` (seconds) is of each read."""

    def __init__(self, world: World, cluster: str, *, token: str | None = None, timeout: float = 10.0) -> None:
        self._world = world
        self._prefix = f"/c/{cluster}" if cluster else ""
        self._token = world.token if token is None else token
        self._timeout = timeout

    def ask(
        self, method: str, path: str, body: object = None, *, accept: str = "application/json",
        content: str = "application/json", **query: str | int,
    ) -> Heard:  # fmt: skip
        """One request on a connection of its own."""
        connection = self._connection()
        try:
            self._request(connection, method, path, body, accept, content, query)
            return Heard(connection.getresponse())
        finally:
            connection.close()

    def get(self, path: str, **query: str | int) -> dict:
        """What a good answer says."""
        heard = self.ask("GET", path, **query)
        assert heard.status == 200, heard.said
        return heard.said

    def create(self, path: str, name: str, **parts: object) -> dict:
        """A new object, as it was stored; `metadata` may say more than its name."""
        metadata = {**parts.pop("metadata", {}), "name": name}
        heard = self.ask("POST", path, {**parts, "metadata": metadata})
        assert heard.status == 201, heard.said
        return heard.said

    def watch(self, path: str, *, accept: str = "application/json", **query: str | int) -> Watching:
        """An open watch; close it."""
        connection = self._connection()
        self._request(connection, "GET", path, None, accept, "", {"watch": "1", **query})
        return Watching(connection)

    def _connection(self) -> http.client.HTTPConnection:
        if not self._world.url.startswith("https"):
            return http.client.HTTPConnection("127.0.0.1", self._world.port, timeout=self._timeout)
        context = ssl.create_default_context(cafile=self._world.directory / "ca.pem")
        if not self._token:
            context.load_cert_chain(self._world.directory / "probe.pem", self._world.directory / "probe.key")
        return http.client.HTTPSConnection("127.0.0.1", self._world.port, timeout=self._timeout, context=context)

    def _request(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: object, accept: str, content: str,
        query: dict[str, str | int],
    ) -> None:  # fmt: skip
        headers = {"Accept": accept}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        text = None if body is None else json.dumps(body)
        if text is not None:
            headers["Content-Type"] = content
        target = self._prefix + path + (f"?{urllib.parse.urlencode(query)}" if query else "")
        connection.request(method, target, text, headers)


class Watching:
    """The events of one watch. Reading raises TimeoutError when none comes."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self._answer = connection.getresponse()
        self.status = self._answer.status

    def line(self) -> bytes:
        """One line, or what there is of it; empty at the end."""
        return self._answer.readline()

    def event(self) -> dict:
        """The next event."""
        line = self.line()
        assert line.endswith(b"\n"), f"the watch ended, with {line!r}"
        return json.loads(line)

    def events(self, count: int) -> list[tuple[str, str]]:
        """Type and name of the next events."""
        found = [self.event() for _ in range(count)]
        return [(event["type"], event["object"]["metadata"]["name"]) for event in found]

    def close(self) -> None:
        """Let go of it."""
        self._answer.close()
        self._connection.close()

    def __enter__(self) -> Watching:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
