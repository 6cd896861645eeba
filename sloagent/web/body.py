"""The JSON body of a request: an object of a few texts, strictly."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Mapping

from starlette.requests import Request

_MEDIA_TYPE = "application/json"
_SHOWN = 40


class BodyError(Exception):
    """The body is not what it should be; `status` is that of the answer."""

    def __init__(self, message: str, hint: str = "", *, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.status = status


async def fields(request: Request, needed: Collection[str], optional: Collection[str]) -> dict[str, object]:
    """The fields of the body: those that are needed, and no others than these. Raises BodyError.

    No body at all is one without fields. The guard has read it and held its length to `web.max_body`.
    """
    content = await request.body()
    found: Mapping[str, object] = {}
    if content:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != _MEDIA_TYPE:
            raise BodyError(
                f"the body is {media_type[:_SHOWN] or 'of no type'}, and JSON is needed",
                f"send it with Content-Type: {_MEDIA_TYPE}", status=415,
            )  # fmt: skip
        found = _object(content)
    known = [*needed, *optional]
    for name in found:
        if name not in known:
            close = difflib.get_close_matches(name[:_SHOWN], known, n=1)
            raise BodyError(
                f'unknown field "{name[:_SHOWN]}"',
                f'did you mean "{close[0]}"?' if close else f"the fields are {', '.join(known)}",
            )
    for name in needed:
        if name not in found:
            raise BodyError(f'the field "{name}" is missing', f"needed are {', '.join(needed)}")
    return dict(found)


def text(found: Mapping[str, object], name: str, otherwise: str = "") -> str:
    """The text of a field, `otherwise` where it is left out. Raises BodyError."""
    value = found.get(name, otherwise)
    if not isinstance(value, str):
        raise BodyError(f'the field "{name}" needs a text', "write it in quotes, or leave the field out")
    return value


def texts(found: Mapping[str, object], name: str) -> dict[str, str]:
    """The names and texts of a field, none where it is left out. Raises BodyError."""
    value = found.get(name, {})
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise BodyError(f'the field "{name}" needs an object of texts', f'such as {{"{name}": {{"mode": "push"}}}}')
    return value


def _object(content: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(content.decode("utf-8"), object_pairs_hook=_each_once)
    except UnicodeDecodeError as error:
        raise BodyError(f"the body is not UTF-8: byte {error.start} is 0x{content[error.start]:02X}") from None
    except json.JSONDecodeError as error:
        said = error.msg[:1].lower() + error.msg[1:]
        raise BodyError(f"the body is not JSON: {said}, line {error.lineno} column {error.colno}") from None
    except (RecursionError, ValueError):  # nested without end; a number of more digits than Python reads
        raise BodyError("the body is not an object of texts") from None
    if not isinstance(found, dict):
        raise BodyError("the body is JSON and not an object", 'write it like {"name": "soak-7"}')
    return found


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise BodyError(f'the field "{name[:_SHOWN]}" stands there twice')
        found[name] = value
    return found
