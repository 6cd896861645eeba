"""Alerts on their way to real Alertmanagers: all of them arrive, as they should, whatever else is among them."""

from __future__ import annotations

import json
import logging
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

import pytest

from sloagent.errors import SinkError
from sloagent.model.alert import Notice
from sloagent.sinks import delivery
from sloagent.sinks.alertmanager import Alertmanager
from sloagent.sinks.receiver_settings import AlertmanagerSettings
from tests import alertmanager, faults
from tests.door import Certificates, hashed
from tests.told import SOON_SECONDS, Told


@pytest.fixture
def told() -> Iterator[Callable[..., Told]]:
    made: list[Told] = []

    def make(**settings: object) -> Told:
        made.append(Told(partial(Alertmanager, AlertmanagerSettings(**settings))))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.receiver.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[alertmanager.Alertmanager]:
    with alertmanager.Alertmanager(tmp_path_factory.mktemp("alertmanager")) as started:
        yield started


def notice(name: str = "one", *, seconds: float = 300.0, **labels: str) -> Notice:
    """An alert that fires, until `seconds` from now."""
    now = time.time()
    found = {"alertname": "SLOViolated", "severity": "page", "name": name} | labels
    return Notice(
        tuple(sorted(found.items())), (("summary", f"{name} is violated"),), now - 60, now + seconds, resolved=False,
        generator_url="http://prometheus:9090/graph?g0.expr=up",
    )  # fmt: skip


def over(firing: Notice) -> Notice:
    return replace(firing, ends_at=time.time() - 1, resolved=True)


def eventually(holds: Callable[[], bool], what: str, seconds: float = SOON_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def of(server: alertmanager.Alertmanager, alertname: str) -> dict[str, dict[str, object]]:
    """What the server holds of one alertname, by the label `name`."""
    return {a["labels"]["name"]: a for a in server.alerts() if a["labels"].get("alertname") == alertname}


# ---- what arrives ----------------------------------------------------------------------------------------------------


def test_an_alert_arrives_as_it_was_made_and_is_over_when_it_is_said(server, told):
    to, firing = told(url=server.url), notice(alertname="whole")
    to.receiver.offer([firing])
    eventually(lambda: to.taken == [firing], "taken")
    (found,) = of(server, "whole").values()
    assert found["labels"] == dict(firing.labels)
    assert found["annotations"] == dict(firing.annotations)
    assert found["generatorURL"] == firing.generator_url
    for name, seconds in (("startsAt", firing.starts_at), ("endsAt", firing.ends_at)):
        assert abs(datetime.fromisoformat(found[name]).timestamp() - seconds) < 0.002
    end = over(firing)
    to.receiver.offer([end])
    eventually(lambda: to.taken == [firing, end], "the end taken")
    assert of(server, "whole") == {}
    assert to.numbers() == {"sent_total": 2}


def test_one_that_is_not_told_again_ends_by_itself(server, told):
    to = told(url=server.url)
    to.receiver.offer([notice("silent", seconds=1.5, alertname="ends"), notice("spoken", alertname="ends")])
    eventually(lambda: sorted(of(server, "ends")) == ["silent", "spoken"], "both fire")
    eventually(lambda: sorted(of(server, "ends")) == ["spoken"], "one has ended")


def test_five_thousand_alerts_arrive_in_batches(server, told):
    with faults.FaultServer(server.url) as between:
        to = told(url=between.url)
        to.receiver.offer([notice(f"{number:04}", alertname="many") for number in range(5_000)])
        eventually(lambda: len(to.taken) == 5_000, "all taken", 60)
        assert [len(json.loads(request.body)) for request in between.requests] == [256] * 19 + [136]
        assert between.connections == 1
    assert len(of(server, "many")) == 5_000
    assert to.numbers() == {"sent_total": 5_000}


HOSTILE = {
    "a.b": "dots", "1st": "digit", "ключ": "letters", "with space": "x", "nul": "a\0b", "empty": "", "chinese": "控制面",
    "half": "\ud800", "newline": "a\nb", "long": "x" * 100_000, "escape": "\x1b[2J", "quotes": "\"'\\`{{}}<script>",
}  # fmt: skip


@pytest.mark.parametrize("label", HOSTILE)
def test_a_label_that_alertmanager_or_a_reader_could_not_take_is_made_one(server, told, label):
    to = told(url=server.url)
    name = f"hostile {label}".encode("utf-8", "replace").decode()
    odd = notice(name, alertname="hostile", **{label: HOSTILE[label]})
    to.receiver.offer([odd, notice(f"good beside {name}", alertname="hostile")])
    eventually(lambda: len(to.taken) == 2, "both taken")
    held = of(server, "hostile")
    assert f"good beside {name}" in held
    for key, value in held[name]["labels"].items():
        assert value.isprintable()
        assert len(value) <= 1_024
        assert key.isascii()
    assert to.numbers() == {"sent_total": 2}


NO_LINKS = (
    "::bad", "javascript:alert(1)", "http://a b/", "http://[::1/", "http://h:99999/", "http://u:p@h/", "http://h/%zz",
    "ftp://h/", "http://h/\0", "/graph", "//h/x", "http://",
)  # fmt: skip


@pytest.mark.parametrize("url", NO_LINKS)
def test_a_link_that_is_none_is_left_out_and_the_alert_goes_on(server, told, url):
    to = told(url=server.url)
    odd = replace(
        notice(url.replace("\0", "nul"), alertname="links"), generator_url=url,
        annotations=(("dashboard_url", url), ("runbook_url", "https://runbooks.example.com/a?b=c#d"), ("summary", url)),
    )  # fmt: skip
    to.receiver.offer([odd])
    eventually(lambda: to.taken == [odd], "taken")
    found = of(server, "links")[url.replace("\0", "nul")]
    assert "generatorURL" not in found
    assert set(found["annotations"]) == {"runbook_url", "summary"}


def test_an_end_before_its_beginning_is_made_the_beginning(server, told):
    to, odd = told(url=server.url), replace(over(notice(alertname="backwards")), ends_at=1_000.0)
    to.receiver.offer([odd])
    eventually(lambda: to.taken == [odd], "taken")


# ---- what is refused -------------------------------------------------------------------------------------------------


def unclean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let labels through as they are, for there is no other way to have a real Alertmanager refuse one."""
    monkeypatch.setattr("sloagent.sinks.alertmanager.clean_labels", dict)


def test_of_a_batch_with_refused_alerts_the_others_arrive_and_each_refusal_is_said_once(
    server, told, monkeypatch, caplog
):
    unclean(monkeypatch)
    good = [notice(f"good {number}", alertname="mixed") for number in range(30)]
    bad = [notice(f"bad {number}", alertname="mixed", **{"a.b": "x"}) for number in range(2)]
    mixed = [*good[:7], bad[0], *good[7:22], bad[1], *good[22:]]
    with faults.FaultServer(server.url) as between:
        to = told(url=between.url)
        to.receiver.offer(mixed)
        eventually(lambda: len(to.taken) == 30, "the good ones taken")
        assert sorted(to.taken, key=lambda n: n.labels) == sorted(good, key=lambda n: n.labels)
        eventually(lambda: to.numbers() == {"sent_total": 30, "refused_total": 2}, "both refused")
        assert {name for name in of(server, "mixed") if name.startswith("good")} == {
            dict(n.labels)["name"] for n in good
        }
        first = len(between.requests)
        assert first < 2 * 2 * 6, "a bisection, not one by one"
        refusals = [record.getMessage() for record in caplog.records if "refuses the alert" in record.getMessage()]
        assert len(refusals) == 2
        assert all("answered 400 Bad Request" in line and "a.b" in line for line in refusals)

        to.receiver.offer(mixed)
        eventually(lambda: to.numbers() == {"sent_total": 60, "refused_total": 4}, "told again")
        assert [len(json.loads(request.body)) for request in between.requests[first:]] == [30, 1, 1], "nothing twice"
        assert len([r for r in caplog.records if "refuses the alert" in r.getMessage()]) == 2


def test_a_status_that_no_alert_is_to_blame_for_is_not_bisected(told, caplog):
    with faults.failing(faults.status(404, b"404 page not found")) as server:
        to = told(url=server.url, path_prefix="wrong/")
        assert to.receiver.name == f"{server.url}/wrong"
        to.receiver.offer([notice(f"{number}") for number in range(100)])
        eventually(lambda: to.numbers() == {"failed_total": 100}, "failed")
        assert [request.target for request in server.requests] == ["/wrong/api/v2/alerts"]
        assert "takes no alerts: answered 404 Not Found: 404 page not found" in caplog.text


# ---- what fails ------------------------------------------------------------------------------------------------------

DOWN = {
    "500": (faults.status(500, b"no"), "answered 500"),
    "503": (faults.status(503, b"<b>no</b>"), "answered 503"),
    "429": (faults.status(429, b""), "answered 429"),
    "401": (faults.status(401, b"who?"), "answered 401"),
    "silence": (faults.silence(), "no complete answer within 0.5 s (timeout)"),
    "drip": (faults.header_drip(), "no complete answer within 0.5 s (timeout)"),
    "reset": (faults.reset(), "connection"),
    "hang up": (faults.hang_up(), "the peer closed it without a word"),
    "redirect": (faults.redirect("http://127.0.0.1:1/login"), "a redirect to http://127.0.0.1:1/login"),
}


@pytest.mark.parametrize("way", DOWN)
def test_a_failure_is_counted_said_once_and_left_to_the_next_round(server, told, caplog, way):
    caplog.set_level(logging.INFO, logger="sloagent")
    fault, words = DOWN[way]
    with faults.FaultServer(server.url) as between:
        between.fail(fault)
        to, firing = told(url=between.url, timeout=0.5), notice(way, alertname="down")
        for round_number in (1, 2):
            to.receiver.offer([firing])
            eventually(lambda n=round_number: to.numbers() == {"failed_total": n}, "failed")
        assert to.taken == []
        assert caplog.text.count("takes no alerts") == 1
        assert words in caplog.text
        between.heal()
        to.receiver.offer([firing])
        eventually(lambda: to.taken == [firing], "taken")
        assert caplog.text.count("takes alerts again") == 1
    assert way in of(server, "down")


def test_an_answer_that_says_yes_counts_whatever_follows_it(told):
    for fault in (faults.endless(), faults.truncated_length(b"x" * 100), faults.status(202, b"x" * 200_000)):
        with faults.failing(fault) as server:
            to, firing = told(url=server.url), notice()
            to.receiver.offer([firing])
            eventually(lambda to=to, firing=firing: to.taken == [firing], "taken")
            to.receiver.close()


def test_of_a_pair_the_one_that_is_up_hears_everything_and_tells_the_other(tmp_path, told):
    with alertmanager.Alertmanager(tmp_path / "a") as first:
        second = alertmanager.Alertmanager(tmp_path / "b", peers=[first])
        pair = [told(url=first.url, timeout=2.0), told(url=second.url, timeout=2.0)]

        def offer(*notices: Notice) -> None:
            for one in pair:
                one.receiver.offer(list(notices))

        offer(notice("while one is down"))
        eventually(lambda: len(pair[0].taken) == 1 and pair[1].number("failed_total") == 1, "the one that is up")
        assert pair[1].taken == []
        with second:
            offer(notice("while one is down"), notice("both up"))
            eventually(lambda: len(pair[1].taken) == 2, "the other one too")
            assert first.names() == second.names() == ["both up", "while one is down"]
            first.stop(signal.SIGKILL)
            offer(notice("the other one down"))
            eventually(lambda: len(pair[1].taken) == 3 and pair[0].number("failed_total") >= 1, "the other way round")
            first.start()
            offer(notice("the other one down"))
            eventually(lambda: "the other one down" in first.names(), "back")


def test_a_slow_member_delays_no_other(told, server):
    with faults.failing(faults.silence()) as silent:
        slow, quick = told(url=silent.url, timeout=5.0), told(url=server.url)
        began = time.monotonic()
        for one in (slow, quick):
            one.receiver.offer([notice("quick", alertname="slow")])
        assert time.monotonic() - began < 0.5, "offering never blocks"
        eventually(lambda: bool(quick.taken), "taken", 2.0)
        assert slow.number("queue_length") == 1


# ---- the queue -------------------------------------------------------------------------------------------------------


def test_of_too_many_the_oldest_are_dropped_and_counted(told, monkeypatch):
    monkeypatch.setattr(delivery, "CAPACITY", 100)
    released: list[bool] = []

    def held(exchange: faults.Exchange) -> bool:
        while not released and not exchange.wait(0.02):
            pass
        return faults.answer(b"")(exchange)

    with faults.failing(held) as server:
        to = told(url=server.url)
        to.receiver.offer([notice("first")])
        eventually(lambda: len(server.requests) == 1, "under way")
        waiting = [notice(f"{number:03}") for number in range(150)]
        to.receiver.offer(waiting)
        assert to.numbers() == {"queue_length": 100, "dropped_total": 51}, "the one under way is the oldest"
        released.append(True)
        eventually(lambda: to.number("queue_length") == 0, "empty")
        assert to.taken[1:] == waiting[50:]


def test_while_it_waits_a_newer_word_takes_the_place_of_an_older_one(told):
    with faults.failing(faults.delay(0.3, faults.answer(b""))) as server:
        to, other = told(url=server.url), notice("other")
        to.receiver.offer([notice("under way")])
        eventually(lambda: len(server.requests) == 1, "under way")
        one = notice("one")
        again = replace(one, ends_at=one.ends_at + 60)
        to.receiver.offer([one, other])
        to.receiver.offer([again])
        to.receiver.offer([over(other)])
        assert to.number("queue_length") == 4
        last = replace(other, starts_at=other.starts_at + 1)
        to.receiver.offer([last])
        eventually(lambda: to.number("queue_length") == 0, "empty")
        assert to.taken[1:] == [again, last], "what is said last is what is known"


def test_closing_tells_what_waits_and_never_for_long(server, told, monkeypatch):
    to = told(url=server.url)
    to.receiver.offer([notice(f"{number}", alertname="closing") for number in range(1_000)])
    to.receiver.close()
    assert len(to.taken) == 1_000
    to.receiver.close()
    to.receiver.offer([notice("too late")])
    assert to.numbers() == {"sent_total": 1_000, "dropped_total": 1}

    monkeypatch.setattr(delivery, "CLOSING_SECONDS", 0.3)
    with faults.failing(faults.silence()) as silent:
        hanging = told(url=silent.url)
        hanging.receiver.offer([notice("never")])
        eventually(lambda: len(silent.requests) == 1, "under way")
        began = time.monotonic()
        hanging.receiver.close()
        assert time.monotonic() - began < 2.0
        assert hanging.numbers() == {"dropped_total": 1}


# ---- the way there ---------------------------------------------------------------------------------------------------


def test_tls_and_a_password_lead_to_a_real_alertmanager(tmp_path, told):
    certificates = Certificates(tmp_path / "certificates")
    authority = certificates.authority()
    certificates.sign("server")
    web = certificates.directory / "web.yml"
    web.write_text(
        "tls_server_config: {cert_file: server.pem, key_file: server.key}\n"
        f"basic_auth_users: {{anna: '{hashed('s3cret-password')}'}}\n"
    )
    server = alertmanager.Alertmanager(tmp_path / "alertmanager", flags=[f"--web.config.file={web}"])
    url = server.url.replace("http:", "https:")
    password = tmp_path / "password"
    password.write_text("s3cret-password\n")
    good = {"basic_auth": {"username": "anna", "password_file": password}, "tls_config": {"ca_file": authority}}
    try:
        server.start(wait=False)
        to, firing = told(url=url, **good), notice()

        def arrived() -> bool:
            to.receiver.offer([firing])
            return bool(to.taken)

        eventually(arrived, "taken")
        assert to.receiver.test(notice("test")) == "answered 200 OK"
        wrong = {"basic_auth": {"username": "anna", "password": "s3cret-wrong"}}
        with pytest.raises(SinkError, match="answered 401 Unauthorized") as refused:
            told(url=url, **good | wrong).receiver.test(firing)
        assert "s3cret" not in refused.value.message
        with pytest.raises(SinkError, match="TLS failed"):
            told(url=url, basic_auth=good["basic_auth"]).receiver.test(firing)
    finally:
        server.stop()


def test_a_peer_that_repeats_the_secret_does_not_bring_it_into_the_log(told, caplog):
    caplog.set_level(logging.DEBUG)

    def repeats(exchange: faults.Exchange) -> bool:
        return faults.status(400, exchange.request.headers["authorization"].encode())(exchange)

    with faults.failing(repeats) as server:
        to = told(url=server.url, authorization={"credentials": "s3cret-credentials"})
        to.receiver.offer([notice()])
        eventually(lambda: to.number("refused_total") == 1, "refused")
        with pytest.raises(SinkError) as refused:
            to.receiver.test(notice())
    assert "<secret>" in caplog.text
    assert "s3cret" not in caplog.text + refused.value.message


# ---- relabelling and testing -----------------------------------------------------------------------------------------


def test_rules_rewrite_labels_and_keep_alerts_back(server, told):
    rules = [
        {"source_labels": ["severity"], "regex": "info", "action": "drop"},
        {"target_label": "cluster", "replacement": "prod"},
        {"regex": "secret_.*", "action": "labeldrop"},
    ]
    to = told(url=server.url, alert_relabel_configs=rules)
    page, info = notice("page", alertname="rules", secret_a="x"), notice("info", alertname="rules", severity="info")
    to.receiver.offer([info, page])
    eventually(lambda: len(to.taken) == 2, "the dropped one is settled too")
    assert to.taken[0] == page, "as it was offered"
    (found,) = of(server, "rules").values()
    assert found["labels"] == {"alertname": "rules", "severity": "page", "name": "page", "cluster": "prod"}
    assert to.numbers() == {"sent_total": 1}
    assert to.receiver.test(info) == "alert_relabel_configs drop this alert; nothing was sent"


def test_a_test_says_what_was_answered_or_why_nothing_was(server, told):
    assert told(url=server.url).receiver.test(notice("test", alertname="test")) == "answered 200 OK"
    assert of(server, "test")
    with pytest.raises(SinkError, match=r"^no connection: connection refused$"):
        told(url="http://127.0.0.1:1").receiver.test(notice())
    with pytest.raises(SinkError, match=r"^answered 404 Not Found"):
        told(url=server.url, path_prefix="nothing").receiver.test(notice())
