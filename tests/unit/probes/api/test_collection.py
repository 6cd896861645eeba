"""Objects as they are changed and made: nothing of them is touched but what is ours."""

from __future__ import annotations

import json

import pytest

from sloagent.probes.api.churn import parts
from sloagent.probes.api.collection import annotated
from sloagent.probes.api.settings import ApiLoadSettings

LABELS = {"sloagent.io/load": "c"}


@pytest.mark.parametrize("annotations", [{}, {"annotations": None}, {"annotations": {"theirs": "kept"}}])
def test_an_annotation_is_changed_and_nothing_else(annotations):
    found = {
        "kind": "Pod", "metadata": {"name": "p", "resourceVersion": "7", **annotations},
        "spec": {"cpu": 0.1, "big": 12345678901234567890, "none": None},
    }  # fmt: skip
    text = annotated(json.dumps(found).encode(), "ours", "1")
    expected = {**found, "metadata": {**found["metadata"]}}
    expected["metadata"]["annotations"] = {**(annotations.get("annotations") or {}), "ours": "1"}
    assert json.loads(text) == expected


def load(**changes: object) -> ApiLoadSettings:
    return ApiLoadSettings.model_validate(
        {
            "name": "c", "targets": ("one",), "resource": "v1/configmaps", "namespace": "load", "call": "churn",
            "closed": {"workers": 1}, **changes,
        }
    )  # fmt: skip


def test_a_config_map_is_filled_in_its_data():
    metadata, rest = parts(load(object={"size": "2KiB", "template": {"data": {"more": "1"}}}), LABELS)
    assert len(rest["data"]["filling"]) == 2048
    assert rest["data"]["more"] == "1"
    assert (rest["apiVersion"], rest["kind"]) == ("v1", "ConfigMap")
    assert metadata["labels"] == LABELS


def test_anything_else_is_filled_in_an_annotation_and_keeps_what_its_template_says():
    template = {"kind": "Flunder", "metadata": {"labels": {"app": "x"}}, "spec": {"reference": "r"}}
    flunders = load(resource="wardle.example.com/v1/flunders", object={"size": "1KiB", "template": template})
    metadata, rest = parts(flunders, LABELS)
    assert len(metadata["annotations"]["sloagent.io/filling"]) == 1024
    assert metadata["labels"] == {"app": "x", **LABELS}
    assert rest == {"apiVersion": "wardle.example.com/v1", "kind": "Flunder", "spec": {"reference": "r"}}
