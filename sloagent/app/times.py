"""Times as people type them: RFC 3339, or relative to now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sloagent import units

_RELATIVE = re.compile(r"(?:now)?-(.+)")


def now() -> datetime:
    """The present, UTC, in whole milliseconds: Prometheus's resolution, and short enough to be typed again."""
    present = datetime.now(UTC)
    return present.replace(microsecond=present.microsecond // 1000 * 1000)


def parse(text: str, now: datetime) -> datetime:
    """The aware UTC time meant by `2026-11-22T05:56:00Z`, `-2h`, `now` or `now-30m`. Raises ValueError with a sentence."""
    if text == "now":
        return now
    shown = text if len(text) <= units.LONGEST_TEXT else f"{text[: units.LONGEST_TEXT]}…"
    relative = _RELATIVE.fullmatch(text)
    try:
        if relative:
            return now - timedelta(seconds=units.duration(relative.group(1)))
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except units.UnitError:
        raise
    except (ValueError, OverflowError):
        raise ValueError(f"`{shown}` is no time; write 2026-11-22T05:56:00Z, -2h, now-30m or now") from None
    raise ValueError(f"`{shown}` has no time zone; write {shown}Z for UTC")


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with no more digits than it takes: what `parse` reads as the same time again."""
    utc = moment.astimezone(UTC)
    whole_milliseconds = utc.microsecond and utc.microsecond % 1000 == 0
    return utc.isoformat(timespec="milliseconds" if whole_milliseconds else "auto").replace("+00:00", "Z")
