from __future__ import annotations

import pytest

from sloagent.model.slo import Labels
from sloagent.report.naming import series_name


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ((), ""),
        ((("resource", "deployments"), ("verb", "POST")), "POST deployments"),
        ((("resource", "works"), ("subresource", "status"), ("verb", "PATCH")), "PATCH works/status"),
        ((("component", "karmada-etcd"),), "karmada-etcd"),
        ((("code", "200"),), '{code="200"}'),
        ((("error", "true"), ("job", "x")), '{error="true", job="x"}'),
        ((("a", "one two"),), '{a="one two"}'),
    ],
)
def test_a_series_is_called_by_its_values_where_they_speak_for_themselves(labels: Labels, name: str) -> None:
    assert series_name(labels) == name
