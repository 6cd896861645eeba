"""Pieces of PromQL: numbers, quoted texts, and a choice by the limit of a series."""

from __future__ import annotations

import json
from collections.abc import Callable

from sloagent.model.slo import Labels, Limit, Objective


def number(value: float) -> str:
    """A number that PromQL reads as the same float: `0.99`, `8589934592`, `1e-09`."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def quoted(value: str) -> str:
    """A text in double quotes, as PromQL and Go read it."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\x7f")


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
