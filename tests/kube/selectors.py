"""Label and field selectors as the API reads them."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.kube.refusal import RefusalError

Test = Callable[[dict], bool]
_SET = re.compile(r"\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*")
_COMMA = re.compile(r",(?![^(]*\))")


def selector(labels: str, fields: str) -> Test | None:
    """A test of objects; None where everything is selected. Raises RefusalError (400)."""
    tests = [_label(part) for part in _COMMA.split(labels) if part.strip()]
    tests += [_field(part) for part in fields.split(",") if part.strip()]
    return (lambda found: all(test(found) for test in tests)) if tests else None


def matches_labels(wanted: dict, found: dict) -> bool:
    """Whether a LabelSelector of an object (`matchLabels`, `matchExpressions`) selects an object."""
    labels = found["metadata"].get("labels") or {}
    for each in wanted.get("matchExpressions") or ():
        values, value = each.get("values") or [], labels.get(each["key"])
        holds = {"In": value in values, "NotIn": value not in values, "Exists": value is not None,
                 "DoesNotExist": value is None}[each["operator"]]  # fmt: skip
        if not holds:
            return False
    return all(labels.get(key) == value for key, value in (wanted.get("matchLabels") or {}).items())


def _labels(found: dict) -> dict[str, str]:
    return found["metadata"].get("labels") or {}


def _label(text: str) -> Test:
    if among := _SET.fullmatch(text):
        key, word, values = among[1], among[2], {value.strip() for value in among[3].split(",")}
        if word == "in":
            return lambda found: _labels(found).get(key) in values
        return lambda found: _labels(found).get(key) not in values
    text = text.strip()
    for sign in ("!=", "==", "="):
        if sign in text:
            key, value = (part.strip() for part in text.split(sign, 1))
            if sign == "!=":
                return lambda found: _labels(found).get(key) != value
            return lambda found: _labels(found).get(key) == value
    if text.startswith("!"):
        return lambda found: text[1:] not in _labels(found)
    if re.fullmatch(r"[\w./-]+", text) is None:
        raise RefusalError(400, f"unable to parse requirement: found '{text}'")
    return lambda found: text in _labels(found)


def _field(text: str) -> Test:
    sign = next((sign for sign in ("!=", "==", "=") if sign in text), None)
    if sign is None:
        raise RefusalError(400, f"invalid selector: '{text}'; can't understand '{text}'")
    path, value = text.split(sign, 1)

    def found_is(found: dict) -> bool:
        here: object = found
        for part in path.split("."):
            here = here.get(part) if isinstance(here, dict) else None
        return (str(here) if here is not None else "") == value

    return (lambda found: not found_is(found)) if sign == "!=" else found_is
