"""What may be written of an http target."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sloagent.probes.http_settings import HttpSettings

GOOD = {"name": "web", "url": "http://sample-webapp:8000/"}


def test_little_has_to_be_written() -> None:
    assert HttpSettings.model_validate(GOOD).expects(204)
    assert not HttpSettings.model_validate(GOOD).expects(301)
    assert HttpSettings.model_validate({**GOOD, "every": "1m", "expect": [301]}).expects(301)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "sample-webapp:8000"}, "url must be like http://host:8000/path"),
        ({"url": "http://anna:secret@host/"}, "url must not carry a user or password"),
        ({"url": "http://host:99999/"}, "url is not an address"),
        ({"url": "http://host/#a"}, "without a fragment or spaces"),
        ({"url": "http://host/\r\nX: y"}, "url must"),
        ({"url": "http://höst/"}, "printable ASCII"),
        ({"every": "10ms"}, "greater than or equal to 0.1"),
        ({"every": 5, "timeout": "0s"}, "greater than 0"),
        ({"method": "POST"}, "'GET', 'HEAD' or 'OPTIONS'"),
        ({"headers": {"X Y": "z"}}, "no name of an HTTP header"),
        ({"headers": {"Connection": "close"}}, "the header Connection is set by sloagent itself"),
        ({"headers": {"X": "a\r\nb"}}, "printable ASCII without surrounding spaces"),
        ({"expect": [99]}, "greater than or equal to 200"),
        ({"name": "a b"}, "match pattern"),
        ({"follow": True}, "Extra inputs"),
    ],
)
def test_what_is_wrong_is_said(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        HttpSettings.model_validate({**GOOD, **fields})
    assert said in str(caught.value)
    assert "secret" not in str(caught.value.errors(include_input=False))


def test_a_header_is_shown_nowhere() -> None:
    settings = HttpSettings.model_validate({**GOOD, "headers": {"Authorization": "Bearer hunter2"}})
    assert "hunter2" not in repr(settings) + str(settings.model_dump(mode="json"))
