"""Everything a peer can do wrong, through real sockets: each its own kind and reason, none beyond the deadline."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sloagent.model.samples import Answer, Kind, Refusal
from sloagent.model.slo import LatencySLI, ValueSLI
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from tests import faults
from tests.e2e.sources_data import slo
from tests.faults import Fault, FaultServer
from tests.prometheus import free_port

SLOT = 1_700_000_040
TIMEOUT = 0.5
VALUE = slo(ValueSLI("up", "ratio"))
LATENCY = slo(LatencySLI(("req_seconds",), "", ()))
GOOD = faults.vector(({"le": "1"}, "0.5"), ({"le": "+Inf"}, "0.75"), time=SLOT)
NESTED_IN = b'{"status":"success","data":{"resultType":"vector","result":[{"metric":'

CASES: list[tuple[str, Fault, Kind, bool, str]] = [
    ("503 of a query that ran out of time", faults.error(503, "timeout", "query timed out in expression evaluation"),
     Kind.TIMEOUT, False, "answered 503 Service Unavailable: query timed out in expression evaluation"),
    ("503 of a busy proxy", faults.status(503, b"<h1>busy</h1>"), Kind.UNAVAILABLE, False,
     "503 Service Unavailable: <h1>busy"),
    ("429 that asks to wait for ever", faults.error(429, "too_many", "slow down", "Retry-After: 1000000000"),
     Kind.UNAVAILABLE, False, "429 Too Many Requests: slow down"),
    ("500", faults.error(500, "internal", "oops"), Kind.UNAVAILABLE, False, "500 Internal Server Error: oops"),
    ("422", faults.error(422, "execution", "found duplicate series"), Kind.EXECUTION, True, "execution: found duplicate"),
    ("400", faults.error(400, "bad_data", "parse error"), Kind.BAD_DATA, True, "bad_data: parse error"),
    ("400 of somebody else", faults.status(400, b"<html>Bad Request</html>"), Kind.PROTOCOL, False, "400 Bad Request"),
    ("401", faults.status(401, b"Unauthorized"), Kind.UNAUTHORIZED, False, "check basic_auth, authorization"),
    ("403", faults.status(403, b"no"), Kind.UNAUTHORIZED, False, "403 Forbidden: no"),
    ("404", faults.status(404, b"page not found"), Kind.PROTOCOL, False, "404 Not Found: page not found"),
    ("redirect", faults.redirect("https://login.example/?token=s3cret"), Kind.PROTOCOL, False,
     "302, a redirect to https://login.example/ (write the final address into url, or set follow_redirects)"),
    ("silence", faults.silence(), Kind.TIMEOUT, False, "no complete answer within 0.5 s (query_timeout)"),
    ("byte drip", faults.drip(), Kind.TIMEOUT, False, "no complete answer within 0.5 s"),
    ("header drip", faults.header_drip(), Kind.TIMEOUT, False, "no complete answer within 0.5 s"),
    ("drip of an error", faults.delay(0.3, faults.drip(seconds=0.1)), Kind.TIMEOUT, False, "within 0.5 s"),
    ("truncated length", faults.truncated_length(GOOD), Kind.PROTOCOL, False, "closed in the middle of the answer"),
    ("truncated chunks", faults.truncated_chunked(GOOD), Kind.PROTOCOL, False, "closed in the middle of the answer"),
    ("truncated JSON", faults.answer(GOOD[:-9]), Kind.PROTOCOL, False, "not Prometheus's answer: {"),
    ("reset before", faults.reset(), Kind.PROTOCOL, False, "connection reset by peer"),
    ("reset amid", faults.reset(GOOD), Kind.PROTOCOL, False, "connection reset by peer"),
    ("hang up", faults.hang_up(), Kind.PROTOCOL, False, "closed it without a word"),
    ("login page", faults.html(), Kind.PROTOCOL, False, r"answer: <!DOCTYPE html>\n<html>"),
    ("list", faults.answer(b"[]"), Kind.PROTOCOL, False, "not Prometheus's answer: []"),
    ("nothing", faults.answer(b""), Kind.PROTOCOL, False, "not Prometheus's answer: nothing at all"),
    ("error with 200", faults.error(200, "internal", "oops"), Kind.PROTOCOL, False, "200 and yet an error: internal: oops"),
    ("error with 200 and no more", faults.answer(b'{"status":"error"}'), Kind.PROTOCOL, False, "200 and yet an error"),
    ("nested brackets", faults.nested(), Kind.PROTOCOL, False, "[[[[…"),
    ("nested labels", faults.nested(before=NESTED_IN), Kind.PROTOCOL, False, "[[[[…"),
    ("nested nowhere", faults.nested(before=b'{"x":'), Kind.PROTOCOL, False, "[[[[…"),
    ("bytes that are no text", faults.answer(GOOD.replace(b"le", b"\xff")), Kind.PROTOCOL, False, "not Prometheus's"),
    ("gzip bomb", faults.gzip_bomb(), Kind.TOO_LARGE, True, "more than 1,048,576 bytes (max_response)"),
    ("more after the end of gzip", faults.answer(faults.gzip.compress(GOOD) + b" " * (1 << 19), "Content-Encoding: gzip"),
     Kind.PROTOCOL, False, "sent more after the end of its gzip"),
    ("ten thousand headers", faults.answer(GOOD, *(f"X-{n}: y" for n in range(10_000))), Kind.PROTOCOL, False, "headers"),
    ("a header of 1 MB", faults.answer(GOOD, "X: " + "y" * (1 << 20)), Kind.PROTOCOL, False, "more than 65536 bytes"),
    ("damaged gzip", faults.answer(GOOD, "Content-Encoding: gzip"), Kind.PROTOCOL, False, "damaged gzip"),
    ("brotli", faults.answer(GOOD, "Content-Encoding: br"), Kind.PROTOCOL, False, "in the encoding br"),
    ("endless", faults.endless(), Kind.TOO_LARGE, True, "more than 1,048,576 bytes (max_response)"),
    ("endless 500", faults.endless(500), Kind.UNAVAILABLE, False, "500 Internal Server Error"),
    ("announced too large", faults.drip(b" " * (1 << 21)), Kind.TOO_LARGE, True, "(max_response)"),
    ("not HTTP", lambda e: e.send(b"SSH-2.0-OpenSSH\r\n") is not None, Kind.PROTOCOL, False, "SSH-2.0-OpenSSH"),
    ("terminal codes", faults.error(422, "execution", "\x1b[31mred\r\n"), Kind.EXECUTION, True, r"\x1b[31mred\r\n"),
]  # fmt: skip


def source(url: str, **more: object) -> PrometheusSource:
    return PrometheusSource(PrometheusSettings(url=url), timeout_seconds=TIMEOUT, max_response_bytes=1 << 20, **more)


@pytest.mark.parametrize(("fault", "kind", "final", "words"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_each_fault_has_its_own_kind_and_reason(fault: Fault, kind: Kind, final: bool, words: str):
    with faults.failing(fault) as server:
        asking = source(server.url)
        for method in (lambda: asking.at(LATENCY, SLOT), lambda: asking.over(LATENCY, [SLOT, SLOT + 60])):
            started = time.monotonic()
            found = method()
            assert time.monotonic() - started < TIMEOUT * 3
            assert isinstance(found, Refusal), found
            assert (found.kind, found.final) == (kind, final)
            assert found.message.startswith(f"{server.url}: ")
            assert words in found.message
            assert "s3cret" not in found.message
            assert found.message.isprintable()
        asking.close()
        assert len(server.requests) == 2, "nothing is asked twice in one tick"


def test_a_refused_connection_is_unreachable():
    found = source(f"http://127.0.0.1:{free_port()}").at(VALUE, SLOT)
    assert isinstance(found, Refusal)
    assert (found.kind, found.final) == (Kind.UNREACHABLE, False)
    assert found.message.endswith("no connection: connection refused")


def test_a_host_without_an_address_is_a_dns_failure():
    found = source("http://no-such-host.invalid:9090").at(VALUE, SLOT)
    assert isinstance(found, Refusal)
    assert (found.kind, found.final) == (Kind.DNS, False)
    assert "http://no-such-host.invalid:9090: the name of the host could not be resolved" in found.message


def test_a_peer_that_refuses_and_comes_back_is_asked_again():
    with faults.failing(faults.answer(GOOD)) as server:
        asking = source(server.url)
        first = asking.at(LATENCY, SLOT)
        assert isinstance(first, Answer)
        server.refuse()
        away = asking.at(LATENCY, SLOT)
        assert isinstance(away, Refusal)
        assert away.kind is Kind.UNREACHABLE
        server.listen()
        assert asking.at(LATENCY, SLOT) == first
        asking.close()


def test_a_kept_connection_that_the_peer_closed_is_made_anew_once():
    with faults.failing(faults.once_per_connection(faults.answer(GOOD))) as server:
        asking = source(server.url)
        assert isinstance(asking.at(LATENCY, SLOT), Answer)
        assert isinstance(asking.at(LATENCY, SLOT), Answer), "over a new connection"
        assert len(server.requests) == 3
        assert server.connections == 2
        server.fail(faults.hang_up())
        found = asking.at(LATENCY, SLOT)
        assert isinstance(found, Refusal)
        assert found.kind is Kind.PROTOCOL
        assert len(server.requests) == 5, "the kept connection and one new one, no more"
        asking.close()


def test_a_truncated_answer_s_connection_is_not_used_again():
    with faults.failing(faults.answer(GOOD)) as server:
        asking = source(server.url)
        server.fail(faults.truncated_length(GOOD), times=1)
        assert isinstance(asking.at(LATENCY, SLOT), Refusal)
        server.fail(faults.answer(GOOD))
        assert isinstance(asking.at(LATENCY, SLOT), Answer)
        assert server.connections == 2
        asking.close()


def test_an_honest_answer_in_gzip_is_read():
    with faults.failing(faults.gzipped(GOOD)) as server:
        asking = source(server.url)
        assert isinstance(asking.at(LATENCY, SLOT), Answer)
        asking.close()


@pytest.mark.parametrize(
    "date", ["x", "", "Mon, 01 Jan 2024 00:00:00 +" + "9" * 20, "1 Jan 99999999999999999999 00:00:00 GMT"]
)
def test_a_date_that_is_none_is_as_good_as_none(date: str):
    with faults.failing(faults.answer(GOOD, f"Date: {date}")) as server:
        asking = source(server.url)
        assert isinstance(asking.at(LATENCY, SLOT), Answer)
        asking.close()


def test_of_many_warnings_the_first_are_kept_and_the_others_counted():
    body = faults.vector(({"le": "+Inf"}, "1"), time=SLOT, warnings=tuple("w" * 300 for _ in range(3_000)))
    with faults.failing(faults.answer(body)) as server:
        asking = source(server.url)
        found = asking.at(slo(LATENCY.sli, allow_partial=True), SLOT)
        assert isinstance(found, Answer)
        assert len(found.warnings) == 11
        assert found.warnings[-1] == "and 2,990 more"
        assert len("".join(found.warnings)) < 2_500
        asking.close()


def test_a_version_without_an_end_is_cut():
    with faults.failing(faults.answer(b'{"status":"success","data":{"version":"%s"}}' % (b"9" * 100_000))) as server:
        asking = source(server.url)
        assert len(asking.version()) < 300
        asking.close()


def test_after_a_401_the_secret_is_read_again_and_sent_once_more(tmp_path: Path):
    file = tmp_path / "token"
    file.write_text("before")
    with FaultServer() as server:
        server._whole = lambda exchange: (
            faults.answer(GOOD)
            if exchange.request.headers["authorization"] == "Bearer behind"
            else faults.status(401, b"")
        )(exchange)
        server.heal()
        settings = PrometheusSettings(url=server.url, authorization={"credentials_file": file})
        asking = PrometheusSource(settings, timeout_seconds=TIMEOUT)
        refused = asking.at(LATENCY, SLOT)
        assert isinstance(refused, Refusal)
        assert refused.kind is Kind.UNAUTHORIZED
        assert len(server.requests) == 1, "the same secret is not sent twice"
        seen = file.stat()
        file.write_text("behind")
        os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        assert isinstance(asking.at(LATENCY, SLOT), Answer)
        assert len(server.requests) == 3
        asking.close()


@pytest.mark.parametrize("note", ["PromQL info: metric might not be a counter", None])
def test_notes_on_style_are_no_warnings(note: str | None):
    body = faults.vector(({"le": "+Inf"}, "1"), time=SLOT, warnings=(note,) if note else ())
    body = body if note else body.replace(b'"status"', b'"infos": ["PromQL info: fine"], "status"', 1)
    with faults.failing(faults.answer(body)) as server:
        asking = source(server.url)
        found = asking.at(LATENCY, SLOT)
        assert isinstance(found, Answer)
        assert found.warnings == ()
        asking.close()


def test_a_partial_answer_is_taken_with_its_warnings_where_the_slo_allows_it():
    body = faults.vector(({"le": "+Inf"}, "1"), time=SLOT, warnings=("store-2 is down",))
    partial = slo(LATENCY.sli, allow_partial=True)
    with faults.failing(faults.answer(body)) as server:
        asking = source(server.url)
        refused = asking.at(LATENCY, SLOT)
        assert isinstance(refused, Refusal)
        assert (refused.kind, refused.final) == (Kind.PARTIAL, False)
        assert "the answer may be partial: store-2 is down" in refused.message
        found = asking.at(partial, SLOT)
        assert isinstance(found, Answer)
        assert found.warnings == ("store-2 is down",)
        matrix = b'{"status":"success","warnings":["store-2 is down"],"data":{"resultType":"matrix","result":[]}}'
        server.fail(faults.answer(matrix))
        stretch = asking.over(partial, [SLOT, SLOT + 60])
        assert isinstance(stretch, Refusal), "a range with a warning decides nothing, even then"
        assert stretch.kind is Kind.PARTIAL
        asking.close()


@pytest.mark.parametrize("fault", [faults.status(500, b"oops"), faults.html(), faults.hang_up()])
def test_whether_there_is_a_past_must_be_known_before_an_empty_answer_counts(fault: Fault):
    with faults.failing(faults.answer(faults.vector(time=SLOT))) as server:
        asking = source(server.url)
        server._whole = fault
        server.fail(faults.answer(faults.vector(time=SLOT)), when=lambda r: r.path == "/api/v1/query")
        found = asking.at(LATENCY, SLOT)
        assert isinstance(found, Refusal)
        assert not found.final
        asking.close()


@pytest.mark.parametrize(
    "body",
    [
        faults.vector(({"le": "1"}, "many")),
        faults.vector(({"le": "1"}, "0.5")).replace(b'"0.5"', b"null"),
        faults.vector(({"le": "1"}, "0.5")).replace(b'"0.5"', b"true"),
        faults.vector(({"le": "1"}, "0.5")).replace(b'"le": "1"', b'"le": 1'),
        faults.vector(({"le": "1"}, "0.5")).replace(b'"value"', b'"valve"'),
        faults.vector(({"le": "1"}, "0.5")).replace(b'"vector"', b'"streams"'),
        b'{"status":"success"}',
        b'{"status":"success","data":null}',
    ],
)
def test_an_answer_of_another_shape_is_no_answer(body: bytes):
    with faults.failing(faults.answer(body)) as server:
        asking = source(server.url)
        found = asking.at(LATENCY, SLOT)
        assert isinstance(found, Refusal)
        assert (found.kind, found.final) == (Kind.PROTOCOL, False)
        asking.close()


def test_a_range_answer_off_the_slots_is_no_answer():
    matrix = (
        b'{"status":"success","data":{"resultType":"matrix","result":'
        b'[{"metric":{"le":"+Inf"},"values":[[%d,"1"],[%d,"1"]]}]}}'
    )
    with faults.failing(faults.answer(matrix % (SLOT, SLOT + 61))) as server:
        asking = source(server.url)
        found = asking.over(LATENCY, [SLOT, SLOT + 60])
        assert isinstance(found, Refusal)
        assert (found.kind, found.final) == (Kind.PROTOCOL, False)
        assert "which was not asked for" in found.message
        server.fail(faults.answer(matrix % (SLOT, SLOT + 60)))
        assert isinstance(asking.over(LATENCY, [SLOT, SLOT + 60]), list)
        asking.close()


@pytest.mark.parametrize(("code", "follows"), [(307, True), (308, True), (302, False), (301, False)])
def test_a_redirect_is_followed_only_on_request_and_if_it_keeps_the_question(code: int, follows: bool):
    with faults.failing(faults.answer(GOOD)) as target, FaultServer() as server:
        server.fail(faults.redirect(f"{target.url}/api/v1/query", code))
        settings = PrometheusSettings(
            url=server.url, follow_redirects=True, headers={"X-Api-Key": "s3cret", "X-Scope-OrgID": "t"},
            authorization={"credentials": "s3cret"},
        )  # fmt: skip
        asking = PrometheusSource(settings, timeout_seconds=TIMEOUT)
        found = asking.at(LATENCY, SLOT)
        assert isinstance(found, Answer if follows else Refusal), found
        asking.close()
        if follows:
            (request,) = target.requests
            assert (request.method, request.form["query"]) == ("POST", found.question.query)
            assert "s3cret" not in str(request.headers), "secrets do not go to another host"
            assert server.requests[0].headers["authorization"] == "Bearer s3cret"


def test_redirects_in_a_circle_end():
    with FaultServer() as server:
        server.fail(faults.redirect(f"{server.url}/api/v1/query", 307))
        asking = PrometheusSource(PrometheusSettings(url=server.url, follow_redirects=True), timeout_seconds=5)
        found = asking.at(VALUE, SLOT)
        assert isinstance(found, Refusal)
        assert "redirected more than 5 times" in found.message
        asking.close()


@pytest.mark.parametrize("place", ["http://[", "//[", "http://127.0.0.1:99999999/", "http://127.0.0.1:x/"])
def test_a_redirect_to_what_is_no_address_is_refused(place: str):
    with FaultServer() as server:
        server.fail(faults.redirect(place, 307))
        asking = PrometheusSource(PrometheusSettings(url=server.url, follow_redirects=True), timeout_seconds=5)
        found = asking.at(VALUE, SLOT)
        assert isinstance(found, Refusal)
        assert f"redirects to {place}, which is no place to ask" in found.message
        asking.close()


def test_a_proxy_is_used_for_every_question_and_its_refusal_is_told():
    with FaultServer() as proxy:
        proxy.fail(faults.answer(GOOD))
        settings = PrometheusSettings(url="http://prometheus.example:9090", proxy_url=proxy.url)
        asking = PrometheusSource(settings, timeout_seconds=TIMEOUT)
        assert isinstance(asking.at(LATENCY, SLOT), Answer)
        assert proxy.requests[0].target == "http://prometheus.example:9090/api/v1/query"
        proxy.refuse()
        found = asking.at(LATENCY, SLOT)
        assert isinstance(found, Refusal)
        assert found.kind is Kind.UNREACHABLE
        assert "the proxy: no connection: connection refused" in found.message
        asking.close()


def test_the_environment_s_proxy_and_netrc_are_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    for name, value in {
        "HOME": str(tmp_path),
        "NETRC": str(tmp_path / ".netrc"),
        "http_proxy": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    with faults.failing(faults.answer(GOOD)) as server:
        asking = source(server.url)
        assert isinstance(asking.at(LATENCY, SLOT), Answer)
        assert "authorization" not in server.requests[0].headers
        asking.close()


def test_cookies_are_not_kept():
    with faults.failing(faults.answer(GOOD, "Set-Cookie: session=1")) as server:
        asking = source(server.url)
        asking.at(LATENCY, SLOT)
        asking.at(LATENCY, SLOT)
        assert all("cookie" not in request.headers for request in server.requests)
        asking.close()


def test_a_slow_question_does_not_shorten_the_time_of_the_next():
    with faults.failing(faults.answer(GOOD)) as server:
        asking = source(server.url)
        for _ in range(3):
            server.fail(faults.delay(TIMEOUT * 0.7, faults.answer(GOOD)))
            assert isinstance(asking.at(LATENCY, SLOT), Answer)
        assert server.connections == 1
        asking.close()


def test_a_peer_that_repeats_our_secret_does_not_get_it_into_a_message():
    with faults.failing(faults.status(500, b"you sent: Bearer s3cret-token")) as server:
        settings = PrometheusSettings(url=server.url, authorization={"credentials": "s3cret-token"})
        asking = PrometheusSource(settings, timeout_seconds=TIMEOUT)
        found = asking.at(VALUE, SLOT)
        assert isinstance(found, Refusal)
        assert "you sent: Bearer <secret>" in found.message
        asking.close()


MEMORY = """
import sys
from pathlib import Path
from sloagent.model.samples import Kind
from sloagent.sources.prometheus import PrometheusSource
from sloagent.sources.http_config import PrometheusSettings
from tests.e2e.test_sources_faults import LATENCY, SLOT
asking = PrometheusSource(PrometheusSettings(url=sys.argv[1]), timeout_seconds=20, max_response_bytes=16 << 20)
asking.at(LATENCY, SLOT)

def most():  # not ru_maxrss: that counts what the parent had before it became us
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])

before = most()
for _ in range(3):
    found = asking.at(LATENCY, SLOT)
    assert found.kind is Kind.TOO_LARGE, found
print(most() - before)
"""


@pytest.mark.parametrize("fault", [faults.endless(), faults.gzip_bomb()], ids=["endless", "gzip bomb"])
def test_an_answer_without_bound_takes_no_more_memory_than_the_bound_allows(fault: Fault):
    with FaultServer() as server:
        server.fail(faults.answer(GOOD), times=1)
        server._whole = fault
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, server.url], capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 2 * 16 * 1024, "twice the bound, in KiB"


def test_many_threads_each_keep_their_own_deadline():
    with faults.failing(faults.silence()) as server:
        server.fail(faults.silence(), when=lambda r: r.form.get("time") == str(SLOT))
        server._whole = faults.delay(TIMEOUT / 2, faults.answer(GOOD))
        asking = source(server.url, max_queries=8)
        found: dict[int, object] = {}
        slots = [SLOT, SLOT + 60, SLOT + 120, SLOT + 180]
        threads = [threading.Thread(target=lambda s=s: found.update({s: asking.at(LATENCY, s)})) for s in slots]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=10)
        asking.close()
    assert isinstance(found[SLOT], Refusal)
    assert all(isinstance(found[slot], Answer) for slot in slots[1:])
