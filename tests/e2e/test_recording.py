"""The shipped recording in a real Prometheus: its values are the recorded ones, and the sets find the trouble in it."""

from __future__ import annotations

import json
import math
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sloagent.app import demo_data
from sloagent.config.load import load_slo_files
from sloagent.evaluation.judge import judge
from sloagent.model.samples import Answer
from sloagent.model.slo import SLO
from sloagent.model.verdict import Outcome, SlotVerdict
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from tests.prometheus import Prometheus

MIXED, RECOVERED = 1795326580, 1795327360
"""Near the ends of c_mixed and f_recovery."""
HEAVY_LIST = 1795327061
"""The minute before it holds twelve scrapes, all of e2_bad_heavy_list, which is hardly longer than a minute."""
OF_THE_PROBE = {"distribution-arrived", "probe-blind", "cluster-registration-latency", "cluster-unregistration-latency"}
"""SLOs on what only the probe tells: none ran then."""
API = ("api-mutating-latency", "api-readonly-resource-latency", "api-readonly-namespace-latency")


@dataclass(frozen=True)
class Loaded:
    recording: demo_data.Recording
    url: str
    source: PrometheusSource
    slos: dict[str, SLO]

    def ask(self, query: str, at: float) -> list[dict[str, dict[str, str]]]:
        form = urllib.parse.urlencode({"query": query, "time": at}).encode()
        with urllib.request.urlopen(f"{self.url}/api/v1/query", form) as answer:
            return json.load(answer)["data"]["result"]

    def over_a_minute(self, name: str, slot: int) -> SlotVerdict:
        slo = replace(self.slos[name], window=60, interval=1)
        return judge(slo, slot, self.source.at(slo, slot))

    def minutes_inside(self, phase: str) -> list[int]:
        """The slots each 15 s whose minute lies wholly inside the phase; each second where there are none."""
        (where,) = (p.range for p in self.recording.phases if p.name == phase)
        start, end = where.start.timestamp(), where.end.timestamp()
        whole = range(math.ceil(start + 60), math.floor(end) + 1)
        return [slot for slot in whole if slot % 15 == 0] or list(whole)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    data = tmp_path_factory.mktemp("recording") / "data"
    sets = load_slo_files(["builtin:karmada", "builtin:karmada-search"], parameters={}, relative_to=Path.cwd())
    recording = demo_data.unpack(data)
    with Prometheus(data) as server:
        source = PrometheusSource(PrometheusSettings(url=server.url))
        yield Loaded(recording, server.url, source, {slo.name: slo for one in sets for slo in one.slos})
        source.close()


def test_it_is_small() -> None:
    assert (demo_data.shipped() / demo_data.ARCHIVE).stat().st_size < 4_000_000


@pytest.mark.parametrize(
    ("query", "at", "value"),
    [
        ('count({job=~"karmada-.+"})', RECOVERED, "17792"),
        ('sum(apiserver_request_total{job="karmada-apiserver"})', RECOVERED, "142698"),
        # Over the kill of the API server, with its counter reset.
        ('sum(rate(apiserver_request_total{job="karmada-apiserver"}[5m]))', 1795327560, "108.7365178571797"),
        ('process_resident_memory_bytes{job="karmada-etcd"}', 1795327123.17, "324218880"),
        ('sum(rate(node_cpu_seconds_total{mode!~"idle|iowait|steal"}[5m]))', RECOVERED, "1.1484184584927979"),
        # Of members and of Prometheus only what the report states about the test bed is kept.
        ('count({job=~"member.+"})', RECOVERED, "36"),
        # Timestamps keep their milliseconds.
        ('timestamp(up{job="karmada-apiserver"})', HEAVY_LIST, "1795327056.319"),
        (
            "histogram_quantile(0.99, sum by (le) (rate(etcd_disk_wal_fsync_duration_seconds_bucket[1m])))",
            1795327122,
            "0.7833599999999996",
        ),
    ],
)
def test_a_value_is_the_recorded_one_to_the_last_bit(loaded: Loaded, query: str, at: float, value: str) -> None:
    (series,) = loaded.ask(query, at)
    assert series["value"][1] == value


def test_a_cluster_that_left_is_gone_at_once_because_staleness_markers_are_kept(loaded: Loaded) -> None:
    def members(at: int) -> set[str]:
        return {series["metric"]["member_cluster"] for series in loaded.ask("cluster_ready_state", at)}

    everyone = {"member1", "member2", "member3", "member4"}
    assert (members(1795326660), members(1795326680), members(1795326700)) == (
        everyone,
        everyone - {"member4"},
        everyone,
    )


def test_every_slo_of_the_sets_gets_an_answer_with_series(loaded: Loaded) -> None:
    for slo in loaded.slos.values():
        answer = loaded.source.at(slo, MIXED)
        assert isinstance(answer, Answer), f"{slo.name}: {answer}"
        assert bool(answer.series) == (slo.name not in OF_THE_PROBE), slo.name
        assert judge(slo, MIXED, answer).outcome is not Outcome.ERROR, slo.name
    assert len(loaded.slos) == 56


def test_where_no_probe_ran_distribution_is_judged_by_a_stage_which_fails_in_trouble_and_never_passes(
    loaded: Loaded,
) -> None:
    slo = loaded.slos["distribution-latency"]
    slots = range(MIXED - MIXED % 60, RECOVERED, 60)
    verdicts = [judge(slo, slot, loaded.source.at(slo, slot)) for slot in slots]
    assert {slot.question.histogram for slot in verdicts} == {"work_sync_workload_duration_seconds"}
    assert {slot.outcome for slot in verdicts} == {Outcome.INCONCLUSIVE, Outcome.FAIL}


def test_the_client_measured_the_same_phases(loaded: Loaded) -> None:
    truth = json.loads((demo_data.shipped() / "truth.json").read_text())
    assert list(truth) == [phase.name for phase in loaded.recording.phases]


@pytest.mark.parametrize("phase", ["b_create", "c_mixed", "f_recovery", "h_tail"])
def test_where_all_was_well_no_minute_fails_an_api_latency_slo(loaded: Loaded, phase: str) -> None:
    slots = loaded.minutes_inside(phase)
    assert len(slots) >= 2
    for name in (*API, "api-readonly-cluster-latency", "api-request-latency"):
        outcomes = {loaded.over_a_minute(name, slot).outcome for slot in slots}
        assert outcomes <= {Outcome.PASS, Outcome.NO_DATA}, name
    assert {loaded.over_a_minute("api-mutating-latency", slot).outcome for slot in slots} == {Outcome.PASS}


def test_in_the_quiet_phase_the_writes_of_the_components_pass_and_what_nobody_called_has_no_data(
    loaded: Loaded,
) -> None:
    for slot in loaded.minutes_inside("a_baseline"):
        assert loaded.over_a_minute("api-mutating-latency", slot).outcome is Outcome.PASS
        assert loaded.over_a_minute("api-readonly-namespace-latency", slot).outcome is Outcome.NO_DATA


@pytest.mark.parametrize("phase", ["e1_bad_etcd_stop", "e3_bad_disk"])
def test_where_etcd_was_in_trouble_every_minute_fails(loaded: Loaded, phase: str) -> None:
    slots = loaded.minutes_inside(phase)
    assert len(slots) >= 2
    for name in ("api-mutating-latency", "api-readonly-resource-latency", "api-request-latency"):
        assert {loaded.over_a_minute(name, slot).outcome for slot in slots} == {Outcome.FAIL}, name


def test_heavy_lists_fail_the_guides_limit_for_cluster_wide_reads_and_pass_the_official_thirty_seconds(
    loaded: Loaded,
) -> None:
    guide = loaded.over_a_minute("api-request-latency", HEAVY_LIST)
    assert guide.outcome is Outcome.FAIL
    (lists,) = (v for v in guide.verdicts if dict(v.labels) == {"scope": "cluster", "verb": "LIST"})
    assert lists.outcome is Outcome.FAIL
    assert lists.good_share is not None
    assert 0.51 < lists.good_share.lower == lists.good_share.upper < 0.52
    assert loaded.over_a_minute("api-readonly-cluster-latency", HEAVY_LIST).outcome is Outcome.PASS


def test_a_stalled_etcd_is_seen_by_the_api_server_and_not_by_its_own_disk_metrics(loaded: Loaded) -> None:
    slot = loaded.minutes_inside("e1_bad_etcd_stop")[-1]
    assert loaded.over_a_minute("etcd-request-latency", slot).outcome is Outcome.FAIL
    assert loaded.over_a_minute("etcd-wal-fsync-latency", slot).outcome in {Outcome.PASS, Outcome.INCONCLUSIVE}
