"""What is sent, made so that every receiver can take it: names, values, links and times of an alert."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import sha256

from sloagent.model.link import is_link
from sloagent.model.slo import Labels

LONGEST_NAME = 128
LONGEST_LABEL = 1_024
LONGEST_ANNOTATION = 8_192
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_NAMES_A_LINK = re.compile(r"(?:^|_)(?:url|uri|link|runbook|dashboard)$", re.IGNORECASE)


def clean_labels(labels: Labels) -> dict[str, str]:
    """Labels by names of letters, digits and underscores; empty ones left out, values on one line and not too long."""
    cleaned = {name: _label(value) for name, value in labels if name and value and _clean_name(name) == name}
    for name, value in sorted(labels):
        clean = _clean_name(name)
        if value and clean and clean != name:
            while clean in cleaned:  # two names become one, and both are to be seen
                clean += "_"
            cleaned[clean] = _label(value)
    return dict(sorted(cleaned.items()))


def clean_annotations(annotations: Labels) -> dict[str, str]:
    """The same for annotations, which may have several lines; one that is named a link and is none is left out."""
    cleaned: dict[str, str] = {}
    for name, value in sorted(annotations):
        clean = _clean_name(name)
        if clean and value and (not _NAMES_A_LINK.search(clean) or link(value)):
            cleaned.setdefault(clean, _cut(_CONTROL.sub("\ufffd", value), LONGEST_ANNOTATION))
    return cleaned


def link(text: str) -> str:
    """The text if it is a link, else nothing."""
    return text if is_link(text) else ""


def timestamp(seconds: float) -> str:
    """RFC 3339 with milliseconds, of seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _clean_name(name: str) -> str:
    clean = re.sub(r"[^a-zA-Z0-9_]", "_", name)[:LONGEST_NAME]
    return f"_{clean}" if clean[:1].isdigit() else clean


def _label(value: str) -> str:
    return _cut(_CONTROL.sub("\ufffd", re.sub(r"[\t\n]", " ", value)), LONGEST_LABEL)


def _cut(text: str, longest: int) -> str:
    """Of a longer text the beginning, with the mark of what was cut off: two that differ later stay two."""
    if len(text) <= longest:
        return text
    return f"{text[: longest - 10]}…{sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"
