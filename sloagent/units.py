"""Quantities as people write them: a number with its unit, read exactly.

Arithmetic is in fractions, so that `99.9%` and `0.999` are the same float. A number without the unit it needs is
refused: nobody can tell whether `interval: 5` meant seconds or minutes.
"""

from __future__ import annotations

import re
from fractions import Fraction

SECONDS_PER: dict[str, Fraction] = {
    "us": Fraction(1, 1_000_000),
    "µs": Fraction(1, 1_000_000),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86_400),
    "w": Fraction(7 * 86_400),
    "y": Fraction(365 * 86_400),
}
"""Prometheus's own units of time, and microseconds. A year is 365 days."""

BYTES_PER: dict[str, Fraction] = {
    "B": Fraction(1),
    **{f"{prefix}B": Fraction(1000**power) for power, prefix in enumerate(("k", "M", "G", "T", "P"), start=1)},
    **{f"{prefix}iB": Fraction(1024**power) for power, prefix in enumerate(("K", "M", "G", "T", "P"), start=1)},
}

CORES_PER: dict[str, Fraction] = {
    "cores": Fraction(1),
    "core": Fraction(1),
    "millicores": Fraction(1, 1000),
    "millicore": Fraction(1, 1000),
}

LONGEST_TEXT = 64

_NUMBER = r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?"
_WRITTEN = re.compile(rf"([+-]?{_NUMBER})\s*([^\s0-9.+-].*)?")
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-zµ]+)\s*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:/s)?")


class UnitError(ValueError):
    """What was written is no such quantity. `summary` says what was found, `hint` what to write; the text has both."""

    def __init__(self, summary: str, hint: str) -> None:
        super().__init__(f"{summary}; {hint}")
        self.summary = summary
        self.hint = hint


def duration(text: str) -> float:
    """Seconds of a duration such as `250ms`, `30s` or `1h30m`. Not negative. Raises UnitError."""
    return _as_float(_duration(text.strip()), text)


def byte_size(text: str) -> int:
    """Bytes of a size such as `512B`, `16MiB` or `1.5GB`; whole bytes. Raises UnitError."""
    size = _scaled(text.strip(), BYTES_PER, example="16MiB")
    if size < 0 or size.denominator != 1:
        raise UnitError(f'"{_shown(text)}" is not a whole number of bytes', "write a size such as 16MiB")
    return int(size)


def written_duration(seconds: float) -> str:
    """Write seconds the way `duration` reads them: 5400 is `1h30m`, 0.25 is `250ms`."""
    left = Fraction(repr(float(seconds)))
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count = left // SECONDS_PER[unit] if unit != "ms" else left / SECONDS_PER[unit]
        if count:
            parts.append(f"{_decimal(Fraction(count))}{unit}")
            left -= count * SECONDS_PER[unit]
    return "".join(parts) or "0s"


def written_bytes(size: int) -> str:
    """Write bytes the way `byte_size` reads them, in the largest unit that is exact: 16777216 is `16MiB`."""
    for unit in ("PiB", "TiB", "GiB", "MiB", "KiB", "GB", "MB", "kB"):
        if size and size % BYTES_PER[unit] == 0:
            return f"{size // BYTES_PER[unit]}{unit}"
    return f"{size}B"


def check_unit(unit: str) -> None:
    """Raise UnitError unless `unit` can name a base unit: a word such as `bytes` or `goroutines`, or one with `/s`."""
    if not _WORD.fullmatch(unit) or len(unit) > LONGEST_TEXT:
        raise UnitError(
            f'"{_shown(unit)}" is no name of a unit',
            "write seconds, bytes, cores, ratio or a word of your own such as goroutines; per second: bytes/s",
        )
    word = unit.removesuffix("/s")
    for table, base in ((SECONDS_PER, "seconds"), (BYTES_PER, "bytes"), (CORES_PER, "cores")):
        if (word in table and word != base) or word == base[:-1]:
            raise UnitError(
                f'"{unit}" is not a base unit, in which Prometheus counts',
                f"convert in the query and write {base}{unit[len(word) :]}",
            )
    if word in {"percent", "%"}:
        raise UnitError(f'"{unit}" is not a base unit', "divide by 100 in the query and write ratio")


def quantity(text: str, unit: str) -> float:
    """Read the number written in `text`, in the base unit `unit` (see `check_unit`). Raises UnitError.

    seconds: `1s`, `250ms` · bytes: `8GiB` · cores: `0.5 cores`, `250 millicores` · ratio: `99.9%`, or `0.999` between 0
    and 1 · any other word counts things: `5000 goroutines` or `5000` · with `/s`: `20MiB/s`, `1200 requests/m`.
    """
    return _as_float(_quantity(text.strip(), unit), text)


def growth(text: str, unit: str) -> float:
    """Read base units per second of a growth such as `20MiB/h` or `100 goroutines/d`. Raises UnitError."""
    example = {"bytes": "20MiB/h", "seconds": "100ms/h", "cores": "0.1 cores/d", "ratio": "1%/h"}.get(unit, "100/h")
    return _per_time(text, unit, f"it grows; write a growth such as {example}")


def rate(text: str, unit: str) -> float:
    """Read how much there is a second, in base units, of a rate such as `50/s`, `6/m` or `125MB/s`. Raises UnitError."""
    return _per_time(text, unit, f"; write a rate such as {'125MB/s' if unit == 'bytes' else '50/s'}")


def _per_time(text: str, unit: str, wanted: str) -> float:
    amount, slash, per = text.strip().rpartition("/")
    per = per.strip()
    if not slash or per not in SECONDS_PER:
        said, _, hint = wanted.partition("; ")
        raise UnitError(f'"{_shown(text)}" does not say per what time {said}'.rstrip(), hint)
    return _as_float(_quantity(amount.strip(), unit) / SECONDS_PER[per], text)


def _quantity(text: str, unit: str) -> Fraction:
    if unit.endswith("/s"):
        return _rate(text, unit.removesuffix("/s"))
    match unit:
        case "seconds":
            return _duration(text)
        case "bytes":
            return _scaled(text, BYTES_PER, example="8GiB")
        case "cores":
            return _scaled(text, CORES_PER, example="0.5 cores")
        case "ratio":
            return _ratio(text)
        case _:
            return _count(text, unit)


def _rate(text: str, unit: str) -> Fraction:
    amount, slash, per = text.rpartition("/")
    per = per.strip()
    if not slash or per not in SECONDS_PER:
        raise UnitError(
            f'"{_shown(text)}" does not say per what time', f"write it with its time, such as {text or 1}/s"
        )
    return _quantity(amount.strip(), unit) / SECONDS_PER[per]


def _duration(text: str) -> Fraction:
    total = Fraction(0)
    at = 0
    last: Fraction | None = None
    while at < len(text) <= LONGEST_TEXT and (part := _DURATION_PART.match(text, at)):
        number, unit = part.groups()
        if unit not in SECONDS_PER:
            raise UnitError(f'"{_shown(text)}" has an unknown unit of time, "{unit}"', _time_hint(number, unit))
        if last is not None and SECONDS_PER[unit] >= last:
            raise UnitError(f'"{_shown(text)}" does not go from large to small', "write it like 1h30m, each unit once")
        last = SECONDS_PER[unit]
        total += Fraction(number) * last
        at = part.end()
    if at and at == len(text):
        return total
    if re.fullmatch(_NUMBER, text):
        raise UnitError(
            f'"{_shown(text)}" has no unit', f"write {text}ms, {text}s, {text}m or {text}h, whichever is meant"
        )
    raise UnitError(f'"{_shown(text)}" is not a duration', "write it like 250ms, 30s, 5m or 1h30m")


def _time_hint(number: str, unit: str) -> str:
    words = {
        "sec": "s",
        "secs": "s",
        "second": "s",
        "seconds": "s",
        "min": "m",
        "mins": "m",
        "minute": "m",
        "minutes": "m",
    }
    words |= {"hour": "h", "hours": "h", "hr": "h", "hrs": "h", "day": "d", "days": "d", "msec": "ms", "millis": "ms"}
    if unit in words:
        return f"write {number}{words[unit]}"
    return "the units are ms, s, m (minutes), h, d, w and y"


def _scaled(text: str, table: dict[str, Fraction], example: str) -> Fraction:
    number, unit = _split(text, example)
    if unit in table:
        return number * table[unit]
    names = ", ".join(table)
    if not unit:
        base = next(iter(table))
        written = f"{text}{base}" if len(base) == 1 else f"{text} {base}"
        raise UnitError(f'"{_shown(text)}" has no unit', f"write {written}, or with another of {names}")
    close = [name for name in table if name.lower() in {unit.lower(), f"{unit.lower()}b"}]
    hint = f"write {text[: -len(unit)]}{close[0]}" if close else f"the units are {names}"
    raise UnitError(f'"{_shown(text)}" has an unknown unit, "{unit}"', hint)


def _ratio(text: str) -> Fraction:
    number, unit = _split(text, "99.9%")
    if unit == "%":
        return number / 100
    if unit:
        raise UnitError(f'"{_shown(text)}" is not a ratio', "write it like 99.9% or 0.999")
    if not 0 <= number <= 1:
        plain = _decimal(number / 100)
        raise UnitError(
            f"a ratio of {_shown(text)} would mean {_decimal(number * 100, grouped=True)} %",
            f"write {text}% or {plain}",
        )
    return number


def _count(text: str, unit: str) -> Fraction:
    number, written = _split(text, f"5000 {unit}")
    if written not in {"", unit, unit.removesuffix("s")}:
        raise UnitError(
            f'"{_shown(text)}" is not in {unit}, the unit of this SLI', f"write it like 5000 {unit}, or 5000"
        )
    return number


def _split(text: str, example: str) -> tuple[Fraction, str]:
    found = _WRITTEN.fullmatch(text) if len(text) <= LONGEST_TEXT else None
    if found is None:
        raise UnitError(f'"{_shown(text)}" is not a number with a unit', f"write it like {example}")
    return Fraction(found[1]), (found[2] or "").strip()


def _decimal(number: Fraction, *, grouped: bool = False) -> str:
    """Write a finite decimal without exponent; all that people write is one."""
    return f"{float(number):{',' if grouped else ''}.12f}".rstrip("0").rstrip(".")


def _as_float(number: Fraction, text: str) -> float:
    try:
        return float(number)
    except OverflowError:
        raise UnitError(f'"{_shown(text)}" is beyond what a number can hold', "write a smaller one") from None


def _shown(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
