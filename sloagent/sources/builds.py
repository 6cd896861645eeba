"""Versions, as components say them of themselves in their `*_build_info`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

FAMILIES = ".+_build_info|etcd_server_version"
VERSION = ("version", "git_version", "gitVersion", "server_version")
COMMIT = ("git_commit", "gitCommit", "revision", "commit")
GO_VERSION = ("go_version", "goversion", "goVersion")
LABELS = (*VERSION, *COMMIT, *GO_VERSION)
"""The spellings there are: Kubernetes's old and new ones, Prometheus's, etcd's."""
_LIBRARIES = ("kubernetes", "go")
"""What a component is built with says its version too: its own build information comes first."""


@dataclass(frozen=True, slots=True)
class Build:
    """What one job says it is made of."""

    software: str = ""
    versions: tuple[str, ...] = ()
    commit: str = ""
    go_version: str = ""


UNTOLD = Build()


def builds(series: Iterable[Mapping[str, str]]) -> dict[str, Build]:
    """By job, from the labels of its build information with `__name__`."""
    by_job: dict[str, dict[str, list[Mapping[str, str]]]] = {}
    for labels in series:
        software = labels.get("__name__", "").removesuffix("_build_info").removesuffix("_server_version")
        by_job.setdefault(labels.get("job", ""), {}).setdefault(software, []).append(labels)
    return {job: _build(found) for job, found in by_job.items()}


def kubernetes(series: Iterable[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    """(job, version) of each `kubernetes_build_info`, sorted."""
    found = {
        (labels.get("job", ""), _first(labels, VERSION))
        for labels in series
        if labels.get("__name__") == "kubernetes_build_info"
    }
    return tuple(sorted(pair for pair in found if pair[1]))


def _build(found: Mapping[str, list[Mapping[str, str]]]) -> Build:
    software = min(found, key=lambda name: (_LIBRARIES.index(name) + 1 if name in _LIBRARIES else 0, name))
    told = found[software]
    return Build(software, _each(told, VERSION), ", ".join(_each(told, COMMIT)), ", ".join(_each(told, GO_VERSION)))


def _each(series: Iterable[Mapping[str, str]], spellings: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({value for labels in series if (value := _first(labels, spellings))}))


def _first(labels: Mapping[str, str], spellings: Iterable[str]) -> str:
    return next((labels[spelling] for spelling in spellings if labels.get(spelling)), "")
