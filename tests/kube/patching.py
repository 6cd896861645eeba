"""Patches: RFC 7386 (merge) and RFC 6902 (JSON)."""

from __future__ import annotations

from copy import deepcopy

from tests.kube.refusal import RefusalError

MERGE, JSON = "application/merge-patch+json", "application/json-patch+json"


def applied(thing: dict, body: object, content_type: str) -> dict:
    """The object with a patch applied. Raises RefusalError."""
    if content_type == MERGE and isinstance(body, dict):
        return merged(thing, body)
    if content_type == JSON and isinstance(body, list):
        changed = deepcopy(thing)
        for operation in body:
            _operate(changed, operation)
        return changed
    if content_type in (MERGE, JSON):
        raise RefusalError(400, f"a body of {content_type} cannot be a {type(body).__name__}")
    raise RefusalError(415, "the body of the request was in an unknown format - accepted media types include:"
                  f" {JSON}, {MERGE}")  # fmt: skip


def merged(thing: object, change: object) -> object:
    """RFC 7386: null removes, objects are merged, all else replaces."""
    if not isinstance(change, dict):
        return change
    result = dict(thing) if isinstance(thing, dict) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def _operate(thing: object, operation: dict) -> None:
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    try:
        for part in way:
            thing = thing[int(part)] if isinstance(thing, list) else thing[part]
        if isinstance(thing, list):
            last = len(thing) if last == "-" else int(last)
        match operation["op"]:
            case "add":
                _add(thing, last, operation["value"])
            case "replace":
                del thing[last]  # raises where there is nothing
                _add(thing, last, operation["value"])
            case "remove":
                del thing[last]
            case "test":
                if thing[last] != operation["value"]:
                    raise RefusalError(
                        422, f"the server rejected our request: testing value {operation['path']} failed"
                    )
            case other:
                raise RefusalError(400, f"Unexpected kind: {other}")
    except (KeyError, IndexError, ValueError, TypeError):
        raise RefusalError(422, "the server rejected our request due to an error in our request") from None


def _add(thing: dict | list, last: str | int, value: object) -> None:
    if isinstance(thing, list):
        thing.insert(last, value)
    else:
        thing[last] = value
