"""Times as options take them."""

from __future__ import annotations

from datetime import datetime

import click

from sloagent.app.times import now, parse


class Time(click.ParamType[datetime]):
    """`2026-11-22T05:56:00Z`, `-2h`, `now` or `now-30m`; gives an aware UTC datetime."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time meant; fails with a sentence that shows the accepted forms."""
        if isinstance(value, datetime):
            return value
        try:
            return parse(str(value), now())
        except ValueError as error:
            self.fail(str(error), param, ctx)
