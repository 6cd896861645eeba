"""A log line is one line of plain text, whatever a peer or a file puts into the message."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest

from sloagent.cli import logs

HOSTILE = 'a\x1b[31mb\x9b2Jc\u202ed\x00e\r\nf\u2028g\ud800h\U000e0001i "quoted" <script>'


def written(monkeypatch: pytest.MonkeyPatch, style: str, message: str) -> str:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    before = logging.getLogger().handlers[:]
    try:
        logs.configure("info", style)
        logging.getLogger("sloagent").warning("%s", message)
    finally:
        logging.getLogger().handlers[:] = before
    return stream.getvalue()


@pytest.mark.parametrize("style", ["json", "logfmt"])
def test_a_hostile_message_stays_on_one_line_and_steers_no_terminal(monkeypatch: pytest.MonkeyPatch, style: str):
    line = written(monkeypatch, style, HOSTILE)
    assert line.endswith("\n")
    assert line[:-1].isprintable()
    if style == "json":
        assert json.loads(line)["msg"] == HOSTILE
    else:
        assert json.loads(line.partition("msg=")[2]) == HOSTILE


@pytest.mark.parametrize("style", ["json", "logfmt"])
def test_a_message_without_an_end_is_cut_with_a_mark(monkeypatch: pytest.MonkeyPatch, style: str):
    line = written(monkeypatch, style, "x" * 1_000_000)
    assert len(line) < logs.LONGEST_MESSAGE + 200
    assert "x… (1,000,000 characters)" in line


def test_a_plain_word_needs_no_quotes(monkeypatch: pytest.MonkeyPatch):
    assert " level=warning msg=ready\n" in written(monkeypatch, "logfmt", "ready")
