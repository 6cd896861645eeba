"""Pieces of PromQL: numbers, quoted texts, bucket bounds in every spelling, and a choice by the limit of a series."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

from sloagent.model.slo import Labels, Limit, Objective


def number(value: float) -> str:
    """A number that PromQL reads as the same float: `0.99`, `8589934592`, `1e-09`."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def quoted(value: str) -> str:
    """A text in double quotes, as PromQL and Go read it."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\x7f")


def spellings(bound: float) -> tuple[str, ...]:
    """How a bucket bound may be written in the label `le`.

    Plain, and with `.0`: Go's client writes `1`, with OpenMetrics `1.0`, as do Python, Java and, whatever it scraped,
    Prometheus 3. With an exponent where Go (from 1e+06, below 0.0001), Python and Rust or Java (from 1.0E7, below 0.001)
    do it.
    """
    plain = format(Decimal(repr(bound)), "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    found = [plain] if "." in plain else [plain, f"{plain}.0"]
    mantissa, _, exponent = f"{Decimal(repr(bound)).normalize():e}".partition("e")
    power = int(exponent or 0)
    if not -3 <= power < 6:
        sign = "-" if power < 0 else "+"
        fraction = mantissa if "." in mantissa else f"{mantissa}.0"
        found += [f"{mantissa}e{sign}{abs(power):02d}", f"{mantissa}e{power}", f"{fraction}E{power}"]
    return tuple(dict.fromkeys(found))


def bound_matcher(bound: float) -> str:
    """The matcher of the bucket with this bound, in each of its spellings."""
    escaped = (spelling.replace(".", "\\.").replace("+", "\\+") for spelling in spellings(bound))
    return f"le=~{quoted('|'.join(escaped))}"


def indented(expression: str) -> str:
    """The expression two columns further in."""
    return "\n".join(f"  {line}" for line in expression.splitlines())


def enclosed(expression: str) -> str:
    """The expression in brackets, on lines of its own."""
    return f"(\n{indented(expression)}\n)"


def by_limit(objective: Objective, expression: Callable[[Limit], str]) -> str:
    """What holds for each series under its own limit: the first override whose labels match, else the general one."""
    if not objective.overrides:
        return expression(objective.limit)
    parts, before = [], ""
    for override in objective.overrides:
        chosen = _of_labels(override.match)
        parts.append(f"{enclosed(expression(override.limit))}\nand {chosen}{before}")
        before += f"\nunless {chosen}"
    parts.append(f"{enclosed(expression(objective.limit))}{before}")
    return "\nor\n".join(enclosed(part) for part in parts)


def _of_labels(match: Labels) -> str:
    """A matching with one series that has these labels; an empty value is a missing label."""
    constant = "vector(1)"
    for name, value in match:
        if value:
            constant = f'label_replace({constant}, "{name}", {quoted(value.replace("$", "$$"))}, "", "")'
    return f"on ({', '.join(name for name, _ in match)}) {constant}"
