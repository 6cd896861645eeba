"""What may be offered to a person as a link."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LONGEST_LINK = 8_192
"""Characters. A query in a link to Prometheus is long."""
_NO_LINK = re.compile(r"[\x00-\x20\x7f-\xa0<>\"\\^`{|}\ud800-\udfff]|%(?![0-9a-fA-F]{2})")


def is_link(text: str) -> bool:
    """Whether a text is an http or https address that every parser reads alike, without a user and what does not print."""
    if len(text) > LONGEST_LINK or _NO_LINK.search(text) or not text.isprintable():
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
