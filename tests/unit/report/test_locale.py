from __future__ import annotations

import re
import string

from sloagent.model.comparison import Change
from sloagent.model.record import Absence
from sloagent.model.slo import Status
from sloagent.model.verdict import Outcome
from sloagent.report.locale import LANGUAGES
from tests.unit.report.sample import REPOSITORY


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_language_has_the_same_keys_with_the_same_numbers_in_them() -> None:
    english = LANGUAGES["en"]
    for words in LANGUAGES.values():
        assert words.keys() == english.keys()
        assert {key: _fields(text) for key, text in words.items()} == {k: _fields(t) for k, t in english.items()}


def test_what_is_said_in_chinese_is_chinese() -> None:
    shared = {key for key, text in LANGUAGES["zh"].items() if not re.search(r"[\u4e00-\u9fff]", text)}
    assert not {key for key in shared if re.search(r"[A-Za-z]{4}", re.sub(r"\{.*?\}", "", LANGUAGES["zh"][key]))} - {
        "prometheus", "promql", "curl",
    }  # fmt: skip


def test_every_key_is_used_somewhere() -> None:
    code = REPOSITORY / "sloagent" / "report"
    files = [*(file for file in code.rglob("*.py") if file.parent.name != "locale")]
    text = "\n".join(file.read_text() for file in [*files, *(REPOSITORY / "reports").rglob("*.j2")])
    used = set(re.findall(r'"([a-z_]+)"', text))
    used |= {value.value for values in (Outcome, Absence, Status, Change) for value in values}
    # Keys that are put together: the first part stands in the code with what follows it, as in f"read_{key}".
    used |= {head + word for head in re.findall(r'f"([a-z]+_)\{', text) for word in used}
    assert set(LANGUAGES["en"]) - used == set()
