"""Times as people read them, always in UTC: no more digits than it takes, and no day said twice."""

from __future__ import annotations

from datetime import datetime

from sloagent.model.timerange import TimeRange, at


def clock(moment: datetime | int) -> str:
    """`05:56`, or `05:56:30` where the seconds are not zero."""
    utc = at(moment) if isinstance(moment, int) else moment
    return f"{utc:%H:%M:%S}" if utc.second or utc.microsecond else f"{utc:%H:%M}"


def moment(time: datetime | int) -> str:
    """`2026-11-22 05:56`."""
    utc = at(time) if isinstance(time, int) else time
    return f"{utc:%Y-%m-%d} {clock(utc)}"


def within(time: int, slots: range) -> str:
    """`05:56`, or with its day where the slots lie in several."""
    return clock(time) if slots and at(slots[0]).date() == at(slots[-1]).date() else moment(time)


def stretch(whole: TimeRange) -> str:
    """`2026-11-22 05:55–05:58 UTC`, or with both days where they differ."""
    if whole.start.date() == whole.end.date():
        return f"{moment(whole.start)}–{clock(whole.end)} UTC"
    return f"{moment(whole.start)} – {moment(whole.end)} UTC"


def between(first: int, last: int) -> str:
    """`05:52–05:56`, with days where they differ."""
    if at(first).date() == at(last).date():
        return f"{clock(first)}–{clock(last)}"
    return f"{moment(first)} – {moment(last)}"


def duration(seconds: float) -> str:
    """`28 min`, `6 h 30 min`, `3 d 4 h`: the two largest parts."""
    left = round(seconds)
    parts = []
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} {name}")
    return " ".join(parts[:2]) or "0 s"


def instant(moment: datetime | int) -> str:
    """RFC 3339 in UTC: what `--at` accepts again."""
    utc = at(moment) if isinstance(moment, int) else moment
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds").replace("+00:00", "Z")
