"""The settings of a load: what is written, and the sentences about what does not fit together."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sloagent.probes.api.settings import ApiLoadSettings

LIST = {"name": "l", "targets": ("one",), "resource": "v1/pods", "call": "list", "closed": {"workers": 10}}
CHURN = {
    "name": "c", "targets": ("one",), "resource": "v1/configmaps", "namespace": "load", "call": "churn",
    "open": {"rate": "10/s"},
}  # fmt: skip
FLUNDERS = "wardle.example.com/v1alpha1/flunders"


def problem(written: dict[str, object], **changes: object) -> str:
    """What is said of these settings with the changes; a change to None takes the field away."""
    fields = {name: value for name, value in {**written, **changes}.items() if value is not None}
    with pytest.raises(ValidationError) as caught:
        ApiLoadSettings.model_validate(fields)
    (one,) = caught.value.errors()
    return one["msg"]


def test_a_load_is_read_with_its_units():
    load = ApiLoadSettings.model_validate(
        {**CHURN, "object": {"size": "2KiB", "lifetime": "30s"}, "duration": "5m", "every": "1h", "watch": True}
    )
    assert (load.open.rate, load.object.size, load.object.lifetime, load.duration) == (10.0, 2048, 30.0, 300.0)
    assert load.what.path("load") == "/api/v1/namespaces/load/configmaps"


def test_a_custom_resource_is_written_with_its_kind():
    load = ApiLoadSettings.model_validate(
        {**CHURN, "resource": FLUNDERS, "object": {"template": {"kind": "Flunder", "spec": {}}}}
    )
    assert load.object.template["kind"] == "Flunder"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"open": {"rate": "5/s"}}, "found both"),
        ({"closed": None}, "found none"),
        ({"object": {"size": "1KiB"}}, "`object` goes with call: churn, not list"),
        ({"watch": True}, "`watch` goes with call: churn, not list"),
        ({"call": "get", "limit": 5}, "`limit` goes with call: list, not get"),
        ({"call": "update", "resource_version": "0"}, "`resource_version` goes with call: list or get, not update"),
        ({"resource_version": "newest"}, '"newest" is no resource version; write "0"'),
        ({"namespace": "a/b"}, '"a/b" is no name of a namespace'),
        ({"duration": "5m", "every": "1m"}, "every is shorter than duration"),
        ({"targets": ("one", "one")}, "a target is named twice"),
        ({"closed": None, "open": {"rate": "0/s"}}, "greater than 0"),
    ],
)
def test_what_does_not_fit_a_list_is_said(changes, said):
    assert said in problem(LIST, **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"namespace": None}, "has no namespace to put them in"),
        ({"open": None, "closed": {"workers": 1}, "object": {"lifetime": "5s"}}, "object.lifetime goes with `open`"),
        ({"open": None, "closed": {"workers": 1}, "object": {"population": 5}}, "object.population goes with `open`"),
        ({"resource": FLUNDERS}, f"does not say the kind of {FLUNDERS}"),
        ({"object": {"template": {"kind": "Secret"}}}, "the kind of v1/configmaps is ConfigMap"),
        (
            {"resource": FLUNDERS, "object": {"template": {"kind": "Flunder"}, "size": "300KiB"}},
            "fills an annotation, since this is no ConfigMap",
        ),
        ({"object": {"template": {"metadata": {"name": "mine"}}}}, "the rest is ours to write"),
        ({"object": {"template": {"metadata": {"labels": {"a": 1}}}}}, "written as `name: value`, the value a text"),
        ({"object": {"template": {"apiVersion": "v1"}}}, "template must not say apiVersion"),
    ],
)
def test_what_does_not_fit_a_churn_is_said(changes, said):
    assert said in problem(CHURN, **changes)
