"""Runs over HTTP, through a real socket into a real store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from prometheus_client import CollectorRegistry

from sloagent.app.runs_over_http import RunsOverHTTP
from sloagent.errors import StoreError
from sloagent.store import Store
from sloagent.web.endpoints import View, application
from sloagent.web.server import Server
from tests.door import Heard, Served, connected, no_alerts, request, say

RUNS = "/api/v1/runs"
JSON = "Content-Type: application/json"


def post(address: str, path: str, body: str | bytes | dict, *headers: str) -> tuple[int, dict]:
    """Status and JSON of a POST, as curl would send it."""
    content = json.dumps(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
    head = request(f"POST {path}", *(headers or (JSON,)), f"Content-Length: {len(content)}").encode()
    heard = say(address, head + content)
    assert heard.headers["Content-Type"] == "application/json", heard.body
    return heard.status, json.loads(heard.body)


def get(address: str, path: str) -> tuple[int, dict]:
    heard = say(address, request(f"GET {path}"))
    return heard.status, json.loads(heard.body)


@pytest.fixture
def door() -> Iterator[Served]:
    with Served() as served:
        yield served


@pytest.fixture
def soak(door: Served) -> str:
    """The address of a daemon with a run that began long ago."""
    assert post(door.address, RUNS, {"name": "soak", "at": "2026-11-22T05:40:00Z"})[0] == 201
    return door.address


def run(answer: dict) -> dict:
    assert answer["schema"] == "sloagent/runs/v1"
    (one,) = answer["runs"]
    return one


def test_a_load_test_marks_its_own_phases(door: Served) -> None:
    address = door.address
    status, begun = post(address, RUNS, {"name": "soak-7", "labels": {"mode": "push"}, "at": "-30m"})
    assert (status, run(begun)["labels"], run(begun)["to"]) == (201, {"mode": "push"}, None)
    status, marked = post(address, f"{RUNS}/soak-7/phases", {"name": "create", "note": "300 Deployments"})
    (phase,) = run(marked)["phases"]
    assert (status, phase["name"], phase["note"], phase["from"]) == (
        201,
        "create",
        "300 Deployments",
        run(begun)["from"],
    )
    status, marked = post(address, f"{RUNS}/soak-7/exclusions", {"from": "-20m", "to": "-19m", "reason": "chaos"})
    assert (status, run(marked)["exclusions"][0]["reason"]) == (201, "chaos")
    status, ended = post(address, f"{RUNS}/soak-7/stop", "")
    assert status == 200
    assert run(ended)["to"] >= phase["to"]
    assert get(address, f"{RUNS}/soak-7") == (200, ended)
    assert get(address, RUNS) == (200, ended)


def test_what_was_answered_can_be_sent_again_as_a_time(door: Served) -> None:
    begun = run(post(door.address, RUNS, {"name": "soak"})[1])
    status, answer = post(door.address, f"{RUNS}/soak/phases", {"name": "all", "from": begun["from"]})
    assert status == 201, answer


REFUSED: dict[str, tuple[int, str, str, str | dict]] = {
    "a name that is taken": (409, "exists already", "", {"name": "soak"}),
    "a run that is not there": (404, "no run is named `saok`", "/saok/stop", {}),
    "a phase twice": (409, "has a phase", "/soak/phases", {"name": "p"}),
    "a time that is none": (400, "at: `noon` is no time", "", {"name": "b", "at": "noon"}),
    "a time without a zone": (400, "`2026-11-22` has no time zone", "/soak/phases", {"name": "q", "from": "2026-11-22"}),
    "a time to come": (400, "lies in the future", "/soak/stop", {"at": "2999-01-01T00:00:00Z"}),
    "a misspelt field": (400, 'unknown field "lables"', "", {"name": "b", "lables": {}}),
    "a missing field": (400, 'the field "name" is missing', "/soak/phases", {"note": "x"}),
    "a reason that is missing": (400, 'the field "reason" is missing', "/soak/exclusions", {"from": "-1m"}),
    "a number for a name": (400, 'the field "name" needs a text', "", {"name": 5}),
    "nothing for a time": (400, 'the field "to" needs a text', "/soak/phases", {"name": "q", "to": None}),
    "labels that are a list": (400, 'the field "labels" needs an object', "", {"name": "b", "labels": ["a"]}),
    "a label that is a number": (400, 'the field "labels" needs an object', "", {"name": "b", "labels": {"a": 1}}),
    "a field twice": (400, 'the field "name" stands there twice', "", '{"name": "a", "name": "b"}'),
    "a list": (400, "is JSON and not an object", "", "[]"),
    "half of it": (400, "is not JSON: expecting ',' delimiter, line 1 column 13", "", '{"name": "a"'),
    "brackets without end": (400, "is not an object of texts", "", "[" * 60_000),
    "digits without end": (400, "is not an object of texts", "", '{"name": ' + "1" * 5_000 + "}"),
    "not UTF-8": (400, "is not UTF-8: byte 10 is 0xFF", "", "LATIN"),
    "half a character": (400, "visible characters", "", '{"name": "\\ud800"}'),
    "an empty time": (400, "to: `` is no time", "/soak/phases", {"name": "q", "to": ""}),
    "no reason": (400, "the reason is empty", "/soak/exclusions", {"from": "-1m", "reason": ""}),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_has_a_sentence_and_changes_nothing(soak: str, name: str) -> None:
    status, words, path, body = REFUSED[name]
    assert post(soak, f"{RUNS}/soak/phases", {"name": "p"})[0] == 201
    before = get(soak, RUNS)
    content = b'{"name": "\xff"}' if body == "LATIN" else body
    answered, answer = post(soak, f"{RUNS}{path}", content)
    assert answered == status
    assert set(answer) == {"error", "hint"}
    assert words in answer["error"]
    assert get(soak, RUNS) == before


def test_a_misspelt_field_is_answered_with_the_right_one(door: Served) -> None:
    assert post(door.address, RUNS, {"name": "b", "lables": {}})[1]["hint"] == 'did you mean "labels"?'
    assert post(door.address, RUNS, {"name": "b", "x": {}})[1]["hint"] == "the fields are name, labels, at"


@pytest.mark.parametrize(
    "header", ["Content-Type: text/plain", "Content-Type: application/x-www-form-urlencoded", "A: b"]
)
def test_what_a_form_of_another_site_can_send_is_no_json(door: Served, header: str) -> None:
    status, answer = post(door.address, RUNS, {"name": "a"}, header)
    assert (status, answer["hint"]) == (415, "send it with Content-Type: application/json")
    assert get(door.address, RUNS)[1]["runs"] == []


def test_the_type_may_say_its_character_set(door: Served) -> None:
    assert post(door.address, RUNS, {"name": "a"}, "Content-Type: Application/JSON; charset=utf-8")[0] == 201


def test_a_body_in_many_pieces_is_read_whole(door: Served) -> None:
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in b'{"name": "slow"}')
    head = request(f"POST {RUNS}", JSON, "Transfer-Encoding: chunked").encode()
    with connected(door.address) as connection:
        connection.sendall(head + pieces + b"0\r\n\r\n")
        heard = Heard(connection)
    assert (heard.status, json.loads(heard.body)["runs"][0]["name"]) == (201, "slow")


def test_half_a_body_changes_nothing(door: Served) -> None:
    content = b'{"name": "half"}'
    with connected(door.address) as connection:
        connection.sendall(request(f"POST {RUNS}", JSON, "Content-Length: 17").encode() + content)
    with connected(door.address) as connection:
        connection.sendall(request(f"POST {RUNS}", JSON, "Transfer-Encoding: chunked").encode() + b"10\r\n" + content)
    assert get(door.address, RUNS)[1]["runs"] == []


def test_another_sites_page_cannot_begin_a_run(door: Served) -> None:
    content = '{"name": "theirs"}'
    head = request(f"POST {RUNS}", JSON, f"Content-Length: {len(content)}", "Sec-Fetch-Site: cross-site")
    assert say(door.address, head + content).status == 403
    assert get(door.address, RUNS)[1]["runs"] == []


@pytest.mark.parametrize("name", ["a/b", "负载 7", "100%", "a?b#c", "stop", "a/stop", "..", "a//b"])
def test_a_name_may_hold_what_an_address_gives_a_meaning_to(door: Served, name: str) -> None:
    assert post(door.address, RUNS, {"name": name, "at": "-1m"})[0] == 201
    path = f"{RUNS}/{quote(name, safe='')}"
    assert run(get(door.address, path)[1])["name"] == name
    assert run(post(door.address, f"{path}/phases", {"name": "p"})[1])["name"] == name
    assert run(post(door.address, f"{path}/stop", {})[1])["to"] is not None


def test_a_store_that_cannot_be_used_is_503_with_the_sentence() -> None:
    def broken() -> Store:
        raise StoreError("the store cannot be written: database is locked", hint="who holds it?")

    view = View(CollectorRegistry(), str, list, list, lambda: None, list, no_alerts, RunsOverHTTP(broken))
    server = Server(application(view), "127.0.0.1", 0)
    server.start()
    said = {"error": "the store cannot be written: database is locked", "hint": "who holds it?"}
    assert post(server.address, RUNS, {"name": "a"}) == (503, said)
    assert get(server.address, RUNS) == (503, said)
    server.stop()
