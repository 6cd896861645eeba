"""Passwords: who is admitted, what is remembered, and that nothing can be made to coincide."""

from __future__ import annotations

import asyncio
import base64

import pytest

from sloagent.web import passwords
from sloagent.web.passwords import MOST_FAILED, MOST_PASSED, BusyError, Passwords, credentials
from tests.door import hashed

USERS = {b"anna": hashed("secret").encode(), b"bert": hashed("other").encode()}


def header(user: str, password: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{user}:{password}".encode())


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The passwords for which bcrypt was asked."""
    asked: list[bytes] = []
    real = passwords._check

    def counted(password: bytes, stored: bytes) -> bool:
        asked.append(password)
        return real(password, stored)

    monkeypatch.setattr(passwords, "_check", counted)
    return asked


def admitted(*attempts: tuple[str, str], door: Passwords | None = None) -> list[bool]:
    async def ask() -> list[bool]:
        doors = door or Passwords()
        return [await doors.admit(header(*attempt), USERS) for attempt in attempts]

    return asyncio.run(ask())


def test_a_user_is_admitted_with_the_own_password_and_no_other() -> None:
    assert admitted(("anna", "secret"), ("bert", "other")) == [True, True]
    assert admitted(("anna", "other"), ("bert", "secret"), ("anna", ""), ("", "secret")) == [False] * 4


def test_an_unknown_user_is_never_admitted_whatever_the_stand_in_is() -> None:
    unknown = [(f"nobody{number}", password) for number in range(8) for password in ("secret", "other")]
    assert not any(admitted(*unknown))


def test_an_unknown_user_costs_a_check_and_is_remembered_as_a_known_one_is(checks: list[bytes]) -> None:
    admitted(("nobody", "guess"), ("nobody", "guess"), ("anna", "guess"), ("anna", "guess"))
    assert checks == [b"guess", b"guess"]


def test_what_was_right_and_what_was_wrong_is_checked_once(checks: list[bytes]) -> None:
    assert admitted(("anna", "secret"), ("anna", "secret"), ("anna", "x"), ("anna", "x")) == [True, True, False, False]
    assert checks == [b"secret", b"x"]


def test_fifty_who_come_at_once_with_the_same_password_cost_one_check(checks: list[bytes]) -> None:
    async def all_at_once() -> list[bool]:
        door = Passwords()
        return await asyncio.gather(*(door.admit(header("anna", "secret"), USERS) for _ in range(20)))

    assert asyncio.run(all_at_once()) == [True] * 20
    assert checks == [b"secret"]


def test_a_changed_hash_is_asked_anew() -> None:
    async def change() -> tuple[bool, bool]:
        door = Passwords()
        before = await door.admit(header("anna", "secret"), USERS)
        return before, await door.admit(header("anna", "secret"), {b"anna": USERS[b"bert"]})

    assert asyncio.run(change()) == (True, False)


def test_parts_of_a_ticket_cannot_run_into_each_other() -> None:
    """CVE-2022-46146: user, hash and password joined without their lengths could give another's key."""
    door = Passwords()
    assert door._ticket(b"ab", b"c", b"d") != door._ticket(b"a", b"bc", b"d")
    assert door._ticket(b"a:b", b"c") != door._ticket(b"a", b"b:c")
    assert door._ticket(b"a", b"b") == door._ticket(b"a", b"b")
    assert door._ticket(b"a", b"b") != Passwords()._ticket(b"a", b"b"), "each process has a key of its own"


def test_guesses_drive_out_guesses_and_not_who_was_admitted() -> None:
    door = Passwords()
    door._remember(b"friend", matches=True)
    for number in range(MOST_FAILED + 10):
        door._remember(number.to_bytes(4, "big"), matches=False)
    assert door._seen(b"friend") is True
    assert (len(door._passed), len(door._failed)) == (1, MOST_FAILED)
    assert door._seen((0).to_bytes(4, "big")) is None
    for number in range(MOST_PASSED + 10):
        door._remember(number.to_bytes(4, "big"), matches=True)
    assert len(door._passed) == MOST_PASSED


def test_what_is_remembered_holds_no_password() -> None:
    door = Passwords()
    admitted(("anna", "secret"), ("anna", "wrong-guess"), door=door)
    held = repr(vars(door)).encode()
    assert b"secret" not in held
    assert b"wrong-guess" not in held


def test_too_many_that_wait_are_turned_away_and_the_remembered_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MOST_WAITING", 2)

    async def flood() -> list[object]:
        door = Passwords()
        await door.admit(header("anna", "secret"), USERS)
        guesses = [door.admit(header("bert", f"guess{number}"), USERS) for number in range(4)]
        return await asyncio.gather(*guesses, door.admit(header("anna", "secret"), USERS), return_exceptions=True)

    *guessed, known = asyncio.run(flood())
    assert known is True
    assert [type(one) for one in guessed] == [bool, bool, BusyError, BusyError]


def test_a_password_counts_to_its_72nd_byte_as_with_exporters() -> None:
    users = {b"anna": hashed("x" * 72).encode()}

    async def ask(password: str) -> bool:
        return await Passwords().admit(header("anna", password), users)

    assert asyncio.run(ask("x" * 72 + "y")) is True
    assert asyncio.run(ask("x" * 71 + "y")) is False
    assert asyncio.run(ask("x" * 71 + "\0")) is False


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"Basic",
        b"Basic ",
        b"Basic !!!",
        b"Basic YQ==",
        b"Bearer YTpi",
        b"Basic YTpi YTpi",
        b"\xff\xfe",
        b"Basic ==",
    ],
)
def test_a_header_that_is_not_basic_shows_nobody(wrong: bytes) -> None:
    assert credentials(wrong) is None
    assert asyncio.run(Passwords().admit(wrong, USERS)) is False


def test_a_header_is_read_as_the_standard_says() -> None:
    assert credentials(b"Basic " + base64.b64encode("anna:a:b ä".encode())) == (b"anna", "a:b ä".encode())
    assert credentials(b"bAsIc YTpi") == (b"a", b"b")
    assert credentials(b"Basic Og==") == (b"", b"")
