from __future__ import annotations

from sloagent.report.charts.naming import cut, lengths, shown, width_of


def test_a_wide_character_takes_twice_the_room() -> None:
    assert width_of("变更") == 2 * width_of("ab")
    assert cut("变更类 API 调用时延", 9) == "变更类 A…"


def test_a_name_comes_in_ever_shorter_lengths_with_the_room_that_each_needs() -> None:
    found = lengths("3 the etcd of the control plane was stalled for five minutes", "3")
    assert [text for text, _ in found] == [
        "3 the etcd of the control plane was stalled for five minutes",
        "3 the etcd of the contr…",
        "3 the etcd…",
        "3",
    ]
    assert [room for _, room in found] == sorted((room for _, room in found), reverse=True)


def test_nothing_in_a_name_is_invisible_or_endless() -> None:
    assert shown("a\nb\u202e") == "a\\nb\\u202e"
    assert len(shown("x" * 100_000)) <= 60
