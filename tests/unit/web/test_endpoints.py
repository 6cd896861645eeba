"""The endpoints, asked through a real socket."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Gauge

from sloagent.errors import ConfigError, SloagentError
from sloagent.web.endpoints import View, application
from sloagent.web.exposition import _FORMATS, _format
from sloagent.web.server import Server
from sloagent.web.settings import WebSettings
from tests.door import NO_RUNS, no_alerts


class Face:
    """A served view whose answers the test can change."""

    def __init__(self) -> None:
        self.trouble = ""
        self.reload_error: ConfigError | None = None
        self.reloads = 0
        registry = CollectorRegistry()
        Gauge("things", "Things there are", registry=registry).set(3)
        view = View(
            registry, lambda: self.trouble, lambda: [{"slo": "a"}], lambda: [{"name": "a"}], self.reload, list,
            lambda: ([{"rule": "violated"}], [{"slo": "b"}]), NO_RUNS,
        )  # fmt: skip
        self.server = Server(application(view), "127.0.0.1", 0)

    def reload(self) -> None:
        self.reloads += 1
        if self.reload_error:
            raise self.reload_error

    def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        request = urllib.request.Request(f"http://{self.server.address}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture
def face() -> Iterator[Face]:
    served = Face()
    served.server.start()
    yield served
    served.server.stop()


def test_it_is_healthy_while_it_lives_and_ready_while_the_store_can_be_written(face: Face) -> None:
    assert face.ask("/-/healthy") == (200, "sloagent is healthy.\n")
    assert face.ask("/-/ready") == (200, "sloagent is ready.\n")
    face.trouble = "the store cannot be written: disk full"
    assert face.ask("/-/ready") == (503, "the store cannot be written: disk full\n")
    assert face.ask("/-/healthy")[0] == 200


def test_metrics_are_in_the_exposition_format(face: Face) -> None:
    status, body = face.ask("/metrics")
    assert status == 200
    assert "# HELP things Things there are\n# TYPE things gauge\nthings 3.0\n" in body


def test_reload_needs_a_post_and_says_what_is_wrong(face: Face) -> None:
    assert face.ask("/-/reload")[0] == 405
    assert face.reloads == 0
    assert face.ask("/-/reload", "POST") == (200, "configuration reloaded\n")
    face.reload_error = ConfigError("1 problem in 1 file; nothing was loaded.", problems=["a.yaml:1:1: wrong"])
    assert face.ask("/-/reload", "PUT") == (400, "a.yaml:1:1: wrong\n1 problem in 1 file; nothing was loaded.\n")


def test_the_api_answers_json_with_its_schema(face: Face) -> None:
    assert json.loads(face.ask("/api/v1/verdicts")[1]) == {"schema": "sloagent/verdicts/v1", "verdicts": [{"slo": "a"}]}
    assert json.loads(face.ask("/api/v1/slos")[1]) == {"schema": "sloagent/slos/v1", "slos": [{"name": "a"}]}
    assert json.loads(face.ask("/api/v1/alerts")[1]) == {
        "schema": "sloagent/alerts/v1", "alerts": [{"rule": "violated"}], "unknown": [{"slo": "b"}],
    }  # fmt: skip
    assert face.ask("/nothing")[0] == 404


def test_an_address_in_use_is_a_sentence(face: Face) -> None:
    host, _, port = face.server.address.rpartition(":")
    view = View(CollectorRegistry(), str, list, list, lambda: None, list, no_alerts, NO_RUNS)
    with pytest.raises(SloagentError, match=f"cannot listen on {host}:{port}: Address already in use"):
        Server(application(view), host, int(port))


@pytest.mark.parametrize("wrong", ["9469", "localhost", "127.0.0.1:70000", "::1:9469", "127.0.0.1:http"])
def test_an_address_is_host_and_port(wrong: str) -> None:
    with pytest.raises(ValueError, match="address"):
        WebSettings(listen=wrong)


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text;version=1ï",
        "text/plain;version=²",
        *(f"application/openmetrics-text;version=1.0.{number}" for number in range(3)),
    ],
)
def test_whoever_asks_for_a_format_that_there_is_not_gets_a_known_one(accept: str) -> None:
    """A page is kept for each format, and its name is a header of the answer: strangers do not make up new ones."""
    assert _format(accept)[1] in _FORMATS
    assert len(_FORMATS) < 20
