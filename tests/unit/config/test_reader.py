from __future__ import annotations

import json
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sloagent.config.document import LINE_BREAK
from sloagent.config.reader import DEEPEST, LARGEST_FILE_BYTES, MOST_NODES, parse


def value_of(text: str) -> object:
    document = parse("a.yaml", text.encode())
    assert document.problems == ()
    return document.value


def checks_of(content: bytes | str) -> list[str]:
    return [
        problem.check for problem in parse("a.yaml", content.encode() if isinstance(content, str) else content).problems
    ]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("y", "y"), ("1:30", "1:30"), ("2026-11-22", "2026-11-22"),
        ("1e3", 1000.0), ("true", True), ("False", False), ("null", None), ("~", None), ("", None), ("0", 0),
        ("-7", -7), ("0x1F", 31), (".5", 0.5), ("99.9%", "99.9%"), ("=", "="), ("0b1", "0b1"), ('"010"', "010"),
        ("'1e3'", "1e3"),
        ('"no"', "no"),
        ("1" * 70, "1" * 70),
    ],
)  # fmt: skip
def test_plain_scalars_follow_yaml_1_2_and_quoted_ones_are_text(written, read):
    found = value_of(f"a: {written}\n")["a"]
    assert found == read
    assert type(found) is type(read)


@pytest.mark.parametrize("trap", ["010", "-010", "0o10", "1_000", "1_000.5", ".nan", ".inf", "-.INF", "1e999"])
def test_what_readers_of_yaml_disagree_on_is_a_problem(trap):
    assert checks_of(f"a: {trap}\n") == ["yaml/trap"]


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("a: 1\na: 2\n", "yaml/duplicate-key"),
        ("a: &x 1\nb: *x\n", "yaml/alias"),
        ("a: !!python/object/apply:os.system [date]\n", "yaml/tag"),
        ("? [a]\n: b\n", "yaml/key"),
        ("a: 1\n---\nb: 2\n", "yaml/documents"),
        ("", "yaml/empty"),
        ("# only a comment\n", "yaml/empty"),
        ("a: [1\n", "yaml/syntax"),
        ("\ta: 1\n", "yaml/syntax"),
        ("a: \x00\n", "yaml/encoding"),
        ("[" * 60 + "]" * 60, "yaml/depth"),
        ("- a\n" * (MOST_NODES + 1), "yaml/size"),
    ],
)
def test_a_hostile_or_broken_text_is_a_problem(text, check):
    assert check in checks_of(text)


def test_bytes_that_are_not_utf_8_are_found_at_their_place():
    problem = parse("a.yaml", "a: 1\nb: größe\n".encode("latin-1")).problems[0]
    assert (problem.check, problem.line, problem.column) == ("yaml/encoding", 2, 6)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_are_refused(encoding):
    assert set(checks_of("a: 1\n".encode(encoding))) == {"yaml/encoding"}


def test_a_byte_order_mark_and_windows_line_ends_are_accepted():
    document = parse("a.yaml", b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert document.value == {"a": 1, "b": 2}
    assert (document.keys[("a",)].column, document.keys[("b",)].line) == (1, 2)


def test_a_bomb_of_aliases_is_refused_unexpanded():
    text = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    started = time.process_time()
    assert set(checks_of(text)) == {"yaml/alias"}
    assert time.process_time() - started < 1


@pytest.mark.parametrize("unit", ["[", "? ", "a: ", '"', "&a ", "!", "a\n", "{a: "])
def test_ten_megabytes_of_anything_are_read_within_seconds(unit):
    text = (unit * (LARGEST_FILE_BYTES // len(unit))).encode()
    started = time.process_time()
    parse("a.yaml", text)
    assert time.process_time() - started < 5


def test_a_file_beyond_the_bound_is_refused_before_it_is_parsed():
    started = time.process_time()
    assert checks_of(b"a" * (LARGEST_FILE_BYTES + 1)) == ["yaml/size"]
    assert time.process_time() - started < 0.1


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn"]), min_size=1, max_size=8)
TREES = st.recursive(
    st.one_of(WORDS, st.integers(-999, 999), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=12,
)


def token_at(document, mark) -> str:
    return document.lines[mark.line - 1][mark.column - 1 :][: mark.length]


@given(st.dictionaries(WORDS, TREES, min_size=1, max_size=4), st.sampled_from([None, 2]))
def test_every_position_points_at_its_token(tree, indent):
    text = json.dumps(tree, ensure_ascii=False, indent=indent)  # JSON is YAML, written by somebody else
    text = text.replace("\x7f", "")
    document = parse("a.yaml", text.encode())
    assume("\n".join(document.lines) == document.text)  # nothing looked like a secret, whose lines are hidden
    if document.problems:  # the few characters that JSON allows and YAML does not
        assert {problem.check for problem in document.problems} <= {
            "yaml/encoding",
            "yaml/syntax",
            "yaml/duplicate-key",
        }
        return
    assert document.value == json.loads(text)
    for path, mark in document.keys.items():
        assert json.loads(token_at(document, mark)) == path[-1]
    for path, mark in document.values.items():
        found = document.at(path)
        if isinstance(found, dict | list):
            assert token_at(document, mark) == ("{" if isinstance(found, dict) else "[")
        elif not LINE_BREAK.search(str(found)):
            assert json.loads(token_at(document, mark)) == found


@given(st.binary(max_size=300))
def test_any_bytes_are_a_document_or_problems(content):
    document = parse("a.yaml", content)
    assert document.problems or document.value is not None or not content.strip() or value_is_null(document)


def value_is_null(document) -> bool:
    return document.values != {}


def test_depth_just_within_the_bound_is_accepted():
    assert checks_of("[" * DEEPEST + "]" * DEEPEST) == []
