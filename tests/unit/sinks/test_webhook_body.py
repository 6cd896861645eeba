"""The bodies that webhooks are sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sloagent.errors import SinkError
from sloagent.model.alert import Notice
from sloagent.sinks import webhook_template
from sloagent.sinks.webhook_body import MOST_SHOWN, body, slack
from sloagent.sinks.webhook_template import check_template, from_template, load_template

STARTED = 1_795_320_000.0


def notice(*, resolved: bool = False, annotations: tuple[tuple[str, str], ...] = (), **labels: str) -> Notice:
    found = {"alertname": "SLOViolated", "set": "karmada", "slo": "api", "severity": "page"} | labels
    return Notice(
        tuple(sorted(found.items())), annotations or (("summary", "api is violated"),), STARTED, STARTED + 240, resolved,
        "http://prometheus:9090/graph?a=1&b=2",
    )  # fmt: skip


def test_the_body_is_that_of_alertmanagers_webhooks():
    made = body([notice(resource="pods"), notice(resource="nodes", resolved=True)], "on-call", "http://sloagent:9469")
    assert {name: value for name, value in made.items() if name != "alerts"} == {
        "version": "4", "groupKey": '{}:{alertname="SLOViolated", set="karmada", slo="api"}', "truncatedAlerts": 0,
        "status": "firing", "receiver": "on-call", "externalURL": "http://sloagent:9469",
        "groupLabels": {"alertname": "SLOViolated", "set": "karmada", "slo": "api"},
        "commonLabels": {"alertname": "SLOViolated", "set": "karmada", "severity": "page", "slo": "api"},
        "commonAnnotations": {"summary": "api is violated"},
    }  # fmt: skip
    firing, over = made["alerts"]
    assert (firing["status"], firing["startsAt"], firing["endsAt"]) == (
        "firing", "2026-11-22T04:00:00.000Z", "0001-01-01T00:00:00Z",
    )  # fmt: skip
    assert (over["status"], over["endsAt"]) == ("resolved", "2026-11-22T04:04:00.000Z")
    assert firing["fingerprint"] != over["fingerprint"]
    assert body([notice(resolved=True)], "x", "")["status"] == "resolved"


def test_in_slack_nothing_of_an_alert_is_markup():
    evil = (("summary", "<!channel> & <http://evil|x>"), ("description", "<@U1>"), ("runbook_url", "https://r/a|b"))
    made = slack(body([notice(annotations=evil, slo="<!here>")], "x", ""))
    text = json.dumps(made, ensure_ascii=False)
    assert "<!" not in text
    assert "<@" not in text
    (attachment,) = made["attachments"]
    assert attachment["title"] == "&lt;!channel&gt; &amp; &lt;http://evil|x&gt;"
    assert attachment["title_link"] == "http://prometheus:9090/graph?a=1&amp;b=2"
    assert "runbook" not in attachment["text"], "an address with | could end early, so it is no link"
    assert made["text"] == "[1 firing] SLOViolated karmada/&lt;!here&gt;"


def test_slack_shows_the_urgent_ones_first_and_counts_the_others():
    many = [notice(resource=f"r{n}", severity="info", resolved=n % 2 == 0) for n in range(40)] + [
        notice(resource="last")
    ]
    made = slack(body(many, "x", ""))
    assert made["text"] == "[21 firing, 20 resolved] SLOViolated karmada/api (21 more are not shown)"
    assert len(made["attachments"]) == MOST_SHOWN
    assert made["attachments"][0]["text"].startswith("page since 2026-11-22")
    assert all("until" not in shown["text"] for shown in made["attachments"])


# ---- templates -------------------------------------------------------------------------------------------------------


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "body.j2"
    file.write_text(text)
    return file


def test_a_template_makes_a_body_of_its_own(tmp_path: Path):
    text = '{"msgtype": "text", "text": {"content": {{ alerts[0].annotations.summary | tojson }}}}'
    file = written(tmp_path, text)
    check_template(file)
    evil = notice(annotations=(("summary", '"}, "x": {"y": "控制面\n'),))
    made = json.loads(from_template(load_template(file), body([evil], "x", "")))
    assert made == {"msgtype": "text", "text": {"content": '"}, "x": {"y": "控制面\n'}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{\n{{ stats }}", "body.j2:2: there is no stats; a template knows alerts, commonAnnotations"),
        ("{% for a in alerts %}\n{{ b.labels }}{% endfor %}", "body.j2:2: there is no b;"),
        ("\n\n{% if %}", "body.j2:3: Expected an expression"),
        ("{% include 'x' %}", "body.j2:1: a template stands for itself"),
        ("{{ status | nothing }}", "body.j2:1: No filter named 'nothing'"),
    ],
)
def test_a_template_that_is_wrong_is_refused_with_its_line(tmp_path: Path, text: str, words: str):
    with pytest.raises(ValueError) as caught:
        check_template(written(tmp_path, text))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\n\n{{ alerts[0].labels.__class__.__mro__ }}", "body.j2:3: access to attribute '__class__' of"),
        ('\n{{ "a" + 1 }}', "body.j2:2: can only concatenate str"),
        ("{{ 1 // 0 }}", "body.j2:1: integer division or modulo by zero"),
        ('{"x": {{ status }}}', "body.j2: what the template makes is not JSON"),
        ('{"x": "{{ alerts[0].annotations.summary }}"}', "which quotes them"),
        (
            '{"x": {% if status == "resolved" %}over{% else %}1{% endif %}}',
            "body.j2: what the template makes is not JSON",
        ),
        ("", "body.j2: what the template makes is not JSON"),
        ("{% for i in range(99999) %}{{ 'x' * 1000 }}{% endfor %}", "body.j2: makes more than 1,048,576 characters"),
    ],
)
def test_a_template_that_would_lose_every_alert_is_refused_before_there_is_one(tmp_path: Path, text: str, words: str):
    with pytest.raises(ValueError) as caught:
        check_template(written(tmp_path, text))
    assert words in str(caught.value)


def test_a_label_that_an_alert_has_not_is_said_with_its_line(tmp_path: Path):
    file = written(tmp_path, '{\n"x": {{ alerts[0].labels.nothing | tojson }}}')
    check_template(file)
    with pytest.raises(SinkError) as caught:
        from_template(load_template(file), body([notice()], "x", ""))
    assert "body.j2:2: 'dict object' has no attribute 'nothing'" in caught.value.message
    assert not caught.value.retryable


def test_the_examples_have_every_field_that_a_template_may_use():
    assert webhook_template._example("firing").keys() == webhook_template.FIELDS == body([notice()], "x", "").keys()
    (alert,) = webhook_template._example("firing")["alerts"]
    assert alert.keys() == body([notice()], "x", "")["alerts"][0].keys()
