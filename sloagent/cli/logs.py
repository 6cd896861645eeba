"""The daemon's log lines, on standard error: logfmt or JSON, one event a line."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

LONGEST_MESSAGE = 4_000
"""Characters of one message that are written."""


class _Line(logging.Formatter):
    def __init__(self, style: str) -> None:
        super().__init__()
        self._json = style == "json"

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the message or traceback holds."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {
            "ts": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "msg": _cut(record.getMessage()),
        }
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        if self._json:
            return _visible(json.dumps(fields, ensure_ascii=False))
        return " ".join(f"{name}={_quoted(text)}" for name, text in fields.items())


def _quoted(text: str) -> str:
    plain = text.isprintable() and text and not set(text) & {" ", '"', "="}
    return text if plain else _visible(json.dumps(text, ensure_ascii=False))


def _visible(text: str) -> str:
    r"""JSON in which nothing is left that a terminal obeys or hides: escapes, C1 controls, changes of direction."""
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _cut(message: str) -> str:
    """The message; of one without an end the beginning, and how long it was."""
    if len(message) <= LONGEST_MESSAGE:
        return message
    return f"{message[:LONGEST_MESSAGE]}… ({len(message):,} characters)"


def configure(level: str, style: str) -> None:
    """Send sloagent's and its libraries' log lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line(style))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("sloagent").setLevel(level.upper())
