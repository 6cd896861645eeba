"""No piece of a secret is left of a peer's words, however it repeats them; what is no secret stays readable."""

from __future__ import annotations

import base64
import html
import json
import os
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.errors import PeerError
from sloagent.peer.redaction import without
from sloagent.peer.secrets import LARGEST_SECRET_BYTES, Identity
from sloagent.peer.settings import HTTPConfig

SECRET = 'c4nary/K+7<&"q=zW1'
TOKEN = base64.b64encode(b"reader:" + SECRET.encode()).decode()


@pytest.mark.parametrize(
    "said",
    [
        SECRET, f"Bearer {SECRET}!", html.escape(SECRET), json.dumps(SECRET), quote(SECRET), quote_plus(SECRET, safe=""),
        *(base64.b64encode(before + SECRET.encode() + b"..").decode() for before in (b"", b"a", b"ab", b"Bearer ")),
        base64.urlsafe_b64encode(b"x" + SECRET.encode()).decode(), TOKEN, quote(TOKEN, safe=""),
        SECRET[:12] + "\n" + SECRET[12:], SECRET[:9], "…" + SECRET[8:],
    ],
)  # fmt: skip
def test_a_repeated_secret_is_hidden(said: str):
    shown = without(f"you sent {said} to us", [SECRET])
    assert shown.startswith("you sent ")
    assert shown.endswith(" to us")
    assert "<secret>" in shown
    left = shown.replace("<secret>", "")
    assert not [SECRET[at : at + 6] for at in range(len(SECRET) - 5) if SECRET[at : at + 6] in left]
    assert "c4nary" not in left
    assert TOKEN[12:-4] not in left


@given(st.text(min_size=1, max_size=40), st.text(max_size=60), st.integers(0, 3))
def test_whatever_the_secret_it_is_gone(secret: str, around: str, times: int):
    shown = without(around.join([secret] * (times + 1)), [secret])
    assert secret not in shown.replace("<secret>", "\0") or secret == "\0"


def test_words_that_hold_no_secret_stay_as_they_are():
    assert (
        without("query timed out in expression evaluation", [SECRET, TOKEN])
        == "query timed out in expression evaluation"
    )
    assert without("", [SECRET]) == ""
    assert without("anything", []) == "anything"


def test_a_secret_that_was_changed_meanwhile_is_hidden_too(tmp_path: Path):
    file = tmp_path / "token"
    file.write_text("c4nary-before")
    identity = Identity(HTTPConfig(authorization={"credentials_file": file}))
    assert identity.headers()["Authorization"] == "Bearer c4nary-before"
    file.write_text("c4nary-behind-it")
    assert identity.headers()["Authorization"] == "Bearer c4nary-behind-it"
    assert "c4nary" not in identity.redact("c4nary-before and c4nary-behind-it")
    file.unlink()
    assert "c4nary" not in identity.redact("c4nary-before and c4nary-behind-it"), "the file is gone, the secret is not"


def test_a_file_of_the_same_size_and_time_is_read_again_after_a_refusal(tmp_path: Path):
    file = tmp_path / "token"
    file.write_text("c4nary-1")
    identity = Identity(HTTPConfig(authorization={"credentials_file": file}))
    identity.headers()
    seen = file.stat()
    file.write_text("c4nary-2")
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert identity.headers()["Authorization"] == "Bearer c4nary-1"
    identity.forget()
    assert identity.headers()["Authorization"] == "Bearer c4nary-2"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda file: file.write_bytes(b"x" * (LARGEST_SECRET_BYTES + 1)), "larger than 65,536 bytes"),
        (lambda file: file.symlink_to("/dev/zero"), "is no regular file"),
        (os.mkfifo, "is no regular file"),
        (lambda file: file.mkdir(), "is no regular file"),
        (lambda file: file.write_bytes(b"\xff"), "it is not text"),
        (lambda file: None, "no such file"),
    ],
)
def test_a_file_that_holds_no_secret_is_told_and_never_waited_for(tmp_path: Path, make: object, words: str):
    make(tmp_path / "token")  # type: ignore[operator]
    identity = Identity(HTTPConfig(authorization={"credentials_file": tmp_path / "token"}))
    with pytest.raises(PeerError) as caught:
        identity.headers()
    assert words in caught.value.message.lower()
