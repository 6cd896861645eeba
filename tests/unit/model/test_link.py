"""What may be offered as a link: what a browser may be sent to, read alike by everybody."""

from __future__ import annotations

import pytest

from sloagent.model.link import is_link


@pytest.mark.parametrize(
    "text",
    [
        "http://a", "https://a.b:1/c?d=e%20f#g", "http://[::1]:80/", "http://prometheus/graph?g0.expr=up%7Bx%7D",
        "https://example.com", "HTTPS://example.com/Straße",
    ],
)  # fmt: skip
def test_an_address_of_a_page_is_a_link(text: str) -> None:
    assert is_link(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "example.com", "//example.com", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd",
        "ftp://example.com", "http://", "http:///x", "http://u@h/", "http://h:x/", "http://h/%", "http://h/ x",
        "https://exa mple.com", " https://example.com", "http://h/\n", "https://example.com/\u202ex", 'http://h/"',
        "http://h/<", "http://h/" + "x" * 9_000, "http://[", "HTTP//h",
    ],
)  # fmt: skip
def test_what_could_be_read_as_something_else_is_none(text: str) -> None:
    assert not is_link(text)
