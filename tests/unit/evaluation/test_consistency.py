"""Facts that contradict each other are found by their names and numbers alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sloagent.evaluation.consistency import (
    FlagDifference,
    ScaleCheck,
    VersionDifference,
    check_scale,
    flag_differences,
    version_differences,
)
from sloagent.model.facts import Collected, Component, Facts, Quantity, Written

PUBLISHED = {
    "clusters": 100, "pods": 2_000_000, "nodes": 500_000, "nodes_per_cluster": 5_000, "pods_per_cluster": 20_000,
    "namespaces_per_cluster": 20, "pods_per_namespace": 1_000,
}  # fmt: skip


def checks(scale: Mapping[str, float]) -> tuple[ScaleCheck, ...]:
    return check_scale([Quantity(name, value) for name, value in scale.items()])


def test_the_scale_of_the_published_report_is_checked_along_its_whole_chain_and_holds() -> None:
    assert checks(PUBLISHED) == (
        ScaleCheck((("clusters", 100), ("nodes_per_cluster", 5_000)), ("nodes", 500_000), holds=True),
        ScaleCheck((("clusters", 100), ("pods_per_cluster", 20_000)), ("pods", 2_000_000), holds=True),
        ScaleCheck(
            (("namespaces_per_cluster", 20), ("pods_per_namespace", 1_000)), ("pods_per_cluster", 20_000), holds=True
        ),
    )


@pytest.mark.parametrize("name", ["clusters", "pods", "nodes", "namespaces_per_cluster", "pods_per_cluster"])
def test_a_number_that_is_wrong_breaks_a_relation(name: str) -> None:
    found = checks({**PUBLISHED, name: PUBLISHED[name] + 1})
    assert len(found) == 3
    assert not all(check.holds for check in found)


def test_what_is_not_written_is_not_checked() -> None:
    assert checks({"clusters": 100, "pods_per_cluster": 20_000}) == ()
    assert checks({"clusters": 100, "pods": 2_000_000}) == ()
    assert checks({"replicas": 3, "pods_per_cluster": 5, "pods": 15}) == ()
    assert checks({}) == ()


def test_the_plural_of_a_counted_thing_is_found_as_english_writes_it() -> None:
    for counted, one in (("policies", "policy"), ("classes", "class"), ("member_clusters", "member_cluster")):
        (found,) = checks({counted: 4, f"works_per_{one}": 5, "works": 21})
        assert found == ScaleCheck(((counted, 4), (f"works_per_{one}", 5)), ("works", 21), holds=False)


def test_a_product_that_floating_point_cannot_hold_exactly_still_holds() -> None:
    (found,) = checks({"clusters": 3, "cores_per_cluster": 0.1, "cores": 0.3})
    assert found.holds


def test_flags_are_told_by_component_and_name_as_added_removed_and_changed() -> None:
    before = {
        "scheduler": (("v", "2"), ("kube-api-qps", "40")),
        "agent": (("kube-api-burst", "60"),),
        "etcd": (("quota-backend-bytes", "8G"),),
    }
    now = {
        "scheduler": (("kube-api-qps", "200"), ("v", "2"), ("kube-api-burst", "400")),
        "etcd": (("quota-backend-bytes", "8G"),),
        "webhook": (("v", "4"),),
    }
    assert flag_differences(now, before) == (
        FlagDifference("agent", "kube-api-burst", "60", None),
        FlagDifference("scheduler", "kube-api-burst", None, "400"),
        FlagDifference("scheduler", "kube-api-qps", "40", "200"),
        FlagDifference("webhook", "v", None, "4"),
    )
    assert flag_differences(now, now) == ()


def test_a_flag_that_is_set_twice_is_compared_with_both_values() -> None:
    once, twice = (
        {"api": (("feature-gates", "A=true"),)},
        {"api": (("feature-gates", "A=true"), ("feature-gates", "B=true"))},
    )
    assert flag_differences(twice, once) == (FlagDifference("api", "feature-gates", "A=true", "A=true, B=true"),)


def versions(written: Mapping[str, str], *components: Component) -> tuple[VersionDifference, ...]:
    return version_differences(Facts(Collected(components), Written(tuple(written.items()))))


KARMADA = Component("karmada-scheduler", software="karmada", versions=("v1.19.0-lab",))
APISERVER = Component("karmada-apiserver", software="kubernetes", versions=("v1.36.2",))


@pytest.mark.parametrize(
    "written", ["v1.19.0-lab", "1.19.0-lab", "Karmada v1.19.0-lab (commit f8fdd02)", "v1.19.0", "1.19"]
)
def test_a_written_version_agrees_with_the_one_that_ran_also_where_it_is_shorter(written: str) -> None:
    assert versions({"Karmada": written}, KARMADA, APISERVER) == ()


@pytest.mark.parametrize("written", ["v1.3.0", "v1.19.1", "1.1", "v1.19.0-lab.1"])
def test_a_written_version_that_nothing_of_that_name_has_is_found_with_what_ran(written: str) -> None:
    other = Component("karmada-agent", software="karmada", versions=("v1.18.0", "v1.19.0-lab"))
    assert versions({"Karmada": written}, KARMADA, APISERVER, other) == (
        VersionDifference(
            "Karmada", written,
            (("karmada-agent", "v1.18.0"), ("karmada-agent", "v1.19.0-lab"), ("karmada-scheduler", "v1.19.0-lab")),
        ),
    )  # fmt: skip


def test_software_that_tells_no_version_and_words_without_one_are_no_findings() -> None:
    assert versions({"fake-kubelet": "v0.7.0", "Karmada": "the main branch", "Ubuntu": "18.04"}, KARMADA) == ()


def test_the_first_word_of_an_entry_names_the_software() -> None:
    (found,) = versions({"Kubernetes of the members": "v1.23.10"}, APISERVER)
    assert (found.software, found.found) == ("Kubernetes of the members", (("karmada-apiserver", "v1.36.2"),))
