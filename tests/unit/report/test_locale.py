from __future__ import annotations

import re
import string

from sloagent.report.locale import LANGUAGES
from tests.unit.report.sample import REPOSITORY


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_language_has_the_same_keys_with_the_same_numbers_in_them() -> None:
    english = LANGUAGES["en"]
    for words in LANGUAGES.values():
        assert words.keys() == english.keys()
        assert {key: _fields(text) for key, text in words.items()} == {k: _fields(t) for k, t in english.items()}


def test_every_key_is_used_somewhere() -> None:
    files = [*(REPOSITORY / "sloagent" / "report").glob("*.py"), *(REPOSITORY / "reports").glob("*.j2")]
    used = set(re.findall(r'"([a-z_]+)"', "\n".join(file.read_text() for file in files)))
    by_value = {"pass", "warn", "fail", "inconclusive", "no_data", "error", "measured", "official", "wip"}
    assert set(LANGUAGES["en"]) - by_value <= used
