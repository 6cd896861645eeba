"""What OpenSLO has no word for, kept in `metadata.annotations`: names, and where an SLO file has the same."""

from __future__ import annotations

from collections.abc import Mapping

from sloagent.config import scalars
from sloagent.config.document import Path, Value

PREFIX = "sloagent.io/"

FIELDS: dict[str, Path] = {
    "interval": ("interval",),
    "window": ("window",),
    "min-events": ("min_events",),
    "allow-partial": ("allow_partial",),
    "evaluate": ("evaluate",),
    "status": ("status",),
    "section": ("section",),
    "unit": ("sli", "value", "unit"),
    "warn-at": ("objective", "warn_at"),
    "grows-at-most": ("objective", "grows_at_most"),
    "bad-absent": ("sli", "ratio", "bad_absent"),
    "at-most": ("objective", "at_most"),
    "histogram": ("sli", "latency", "histogram"),
    "where": ("sli", "latency", "where"),
    "by": ("sli", "latency", "by"),
}
"""Of an SLO, each with its place in an SLO of an SLO file."""
TITLE_ZH, NOTE_ZH = "title-zh", "note-zh"
BUDGET_PERIOD, THE_AGENTS = "budget-period", "agent"
"""The period of the error budget is the agent's: the time window stands only because other tools want one."""
OF_AN_SLO = frozenset({*FIELDS, TITLE_ZH, NOTE_ZH, BUDGET_PERIOD})
LATENCY = "histogram"
"""The annotation that makes a latency of a ratio of buckets."""
OF_A_LATENCY = frozenset({"histogram", "where", "by", "at-most"})
LISTS = frozenset({"histogram", "by"})


def short_names(written: Mapping[str, str]) -> dict[str, str]:
    """The annotations that are for sloagent, without the prefix; those of others are none of its business."""
    return {key.removeprefix(PREFIX): text for key, text in written.items() if key.startswith(PREFIX)}


def value_of(name: str, text: str) -> Value:
    """What the text of an annotation is in an SLO file; a text that is none of it stays, and is told there."""
    if name in LISTS:
        return [part.strip() for part in text.split(",")]
    if name == "where":
        return text.replace("$", "$$")
    if name == "allow-partial" and text in ("true", "false"):
        return text == "true"
    number = scalars.read(text) if name == "min-events" else text
    return number if isinstance(number, int | float) else text
