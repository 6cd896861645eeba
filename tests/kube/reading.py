"""Lists: what a resourceVersion, a limit and a continue token mean to an API server."""

from __future__ import annotations

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping

from tests.kube.refusal import RefusalError
from tests.kube.selectors import selector
from tests.kube.store import Collection, encode


def listed(collection: Collection, namespace: str, query: Mapping[str, str], *, partial: bool) -> bytes:
    """One page. Raises RefusalError: 400, 410 for a token or version that is too old, 504 for one that is to come."""
    begin, version, limit = _asked(collection, query)
    try:
        keys, now = collection.at(version)
    except RefusalError:
        if not begin:
            raise
        again = _token(-1, begin)
        raise RefusalError(
            410,
            "The provided continue parameter is too old to display a consistent list result. You can start a new list"
            " without the continue parameter, or use the continue token in this response to retrieve the remainder of the"
            " results.",
            more={"metadata": {"continue": again}},
        ) from None
    first, end = _span(keys, namespace)
    if begin:
        first = bisect_right(keys, begin, first, end)
    wanted = selector(query.get("labelSelector", ""), query.get("fieldSelector", ""))
    bare = collection.resource.items_bare
    items, place = [], first
    while place < end and not (limit and len(items) == limit):
        stored = now[keys[place]]
        if wanted is None or wanted(stored.thing):
            items.append(stored.partial if partial else stored.item(bare=bare))
        place += 1
    metadata: dict[str, object] = {"resourceVersion": str(version)}
    if place < end:
        metadata["continue"] = _token(version, keys[place - 1])
        if wanted is None:
            metadata["remainingItemCount"] = end - place
    kind, api = (
        ("PartialObjectMetadata", "meta.k8s.io/v1") if partial else (collection.kind, collection.resource.api_version)
    )
    head = encode({"kind": f"{kind}List", "apiVersion": api, "metadata": metadata})
    return head[:-1] + b',"items":[' + b",".join(items) + b"]}\n"


def _asked(collection: Collection, query: Mapping[str, str]) -> tuple[str, int, int]:
    """After which key, at which version, how many at most (0: all)."""
    now = collection.cluster.version
    asked, match = query.get("resourceVersion", ""), query.get("resourceVersionMatch", "")
    try:
        limit, version = int(query.get("limit") or 0), int(asked or 0)
    except ValueError:
        raise RefusalError(400, f'Invalid value: "{asked}": strconv.ParseUint: parsing: invalid syntax') from None
    if token := query.get("continue", ""):
        if asked not in ("", "0"):
            raise RefusalError(400, "specifying resource version is not allowed when using continue")
        try:
            read = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            return read["start"], now if read["rv"] == -1 else read["rv"], limit
        except (ValueError, KeyError, TypeError):
            raise RefusalError(400, "continue key is not valid") from None
    if match and not asked:
        raise RefusalError(400, "resourceVersionMatch is forbidden unless resourceVersion is provided")
    if version > now:
        raise RefusalError(504, f"Too large resource version: {version}, current: {now}", retry_after=1,
                      more={"details": {"causes": [{"reason": "ResourceVersionTooLarge",
                                                    "message": "Too large resource version"}]}})  # fmt: skip
    if asked == "0":
        return "", now, 0  # from the watch cache, which takes no limit
    exact = match == "Exact" or (asked and limit and match != "NotOlderThan")
    return "", version if exact else now, limit


def _token(version: int, key: str) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": key})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _span(keys: list[str], namespace: str) -> tuple[int, int]:
    if not namespace:
        return 0, len(keys)
    return bisect_left(keys, f"{namespace}/"), bisect_left(keys, f"{namespace}0")
