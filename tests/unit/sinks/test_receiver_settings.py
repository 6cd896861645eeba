"""The blocks that name receivers: good ones, and one thing wrong at a time."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sloagent.config.effective import effective
from sloagent.config.load import load_settings
from sloagent.settings import Settings
from sloagent.sinks.receiver_settings import AlertmanagerSettings, WebhookSettings, check_names

HOOK = "https://hooks.example.com/services/T0/s3cret-part?key=s3cret-key"


class Both(Settings):
    alertmanagers: tuple[AlertmanagerSettings, ...] = ()
    webhooks: tuple[WebhookSettings, ...] = ()


def test_receivers_are_known_by_names_without_secrets():
    assert AlertmanagerSettings(url="http://a:9093/", path_prefix="/am/").receiver == "http://a:9093/am"
    assert WebhookSettings(url=HOOK).receiver == "hooks.example.com"
    assert WebhookSettings(url=HOOK, name="on-call").receiver == "on-call"


def test_what_is_shown_of_a_webhook_hides_its_address(tmp_path):
    (tmp_path / "body.j2").write_text('{"text": {{ status | tojson }}}')
    file = tmp_path / "sloagent.yaml"
    file.write_text(
        f"webhooks: [{{url: '{HOOK}', template: body.j2, timeout: 5s}}]\nalertmanagers: [{{url: http://a}}]\n"
    )
    settings = load_settings(file, Both)
    assert settings.webhooks[0].template == tmp_path / "body.j2"
    assert settings.webhooks[0].timeout == 5
    for shown in (effective(settings), repr(settings), settings.model_dump_json()):
        assert "s3cret" not in shown
    assert "timeout: 5s" in effective(settings)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "exactly one of url, url_file, url_env; found none"),
        ({"url": HOOK, "url_env": "X"}, "found url and url_env"),
        ({"url_file": "x"}, "needs a name; write name: on-call"),
        ({"url": "https://u:s3cret@h/"}, "must not carry a user or password"),
        ({"url": "https://h:s3cret/"}, "url is not an address; write it like"),
        ({"url": "hooks.example.com/s3cret"}, "url must be like"),
        ({"url": "https://h/?s3cret#x"}, "without fragment or spaces"),
        ({"url": HOOK, "name": "a\nb"}, "name must be a printable word"),
        ({"url": HOOK, "name": "https://a"}, "name must be a printable word"),
        ({"url": HOOK, "template": "/nowhere/x.j2"}, "the template /nowhere/x.j2 cannot be read: no such file"),
        ({"url": HOOK, "template": "x", "format": "slack"}, "template and format: slack exclude each other"),
        ({"url": HOOK, "format": "teams"}, "Input should be 'json' or 'slack'"),
        ({"url": HOOK, "timeout": "0s"}, "greater than 0"),
    ],
)
def test_a_webhook_that_cannot_work_is_refused_without_its_secret(fields: dict[str, object], words: str):
    with pytest.raises(ValidationError) as caught:
        WebhookSettings(**fields)  # type: ignore[arg-type]
    assert words in str(caught.value)
    assert "s3cret" not in "; ".join(error["msg"] for error in caught.value.errors())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "a:9093"}, "url must be like http://host:9090"),
        ({"url": "http://a?x"}, "without query, fragment or spaces"),
        ({"url": "http://a", "path_prefix": "/a?b"}, "path_prefix must be a plain path"),
        ({"url": "http://a", "api_version": "v1"}, "Extra inputs"),
    ],
)
def test_an_alertmanager_that_cannot_work_is_refused(fields: dict[str, object], words: str):
    with pytest.raises(ValidationError) as caught:
        AlertmanagerSettings(**fields)  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_two_receivers_of_one_name_are_refused():
    first, second = AlertmanagerSettings(url="http://a"), AlertmanagerSettings(url="http://a/", timeout=1.0)
    check_names([first, WebhookSettings(url=HOOK)])
    with pytest.raises(ValueError, match="called http://a; leave one out"):
        check_names([first, second])
    with pytest.raises(ValueError, match=r"called hooks\.example\.com; give each a name"):
        check_names([WebhookSettings(url=HOOK), WebhookSettings(url=HOOK + "x")])
