"""Times as people type them: RFC 3339, or relative to now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from sloagent import units

_RELATIVE = re.compile(r"(?:now)?-(.+)")


class Time(click.ParamType[datetime]):
    """`2026-11-22T05:56:00Z`, `-2h`, `now` or `now-30m`; gives an aware UTC datetime."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time meant; fails with a sentence that shows the accepted forms."""
        if isinstance(value, datetime):
            return value
        try:
            return parse(str(value), datetime.now(UTC))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def parse(text: str, now: datetime) -> datetime:
    """The aware UTC time meant by `text`. Raises ValueError with a sentence."""
    if text == "now":
        return now
    relative = _RELATIVE.fullmatch(text)
    if relative:
        return now - timedelta(seconds=units.duration(relative.group(1)))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"`{text}` is no time; write 2026-11-22T05:56:00Z, -2h, now-30m or now") from None
    if moment.tzinfo is None:
        raise ValueError(f"`{text}` has no time zone; write {text}Z for UTC")
    return moment.astimezone(UTC)


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second where it is whole: what these commands accept again."""
    utc = moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds").replace("+00:00", "Z")
