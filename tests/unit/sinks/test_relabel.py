"""Relabelling rules by hand; tests/e2e/test_relabel_oracle.py asks Prometheus itself."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sloagent.sinks.relabel import RelabelConfig, relabelled

LABELS = (("alertname", "SLOViolated"), ("severity", "page"), ("slo", "api-latency"))


def after(*rules: dict[str, object]) -> dict[str, str] | None:
    found = relabelled(LABELS, [RelabelConfig(**rule) for rule in rules])  # type: ignore[arg-type]
    return None if found is None else dict(found)


def test_without_rules_labels_stay_as_they_are():
    assert relabelled(LABELS, []) == LABELS


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({"target_label": "cluster", "replacement": "prod"}, {"cluster": "prod"}),
        ({"source_labels": ["slo"], "regex": "(.*)-latency", "target_label": "slo"}, {"slo": "api"}),
        ({"source_labels": ["slo"], "regex": "api", "target_label": "slo", "replacement": "x"}, {}),
        ({"source_labels": ["severity", "slo"], "target_label": "both"}, {"both": "page;api-latency"}),
        ({"source_labels": ["severity"], "action": "uppercase", "target_label": "severity"}, {"severity": "PAGE"}),
        ({"source_labels": ["slo"], "action": "hashmod", "modulus": 8, "target_label": "shard"}, {"shard": "1"}),
        (
            {"regex": "(s.*)", "action": "labelmap", "replacement": "x_$1"},
            {"x_severity": "page", "x_slo": "api-latency"},
        ),
    ],
)
def test_a_rule_sets_labels(rule: dict[str, object], found: dict[str, str]):
    assert after(rule) == dict(LABELS) | found


def test_a_label_set_to_nothing_goes():
    assert after({"target_label": "slo", "replacement": ""}) == {"alertname": "SLOViolated", "severity": "page"}
    assert after({"regex": "s.*", "action": "labeldrop"}) == {"alertname": "SLOViolated"}
    assert after({"regex": "slo", "action": "labelkeep"}) == {"slo": "api-latency"}


def test_rules_keep_and_drop_and_follow_each_other():
    assert after({"source_labels": ["severity"], "regex": "info", "action": "drop"}) == dict(LABELS)
    assert after({"source_labels": ["severity"], "regex": "page", "action": "drop"}) is None
    assert after({"source_labels": ["severity"], "regex": "pag", "action": "keep"}) is None, "anchored"
    assert after({"source_labels": ["severity"], "action": "dropequal", "target_label": "severity"}) is None
    copied = {"source_labels": ["slo"], "target_label": "severity"}
    assert after(copied, {"source_labels": ["severity"], "action": "keepequal", "target_label": "slo"}) is not None


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"action": "replace"}, "the action replace needs a target_label"),
        ({"action": "hashmod", "target_label": "a"}, "the action hashmod needs a modulus of 1 or more"),
        ({"target_label": "a-b"}, 'the target_label "a-b" is no name of a label'),
        ({"action": "labelmap", "replacement": "-"}, 'the replacement "-" of a labelmap makes no name of a label'),
        ({"action": "labeldrop", "source_labels": ["a"]}, "the action labeldrop has no source_labels; it takes regex"),
        (
            {"action": "keepequal", "target_label": "a", "regex": "x"},
            "has no regex; it takes source_labels, target_label",
        ),
        ({"action": "drop", "source_labels": ["a-b"]}, 'source_labels has "a-b", which is no name of a label'),
        ({"action": "drop", "regex": "a(?!b)"}, 'the regex "a(?!b)" cannot be read: of what begins with (?'),
        ({"action": "drop", "regex": r"(a)\1"}, r"cannot be read: \1 is not known"),
        ({"action": "drop", "regex": r"\pL"}, r"cannot be read: \p is not known"),
        ({"action": "drop", "regex": "a*+"}, "cannot be read: a repetition is repeated"),
        ({"action": "drop", "regex": "[[:alpha:]]"}, "cannot be read"),
        ({"action": "drop", "regex": "("}, "cannot be read: missing )"),
        ({"action": "Drop"}, "Input should be 'replace', 'keep'"),
    ],
)
def test_a_rule_that_cannot_be_done_is_refused_in_a_sentence(rule: dict[str, object], words: str):
    with pytest.raises(ValidationError) as caught:
        RelabelConfig(**rule)  # type: ignore[arg-type]
    assert words in str(caught.value)


@pytest.mark.parametrize("regex", [r"[*+]+", r"\(\?=", r"[a\]b]+", "(?i)x", "(?P<n>a)", r"a\+\+", "[^]]+", "a{1,2}?"])
def test_what_only_looks_foreign_is_taken(regex: str):
    RelabelConfig(action="drop", regex=regex)
