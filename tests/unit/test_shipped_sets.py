"""The sets that ship: they load, they promise what their sources promise, and their documentation is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sloagent.config.load import load_slo_files
from sloagent.model.slo import SLO, LatencySLI, RatioSLI, SLOSet, Status, ValueSLI
from sloagent.probes.telemetry import BOUNDS

ROOT = Path(__file__).resolve().parents[2]
SETS = ("karmada", "karmada-search", "kubernetes")
SECTIONS = {
    "api-call-latency", "api-load", "availability", "resource-distribution", "cluster-registration", "scheduling",
    "etcd", "resource-usage",
}  # fmt: skip
API_CALLS = {
    "api-mutating-latency": (99, 1),
    "api-readonly-resource-latency": (99, 1),
    "api-readonly-namespace-latency": (99, 30),
    "api-readonly-cluster-latency": (99, 30),
}
DISK = {
    "etcd-wal-fsync-latency": (99, 0.010),
    "etcd-backend-commit-latency": (99, 0.025),
    "etcd-request-latency": (99, 1),
}
LATENCY_LIMITS = {  # percentile and seconds, as the sources have them
    "kubernetes": {**API_CALLS, **DISK, "pod-startup-latency": (99, 5)},
    "karmada-search": {},
    "karmada": {
        **API_CALLS,
        **DISK,
        "api-request-latency": (99.9, 0.4),
        "aggregated-api-mutating-latency": (99, 1),
        "aggregated-api-readonly-resource-latency": (99, 1),
        "aggregated-api-readonly-cluster-latency": (99, 30),
        "distribution-latency": (99, 2),
        "distribution-policy-apply-latency": (99, 2),
        "distribution-scheduling-latency": (99, 2),
        "distribution-binding-sync-latency": (99, 2),
        "distribution-work-sync-latency": (99, 2),
        "distribution-queue-wait": (99, 2),
        "policy-apply-latency": (99.9, 1.024),
        "binding-sync-latency": (99.9, 1.024),
        "work-sync-latency": (99, 2.048),
        "cluster-status-sync-latency": (99.9, 1),
        "scheduling-latency": (99.9, 0.512),
    },
}
RATIO_LIMITS = {
    "kubernetes": {"api-availability": 0.995},
    "karmada-search": {},
    "karmada": {
        "api-availability": 0.999,
        "policy-apply-success": 0.999,
        "binding-sync-success": 0.999,
        "work-sync-success": 0.999,
        "distribution-arrived": 0.99,
        "scheduling-success": 0.999,
    },
}
LEAKS_PER_SECOND = {"memory": 20 * 2**20 / 3600, "goroutines": 60 / 3600, "descriptors": 60 / 3600}


def loaded(name: str, parameters: dict[str, str] | None = None) -> SLOSet:
    (found,) = load_slo_files([f"builtin:{name}"], parameters={name: parameters or {}}, relative_to=ROOT)
    return found


def slo(name: str, of: str, parameters: dict[str, str] | None = None) -> SLO:
    return next(slo for slo in loaded(of, parameters).slos if slo.name == name)


def written(name: str) -> str:
    return (ROOT / "rules" / f"{name}.yaml").read_text(encoding="utf-8")


def declared(name: str) -> list[str]:
    block = re.search(r"^parameters:\n(.*?)^\S", written(name), re.MULTILINE | re.DOTALL)
    assert block, "a shipped set has parameters"
    return re.findall(r"^  ([a-z_]+):", block[1], re.MULTILINE)


@pytest.fixture(scope="module", params=SETS)
def shipped(request: pytest.FixtureRequest) -> SLOSet:
    return loaded(request.param)


def test_a_shipped_set_loads_under_its_own_name(shipped: SLOSet) -> None:
    assert shipped.name in SETS
    assert len(shipped.slos) == written(shipped.name).count("\n  - name: ")


def test_every_title_and_note_is_in_both_languages(shipped: SLOSet) -> None:
    assert shipped.title.en
    assert shipped.title.zh
    for one in shipped.slos:
        assert one.title.en, one.name
        assert re.search(r"[\u4e00-\u9fff]", one.title.zh), one.name
        assert bool(one.note.en) == bool(one.note.zh), one.name


def test_every_slo_has_a_section_that_the_report_knows(shipped: SLOSet) -> None:
    assert {one.section for one in shipped.slos} <= SECTIONS


def test_every_limit_is_the_one_its_source_promises(shipped: SLOSet) -> None:
    latency, ratio = LATENCY_LIMITS[shipped.name], RATIO_LIMITS[shipped.name]
    for one in shipped.slos:
        match one.sli, one.objective:
            case LatencySLI(), promised:
                found = (promised.percentile, promised.limit.at_most) if promised else None
                assert found == latency.get(one.name), one.name
            case RatioSLI(), promised:
                assert (promised.limit.at_least if promised else None) == ratio.get(one.name), one.name
            case ValueSLI(), None:
                pass
            case ValueSLI(), promised if promised.grows_at_most is not None:
                assert promised.grows_at_most == LEAKS_PER_SECOND[one.name.rpartition("-")[2]], one.name
                assert promised.limit.at_most is None, one.name
            case ValueSLI(unit="ratio"), promised:
                assert (promised.limit.at_most, promised.limit.warn_at) == (0.95, 0.80), one.name
            case other:
                raise AssertionError(f"{one.name}: {other}")


def test_a_limit_that_no_official_source_promises_is_not_called_official(shipped: SLOSet) -> None:
    official = {one.name for one in shipped.slos if one.status is Status.OFFICIAL}
    starts = ("api-mutating", "api-readonly", "aggregated-api-", "distribution-latency", "pod-startup")
    assert all(name.startswith(starts) for name in official)
    assert all(one.objective is not None for one in shipped.slos if one.status is Status.OFFICIAL)


def test_every_limit_of_what_a_probe_measures_is_a_bound_of_its_histogram(shipped: SLOSet) -> None:
    for one in shipped.slos:
        if isinstance(one.sli, LatencySLI) and any(name.startswith("sloagent_probe_") for name in one.sli.histograms):
            limits = [one.objective.limit, *(o.limit for o in one.objective.overrides)] if one.objective else []
            assert {limit.at_most for limit in limits} <= set(BOUNDS), one.name


def test_a_stage_stands_in_for_the_probe_as_a_lower_bound_and_nothing_stands_in_for_a_registration() -> None:
    whole = slo("distribution-latency", "karmada")
    assert isinstance(whole.sli, LatencySLI)
    assert whole.sli.histograms == ("sloagent_probe_distribution_seconds",)
    stages = {one.sli.histograms[0]: one.sli.where for one in loaded("karmada").slos if isinstance(one.sli, LatencySLI)}
    assert whole.sli.lower_bounds
    assert all(stages[bound.histogram] == bound.where for bound in whole.sli.lower_bounds)
    for name in ("cluster-registration-latency", "cluster-unregistration-latency"):
        found = slo(name, "karmada")
        assert isinstance(found.sli, LatencySLI)
        assert (found.sli.lower_bounds, found.objective) == ((), None)


def test_what_never_arrives_is_not_passed_where_the_probe_counts_nothing() -> None:
    arrived = slo("distribution-arrived", "karmada").sli
    assert isinstance(arrived, RatioSLI)
    assert not arrived.bad_absent_is_zero


def test_every_window_is_five_minutes_asked_each_minute(shipped: SLOSet) -> None:
    assert {(one.window, one.interval) for one in shipped.slos} == {(300, 60)}


def test_a_promise_about_events_needs_more_than_a_handful_of_them(shipped: SLOSet) -> None:
    for one in shipped.slos:
        if one.objective is not None and not isinstance(one.sli, ValueSLI):
            assert one.min_events == 10, one.name


def test_every_parameter_is_used_and_none_is_left_in_a_query(shipped: SLOSet) -> None:
    text = written(shipped.name)
    for name in declared(shipped.name):
        assert re.search(rf"\${name}\b", text), name
    for one in shipped.slos:
        assert "$" not in repr(one.sli).replace("$window", ""), one.name


def test_a_value_looks_back_over_the_window_wherever_it_looks_back(shipped: SLOSet) -> None:
    for one in shipped.slos:
        if isinstance(one.sli, ValueSLI) and "[" in one.sli.query:
            assert "[$window]" in one.sli.query, one.name


@pytest.mark.parametrize("of", ["karmada", "kubernetes"])
def test_no_api_latency_counts_watches_proxies_or_what_is_no_resource(of: str) -> None:
    for one in loaded(of).slos:
        if one.section == "api-call-latency":
            assert isinstance(one.sli, LatencySLI)
            assert 'resource!=""' in one.sli.where, one.name
            assert 'subresource!~"log|exec|portforward|attach|proxy"' in one.sli.where, one.name
            assert 'verb=~"' in one.sli.where or 'verb!~"|WATCH|CONNECT"' in one.sli.where, one.name


def test_a_parameter_from_the_agents_file_reaches_queries_and_limits() -> None:
    given = {"apiserver": 'job="mine"', "object_call_limit": "2s", "memory_growth_limit": "1GiB/d"}
    mutating = slo("api-mutating-latency", "karmada", given)
    assert isinstance(mutating.sli, LatencySLI)
    assert mutating.sli.where.endswith('job="mine"')
    assert mutating.objective is not None
    assert mutating.objective.limit.at_most == 2
    leak = slo("component-memory", "karmada", given).objective
    assert leak is not None
    assert leak.grows_at_most == 2**30 / 86_400
    assert slo("api-mutating-latency", "karmada").objective != mutating.objective


def test_a_selector_may_be_several_matchers_in_every_place_it_is_used(shipped: SLOSet) -> None:
    given = {name: 'job=~".+", namespace="here"' for name in declared(shipped.name) if not name.endswith("_limit")}
    assert len(loaded(shipped.name, given).slos) == len(shipped.slos)


def test_every_slo_and_every_parameter_is_documented(shipped: SLOSet) -> None:
    documented = set(re.findall(r"`([a-z_-]+)`", (ROOT / "docs" / "slo-sets.md").read_text(encoding="utf-8")))
    assert {one.name for one in shipped.slos} <= documented
    assert set(declared(shipped.name)) <= documented
