"""Facts about the test bed in a run file: the fields of `model.facts` by their names, without those that say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass

import msgspec

from sloagent.app.run_file_mistake import MistakeError, explained
from sloagent.model.facts import Facts

_LATEST = 253_402_300_799
"""The last second of the year 9999."""


def facts_shape(facts: Facts) -> dict[str, object]:
    """Facts as they lie in the file."""
    return _block(facts)


def read_facts(written: Mapping[str, object]) -> Facts:
    """The facts that lie in the file. Raises MistakeError."""
    try:
        facts = msgspec.convert(written, Facts)
    except msgspec.ValidationError as error:
        raise explained(str(error)) from None
    if where := _more(written, _block(facts)):
        raise MistakeError("unknown field, or one that says nothing", where)
    collected = facts.collected
    times = [
        time for one in collected.components for time in (*one.started, *(edge for gap in one.gaps for edge in gap))
    ]
    times += [edge for gap in collected.gaps for edge in gap]
    if strange := next((time for time in times if not 0 <= time <= _LATEST), None):
        raise MistakeError(f"{strange:g} is no time: write seconds since 1970, before the year 10000", "collected")
    return facts


def _block(value: object) -> dict[str, object]:
    assert is_dataclass(value)
    found = {}
    for field in fields(value):
        held = getattr(value, field.name)
        default = field.default if field.default_factory is MISSING else field.default_factory()
        if held != default:
            found[field.name] = _plain(held)
    return found


def _plain(value: object) -> object:
    match value:
        case tuple():
            return [_plain(entry) for entry in value]
        case Mapping():
            return {name: _plain(entry) for name, entry in value.items()}
        case str() | int() | float() | None:
            return value
        case _:
            return _block(value)


def _more(written: object, meant: object, where: str = "") -> str:
    """The place of the first field that is written and was not read; empty where there is none."""
    steps: list[tuple[str, object, object]] = []
    if isinstance(written, dict) and isinstance(meant, dict):
        for name, entry in written.items():
            step = f"{where}.{name}" if where else name
            if name not in meant:
                return step
            steps.append((step, entry, meant[name]))
    elif isinstance(written, list) and isinstance(meant, list):
        steps = [(f"{where}[{place}]", *pair) for place, pair in enumerate(zip(written, meant, strict=True))]
    return next((found for step, entry, read in steps if (found := _more(entry, read, step))), "")
