"""What a webhook is sent: the body of Alertmanager's own webhooks, and one that Slack shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from sloagent.model.alert import Notice
from sloagent.sinks.sanitising import clean_annotations, clean_labels, link, timestamp

GROUPED_BY = ("alertname", "set", "slo")
"""The labels that name a group, where all of its alerts have them in common."""
MOST_SHOWN = 20
"""Alerts of one message that Slack shows; the others are counted."""
LONGEST_TEXT = 2_000
"""Characters of one sentence in Slack."""
_COLOURS = {"page": "#b3261e", "ticket": "#e8a33d", "info": "#3d6fb3"}
_OVER = "#2e7d32"
_FNV_PRIME, _FNV_OFFSET = 0x100000001B3, 0xCBF29CE484222325


class Alert(TypedDict):
    """One alert of a body."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: str
    endsAt: str
    generatorURL: str
    fingerprint: str


class Body(TypedDict):
    """Alertmanager's webhook body, version 4: what reads Alertmanager's can read ours."""

    version: str
    groupKey: str
    truncatedAlerts: int
    status: str
    receiver: str
    groupLabels: dict[str, str]
    commonLabels: dict[str, str]
    commonAnnotations: dict[str, str]
    externalURL: str
    alerts: list[Alert]


def body(notices: Sequence[Notice], receiver: str, external_url: str) -> Body:
    """The body for notices that changed together; the status is firing if one of them fires."""
    alerts = [_alert(notice) for notice in notices]
    labels = _common([alert["labels"] for alert in alerts])
    group = {name: labels[name] for name in GROUPED_BY if name in labels}
    quoted = ", ".join(f'{name}="{_escaped_value(value)}"' for name, value in group.items())
    return {
        "version": "4",
        "groupKey": f"{{}}:{{{quoted}}}",
        "truncatedAlerts": 0,
        "status": "firing" if any(alert["status"] == "firing" for alert in alerts) else "resolved",
        "receiver": receiver,
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
        "externalURL": link(external_url),
        "alerts": alerts,
    }


def slack(message: Body) -> dict[str, object]:
    """The body that Slack's incoming webhooks take, and those of others that are compatible."""
    alerts = sorted(message["alerts"], key=lambda alert: (alert["status"] != "firing", _urgency(alert)))
    firing = sum(alert["status"] == "firing" for alert in alerts)
    counts = [f"{firing} firing"] * (firing > 0) + [f"{len(alerts) - firing} resolved"] * (firing < len(alerts))
    group = message["groupLabels"]
    place = "/".join(group[name] for name in ("set", "slo") if name in group)
    heading = " ".join(part for part in (group.get("alertname", ""), place) if part)
    text = f"[{', '.join(counts)}]" + (f" {_mrkdwn(heading)}" if heading else "")
    if len(alerts) > MOST_SHOWN:
        text += f" ({len(alerts) - MOST_SHOWN} more are not shown)"
    return {"text": text, "attachments": [_attachment(alert) for alert in alerts[:MOST_SHOWN]]}


def fingerprint(labels: Mapping[str, str]) -> str:
    """What Alertmanager calls an alert with these labels: FNV-1a, 64 bits, of names and values in order."""
    found = _FNV_OFFSET
    for name, value in sorted(labels.items()):
        for byte in (*name.encode(), 255, *value.encode(), 255):
            found = ((found ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{found:016x}"


def _alert(notice: Notice) -> Alert:
    labels = clean_labels(notice.labels)
    return {
        "status": "resolved" if notice.resolved else "firing",
        "labels": labels,
        "annotations": clean_annotations(notice.annotations),
        "startsAt": timestamp(notice.starts_at),
        # Alertmanager's own word for an end that is not known.
        "endsAt": timestamp(notice.ends_at) if notice.resolved else "0001-01-01T00:00:00Z",
        "generatorURL": link(notice.generator_url),
        "fingerprint": fingerprint(labels),
    }


def _attachment(alert: Alert) -> dict[str, object]:
    labels, notes = alert["labels"], alert["annotations"]
    over = alert["status"] == "resolved"
    title = f"{'Resolved: ' if over else ''}{notes.get('summary') or labels.get('alertname', '')}"
    text = _mrkdwn(notes.get("description", ""))
    if over and "resolved" in notes:
        text = _mrkdwn(notes["resolved"])
    links = [("runbook", notes.get("runbook_url", "")), ("sloagent", notes.get("dashboard_url", ""))]
    shown = " · ".join(f"<{_address(address)}|{name}>" for name, address in links if link(address))
    times = f"since {alert['startsAt']}" + (f", until {alert['endsAt']}" if over else "")
    lines = [text, _mrkdwn(f"{labels.get('severity', '')} {times}".strip()), shown]
    found: dict[str, object] = {
        "color": _OVER if over else _COLOURS.get(labels.get("severity", ""), _COLOURS["ticket"]),
        "fallback": _mrkdwn(title),
        "title": _mrkdwn(title),
        "text": "\n".join(line for line in lines if line),
        "mrkdwn_in": ["text"],
    }
    if alert["generatorURL"]:
        found["title_link"] = _address(alert["generatorURL"])
    return found


def _common(mappings: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all of them have alike."""
    first, *others = mappings
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def _urgency(alert: Alert) -> int:
    return {"page": 0, "ticket": 1}.get(alert["labels"].get("severity", ""), 2)


def _mrkdwn(text: str) -> str:
    """Text, of a long one the beginning, in which Slack finds no link, no mention and no channel."""
    text = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _address(url: str) -> str:
    """An address between < and |."""
    return url.replace("&", "&amp;").replace("|", "%7C")


def _escaped_value(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
