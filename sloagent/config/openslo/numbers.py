"""Numbers and durations as OpenSLO writes them, and as an SLO file would write the same ones."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

MINUTES = {"m": 1, "h": 60, "d": 1_440, "w": 10_080}
"""Of OpenSLO's `duration-shorthand`; months, quarters and years have no fixed length."""
_SHORTHAND = re.compile(r"([1-9][0-9]{0,8})([a-zA-Z])")


def seconds(shorthand: str | float) -> int | None:
    """Seconds of a duration such as `5m` or `4w`; a bare number is minutes. None where it has no fixed whole length."""
    if not isinstance(shorthand, str):
        exact = Fraction(repr(shorthand)) * 60
        return int(exact) if exact.denominator == 1 and exact > 0 else None
    found = _SHORTHAND.fullmatch(shorthand)
    return int(found[1]) * MINUTES[found[2]] * 60 if found and found[2] in MINUTES else None


def shorthand(duration: int) -> str | None:
    """Seconds as OpenSLO writes them; None where they are no whole minutes."""
    if duration % 60:
        return None
    unit = next(unit for unit in reversed(MINUTES) if unit != "w" and duration // 60 % MINUTES[unit] == 0)
    return f"{duration // 60 // MINUTES[unit]}{unit}"


def decimal(value: float) -> str:
    """A number without exponent that reads as the same float: `0.999`, `8589934592`."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(value: float, unit: str) -> str:
    """A number in a base unit as an SLO file writes it: `1s`, `8589934592B`, `0.5 cores`, `0.999`, `5 goroutines/s`."""
    if unit.endswith("/s"):
        return f"{quantity(value, unit.removesuffix('/s'))}/s"
    match unit:
        case "seconds":
            return f"{decimal(value)}s"
        case "bytes":
            return f"{decimal(value)}B"
        case "ratio" | "":
            return decimal(value)
        case _:
            return f"{decimal(value)} {unit}"


def percentile(share: str) -> float:
    """The percentile of a share that is written `0.99` or `99%`."""
    if share.endswith("%"):
        return float(Fraction(share[:-1]))
    return float(Fraction(share) * 100)


def rest(share_: str) -> str:
    """What a share leaves of the whole: 0.001 of `0.999` or `99.9%`."""
    return decimal(float(1 - Fraction(share_.rstrip("%")) / (100 if share_.endswith("%") else 1)))


def share(percentile_: float) -> float:
    """The share of a percentile: 0.999 of 99.9, and not 0.9990000000000001."""
    return float(Fraction(repr(percentile_)) / 100)
