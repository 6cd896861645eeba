"""Versions from build information, however its labels are spelt."""

from __future__ import annotations

import pytest

from sloagent.sources.builds import Build, builds, kubernetes


@pytest.mark.parametrize(
    ("labels", "build"),
    [
        (
            {
                "__name__": "karmada_build_info",
                "git_version": "v1.3.0",
                "git_commit": "1f13ad97",
                "go_version": "go1.19",
            },
            Build("karmada", ("v1.3.0",), "1f13ad97", "go1.19"),
        ),
        (
            {"__name__": "kubernetes_build_info", "gitVersion": "v1.13.0", "gitCommit": "ddf", "goVersion": "go1.11"},
            Build("kubernetes", ("v1.13.0",), "ddf", "go1.11"),
        ),
        (
            {"__name__": "prometheus_build_info", "version": "2.42.0", "revision": "abc", "goversion": "go1.19.8"},
            Build("prometheus", ("2.42.0",), "abc", "go1.19.8"),
        ),
        ({"__name__": "etcd_server_version", "server_version": "3.6.13"}, Build("etcd", ("3.6.13",))),
        ({"__name__": "node_exporter_build_info", "version": ""}, Build("node_exporter")),
    ],
)
def test_every_spelling_is_read(labels: dict[str, str], build: Build) -> None:
    assert builds([{**labels, "job": "it"}]) == {"it": build}


def test_the_order_of_the_series_does_not_matter() -> None:
    series = [
        {"__name__": "karmada_build_info", "job": "a", "git_version": version, "git_commit": commit}
        for version, commit in (("v2", "b"), ("v1", "c"), ("v1", "a"))
    ]
    assert builds(series) == builds(series[::-1]) == {"a": Build("karmada", ("v1", "v2"), "a, b, c")}


def test_its_own_build_information_goes_before_that_of_what_it_is_built_with() -> None:
    series = [
        {"__name__": "go_build_info", "job": "a", "version": "(devel)"},
        {"__name__": "kubernetes_build_info", "job": "a", "git_version": "v0.0.0-master"},
        {"__name__": "karmada_build_info", "job": "a", "git_version": "v1.3.0"},
        {"__name__": "go_build_info", "job": "b", "version": "v0.4.2"},
        {"__name__": "kubernetes_build_info", "job": "b", "git_version": "v1.36.2"},
        {"__name__": "go_build_info", "job": "c", "version": "v0.1.0"},
    ]
    assert builds(series) == {
        "a": Build("karmada", ("v1.3.0",)),
        "b": Build("kubernetes", ("v1.36.2",)),
        "c": Build("go", ("v0.1.0",)),
    }
    assert kubernetes(series) == (("a", "v0.0.0-master"), ("b", "v1.36.2"))
