"""Webhooks over real sockets: each change once, again until it is taken, and nothing of it too often."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import formatdate
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from sloagent.errors import SinkError
from sloagent.model.alert import Notice
from sloagent.sinks import delivery
from sloagent.sinks.alert_telemetry import AlertTelemetry
from sloagent.sinks.alertmanager import Alertmanager
from sloagent.sinks.receiver_settings import AlertmanagerSettings, WebhookSettings
from sloagent.sinks.webhook import Webhook
from sloagent.sinks.webhook_body import fingerprint
from tests import alertmanager, faults
from tests.faults import FaultServer
from tests.told import SOON_SECONDS, Told


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with faults.failing(faults.answer(b"ok")) as started:
        yield started


@pytest.fixture
def told(server: FaultServer) -> Iterator[Callable[..., Told]]:
    made: list[Told] = []

    def make(**settings: object) -> Told:
        place = {} if "url_file" in settings else {"url": f"{server.url}/hook"}
        found = WebhookSettings(**{"name": "hook", "timeout": 0.5} | place | settings)  # type: ignore[arg-type]
        made.append(Told(partial(Webhook, found, external_url="http://sloagent:9469")))
        return made[-1]

    yield make
    server.close()
    for one in made:
        one.receiver.close()


def notice(name: str = "one", **labels: str) -> Notice:
    now = time.time()
    found = {"alertname": "SLOViolated", "severity": "page", "name": name, "set": "karmada", "slo": "api"} | labels
    return Notice(tuple(sorted(found.items())), (("summary", f"{name} is violated"),), now - 60, now + 240, False)


def over(firing: Notice) -> Notice:
    return replace(firing, ends_at=time.time(), resolved=True)


def eventually(holds: Callable[[], bool], what: str, seconds: float = SOON_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def bodies(server: FaultServer) -> list[dict[str, object]]:
    return [json.loads(request.body) for request in server.requests]


def test_what_changed_together_is_told_with_one_post(server, told):
    to, pair = told(headers={"X-Team": "s3cret"}), [notice("one"), over(notice("two"))]
    to.receiver.offer(pair)
    eventually(lambda: to.taken == pair, "taken")
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/hook")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-team"] == "s3cret"
    (body,) = bodies(server)
    assert (body["version"], body["status"], body["receiver"]) == ("4", "firing", "hook")
    assert [(alert["labels"]["name"], alert["status"]) for alert in body["alerts"]] == [
        ("one", "firing"),
        ("two", "resolved"),
    ]
    assert to.numbers() == {"sent_total": 2}


def test_the_fingerprint_is_that_of_a_real_alertmanager(server, told, tmp_path):
    odd = notice("控制面 \"'\\", **{"a.b": "x"})
    to = told()
    to.receiver.offer([odd])
    with alertmanager.Alertmanager(tmp_path / "alertmanager") as real:
        registry = AlertTelemetry(CollectorRegistry())
        member = Alertmanager(AlertmanagerSettings(url=real.url), lambda *_: None, registry)
        assert member.test(odd) == "answered 200 OK"
        member.close()
        (held,) = real.alerts()
    eventually(lambda: len(server.requests) == 1, "sent")
    assert bodies(server)[0]["alerts"][0]["fingerprint"] == held["fingerprint"] == fingerprint(held["labels"])


PASSING = {
    "500": faults.status(500, b""),
    "429": faults.status(429, b""),
    "408": faults.status(408, b""),
    "silence": faults.silence(),
    "reset": faults.reset(),
    "a login page": faults.redirect("/login"),
}


@pytest.mark.parametrize("way", PASSING)
def test_it_is_told_again_until_it_has_taken_it(server, told, caplog, way):
    caplog.set_level(logging.INFO, logger="sloagent")
    server.fail(PASSING[way], times=1)
    server._whole = faults.answer(b"")
    to, firing = told(), notice()
    to.receiver.offer([firing])
    eventually(lambda: to.taken == [firing], "taken")
    assert to.numbers() == {"sent_total": 1, "failed_total": 1}
    assert [caplog.text.count(words) for words in ("takes no alerts", "takes alerts again")] == [1, 1]


def test_the_waits_grow_and_a_receiver_may_ask_for_more(server, told, monkeypatch):
    waits: list[float] = []
    to = told()
    monkeypatch.setattr(to.receiver._delivery._closing, "wait", lambda seconds: waits.append(round(seconds)))
    server.fail(faults.status(503, b""))
    to.receiver.offer([notice()])
    eventually(lambda: len(waits) >= 8, "attempts")
    assert waits[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    for said, wanted in (("120", 120), ("100000", 300), (formatdate(time.time() + 90, usegmt=True), 90), ("soon", 60)):
        server.fail(faults.status(429, b"", f"Retry-After: {said}"))
        eventually(lambda wanted=wanted: waits[-1] in (wanted, wanted - 1), said)


def test_while_it_cannot_be_told_only_the_newest_word_waits(server, told):
    server.fail(faults.status(503, b""))
    to, firing = told(), notice()
    to.receiver.offer([firing])
    eventually(lambda: to.number("failed_total") == 1, "failed")
    newer = replace(firing, ends_at=firing.ends_at + 60)
    to.receiver.offer([newer])
    end = over(firing)
    to.receiver.offer([end])
    server.fail(faults.answer(b""))
    eventually(lambda: to.taken == [newer, end], "taken")
    assert [alert["status"] for alert in bodies(server)[-1]["alerts"]] == ["firing", "resolved"]


def test_what_it_refuses_is_not_told_again_by_itself_and_is_said_once(server, told, caplog):
    server.fail(faults.status(400, b"no such channel"))
    to, firing = told(), notice()
    for number in (1, 2):
        to.receiver.offer([firing])
        eventually(lambda number=number: to.numbers() == {"refused_total": number}, "refused")
    assert len(server.requests) == 2
    assert to.taken == []
    assert caplog.text.count("hook refuses 1 alerts: answered 400 Bad Request: no such channel") == 1
    server.fail(faults.answer(b""))
    to.receiver.offer([firing])
    eventually(lambda: to.taken == [firing], "what is offered anew is told anew")


def test_ends_can_be_left_out(server, told):
    to, firing = told(send_resolved=False), notice()
    to.receiver.offer([firing])
    eventually(lambda: to.taken == [firing], "taken")
    to.receiver.offer([end := over(firing)])
    eventually(lambda: to.taken == [firing, end], "settled")
    assert len(server.requests) == 1
    assert to.numbers() == {"sent_total": 1}


def test_slack_and_templates_have_bodies_of_their_own(server, told, tmp_path):
    template = tmp_path / "body.j2"
    template.write_text('{"content": {{ alerts | map(attribute="labels.name") | join(", ") | tojson }}}')
    assert told(format="slack").receiver.test(notice()) == "answered 200 OK: ok"
    assert told(template=template).receiver.test(notice()) == "answered 200 OK: ok"
    slack, own = bodies(server)
    assert slack["text"] == "[1 firing] SLOViolated karmada/api"
    assert own == {"content": "one"}

    template.write_text('{\n"content": {{ alerts[0].labels.nothing | tojson }}}')
    to = told(template=template)
    with pytest.raises(SinkError, match=r"body\.j2:2: 'dict object' has no attribute 'nothing'"):
        to.receiver.test(notice())
    to.receiver.offer([notice()])
    eventually(lambda: to.numbers() == {"refused_total": 1}, "refused")
    assert len(server.requests) == 2


def test_an_address_in_a_file_is_read_anew_and_shown_nowhere(server, told, tmp_path: Path, caplog):
    caplog.set_level(logging.DEBUG)
    address = tmp_path / "address"
    address.write_text(f"{server.url}/services/s3cret-one?key=s3cret-key\n")
    to = told(url_file=address)

    def repeats(exchange: faults.Exchange) -> bool:
        return faults.status(500, f"no {exchange.request.target}".encode())(exchange)

    server.fail(repeats)
    said = ""
    with pytest.raises(SinkError) as refused:
        to.receiver.test(notice())
    said += refused.value.message
    assert server.requests[-1].target == "/services/s3cret-one?key=s3cret-key"
    assert "answered 500" in said
    to.receiver.offer([notice()])
    eventually(lambda: to.number("failed_total") == 1, "failed")
    address.write_text(f"{server.url}/services/s3cret-two-and-longer")
    server.fail(faults.answer(b""))
    eventually(lambda: len(to.taken) == 1, "taken")
    assert server.requests[-1].target == "/services/s3cret-two-and-longer"
    for wrong in ("hooks/s3cret", "http://u:s3cret@h/"):
        address.write_text(wrong)
        with pytest.raises(SinkError) as refused:
            to.receiver.test(notice())
        said += refused.value.message
    server.refuse()
    address.write_text(f"{server.url}/s3cret-three")
    with pytest.raises(SinkError, match="no connection: connection refused") as refused:
        to.receiver.test(notice())
    own = "\n".join(record.getMessage() for record in caplog.records if record.name == "sloagent")
    assert "s3cret" not in own + said + refused.value.message
    assert "s3cret" not in caplog.text


def test_closing_ends_the_waiting_and_counts_what_was_not_told(server, told):
    server.fail(faults.status(503, b""))
    to = told()
    to.receiver.offer([notice("one"), notice("two")])
    eventually(lambda: to.number("failed_total") >= 2, "failed")
    began = time.monotonic()
    to.receiver.close()
    assert time.monotonic() - began < delivery.CLOSING_SECONDS
    assert to.number("dropped_total") == 2
