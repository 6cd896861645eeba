"""What stands before every endpoint, knocked at through a real socket."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from sloagent.web.access import Rules
from sloagent.web.settings import WebSettings
from tests.door import Served, connected, hashed, is_closed, request, say

KNOWN = Rules(users={b"anna": hashed("secret").encode()}, knows_clients=True)
ANNA = "Authorization: Basic " + base64.b64encode(b"anna:secret").decode()
RELOAD = "POST /-/reload"
OUTSIDE = [
    "/..", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/metrics/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "//",
    "//etc/passwd", "//metrics", "/metrics/", "/metrics//", "/\\..\\..\\etc\\passwd", "/..%5c..%5cetc", "/%00",
    "/metrics%00", "/metrics%00.html",
    "/-/", "/-", "/api", "/api/v1", "/api/v1/", "/api/v1/..", "/METRICS", "/;", "/%", "/%zz", "/%ff%fe",
    "/static/x", "/reports/../../etc/passwd", "http://elsewhere/metrics", "http://127.0.0.1/metrics", "//elsewhere/..", "*",
    "elsewhere:80", "/" + "a" * 20_000, "/" + "../" * 1_000, "/?a", "/a#b",
]  # fmt: skip


@pytest.fixture(scope="module")
def opened() -> Iterator[Served]:
    """A door that is open to everybody."""
    with Served() as door:
        yield door


@pytest.fixture(scope="module")
def locked() -> Iterator[Served]:
    """A door that only Anna can open."""
    with Served(rules=KNOWN) as door:
        yield door


@pytest.mark.parametrize("target", OUTSIDE, ids=lambda target: target[:30])
def test_nothing_lies_outside_the_endpoints(target: str, opened: Served) -> None:
    heard = say(opened.address, request(f"GET {target}"))
    assert heard.status == 404, heard.body
    assert heard.headers["X-Content-Type-Options"] == "nosniff"
    assert "passwd" not in heard.body
    assert "Location" not in heard.headers


@pytest.mark.parametrize(
    "text",
    [
        b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET /metrics\r\n\r\n", b"\0\0\0\0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"G\xc3\x84T / HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1\r\nHost: x\r\n\r\n", b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_not_http_is_refused_and_counted(text: bytes, opened: Served) -> None:
    before = opened.counted("sloagent_web_requests_refused_total", code="400")
    heard = say(opened.address, text)
    assert heard.status == 400
    assert heard.body == "Bad Request.\n"
    assert heard.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert opened.counted("sloagent_web_requests_refused_total", code="400") == before + 1


def test_a_bad_body_after_the_answer_has_begun_only_ends_the_connection() -> None:
    with Served() as door, connected(door.address) as connection:
        connection.sendall(request("POST /metrics", "Transfer-Encoding: chunked").encode() + b"zz\r\n")
        assert is_closed(connection)
        assert say(door.address, request("GET /-/healthy")).status == 200


@pytest.mark.parametrize("path", ["/metrics", "/-/healthy", "/-/ready", "/api/v1/verdicts", "/nothing"])
def test_every_answer_has_the_headers_that_protect_and_none_that_tells_what_serves_it(
    path: str, opened: Served
) -> None:
    headers = say(opened.address, request(f"GET {path}")).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Server" not in headers
    assert "Date" in headers


def test_a_configured_header_takes_the_place_of_ours() -> None:
    with Served(
        rules=Rules(headers={"Content-Security-Policy": "default-src 'self'", "X-Frame-Options": "deny"})
    ) as door:
        headers = say(door.address, request("GET /metrics")).headers
    assert headers.get_all("Content-Security-Policy") == ["default-src 'self'"]
    assert headers["X-Frame-Options"] == "deny"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
@pytest.mark.parametrize("path", ["/metrics", "/-/healthy", "/api/v1/slos"])
def test_what_is_read_cannot_be_written(method: str, path: str, opened: Served) -> None:
    heard = say(opened.address, request(f"{method} {path}"))
    assert heard.status == 405
    assert set(heard.headers["Allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize(
    "path", ["/metrics", "/-/healthy", "/-/ready", "/-/reload", "/api/v1/verdicts", "/nothing", "/"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_every_path_and_method_needs_a_user_where_there_are_users(path: str, method: str, locked: Served) -> None:
    heard = say(locked.address, request(f"{method} {path}"))
    assert heard.status == 401
    assert heard.headers["WWW-Authenticate"] == 'Basic realm="sloagent", charset="UTF-8"'
    assert "X-Content-Type-Options" in heard.headers
    assert locked.reloads == 0


def test_the_right_password_opens_and_a_wrong_one_does_not() -> None:
    wrong = "Authorization: Basic " + base64.b64encode(b"anna:Secret").decode()
    with Served(rules=KNOWN) as door:
        assert say(door.address, request("GET /metrics", ANNA)).status == 200
        assert say(door.address, request(RELOAD, ANNA)).status == 200
        assert say(door.address, request("GET /metrics", wrong)).status == 401
        assert say(door.address, request("GET /metrics", wrong, ANNA)).status == 401, "two headers are no header"
        assert say(door.address, request("GET /metrics", "Authorization: Bearer x")).status == 401
        assert door.counted("sloagent_web_requests_refused_total", code="401") == 3
        assert door.reloads == 1


@pytest.mark.parametrize(
    "headers",
    [
        ["Sec-Fetch-Site: cross-site"], ["Sec-Fetch-Site: same-site"], ["Origin: https://elsewhere.example"],
        ["Origin: null"], ["Origin: http://127.0.0.1:1"], ["Origin: https://127.0.0.1"], ["Origin:"],
        ["Sec-Fetch-Site: cross-site", "Origin: http://127.0.0.1"], ["Sec-Fetch-Site: same-origin", "Origin: null"],
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_another_sites_page_cannot_reload(headers: list[str], method: str, opened: Served) -> None:
    before = opened.reloads, opened.counted("sloagent_web_requests_refused_total", code="403")
    assert say(opened.address, request(f"{method} /-/reload", *headers)).status == 403
    after = opened.reloads, opened.counted("sloagent_web_requests_refused_total", code="403")
    assert after == (before[0], before[1] + 1)


@pytest.mark.parametrize(
    "headers",
    [
        [], ["Sec-Fetch-Site: none"], ["Sec-Fetch-Site: same-origin", "Origin: http://127.0.0.1"],
        ["Origin: http://127.0.0.1"],
    ],
    ids=str,
)  # fmt: skip
def test_our_own_page_and_what_is_no_browser_can(headers: list[str]) -> None:
    with Served() as door:
        assert say(door.address, request(RELOAD, *headers)).status == 200
        assert door.reloads == 1


@pytest.mark.parametrize(
    ("host", "rules", "status"),
    [
        ("rebound.example", Rules(), 403), ("localhost:9469", Rules(), 200), ("[::1]:9469", Rules(), 200),
        ("10.0.0.1", Rules(), 200), ("[", Rules(), 403), ("rebound.example", KNOWN, 200),
    ],
)  # fmt: skip
def test_a_site_that_gives_its_name_our_address_cannot_reload_unless_it_knows_a_user(
    host: str, rules: Rules, status: int
) -> None:
    text = f"{RELOAD} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n{ANNA}\r\n\r\n"
    with Served(rules=rules) as door:
        assert say(door.address, text).status == status


def test_a_header_may_be_as_large_as_the_setting_and_no_larger() -> None:
    with Served(WebSettings(max_header=4096)) as door:
        assert say(door.address, request("GET /metrics", "A: " + "x" * 3900)).status == 200
        assert say(door.address, request("GET /metrics", "A: " + "x" * 4096)).status == 431
        assert say(door.address, request("GET /" + "x" * 4096)).status == 431
        assert say(door.address, b"GET /metrics HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 5000).status == 431, "unfinished"
        assert say(door.address, request("GET /metrics", *["A: b"] * 1000)).status == 431
        assert door.counted("sloagent_web_requests_refused_total", code="431") == 4


@pytest.mark.parametrize("method", ["POST /-/reload", "GET /metrics"])
def test_a_body_may_be_as_large_as_the_setting_and_no_larger(method: str) -> None:
    with Served(WebSettings(max_body=1024)) as door:
        assert say(door.address, request(method, "Content-Length: 1024") + "x" * 1024).status == 200
        assert say(door.address, request(method, "Content-Length: 1025")).status == 413, "before it is sent"
        chunks = "400\r\n" + "x" * 1024 + "\r\n"
        assert say(door.address, request(method, "Transfer-Encoding: chunked") + chunks + "0\r\n\r\n").status == 200
        assert say(door.address, request(method, "Transfer-Encoding: chunked") + chunks * 2).status == 413
        assert door.reloads == (2 if "reload" in method else 0)


def test_requests_that_are_sent_before_the_answers_are_answered_in_order() -> None:
    three = request("GET /-/healthy") + request("GET /nothing") + request("GET /-/ready", "Connection: close")
    with Served() as door, connected(door.address) as connection:
        connection.sendall(three.encode())
        said = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    assert said.count("HTTP/1.1 ") == 3
    assert said.index("sloagent is healthy.") < said.index("Not Found") < said.index("sloagent is ready.")
