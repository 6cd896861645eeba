"""The facts of a test bed, asked of a real Prometheus: on the recorded run, on made-up weeks, and where it refuses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from sloagent.app import demo_data
from sloagent.model.facts import Collected, Component, Machine
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from tests.faults import FaultServer, silence
from tests.prometheus import Prometheus, blocks_from_openmetrics, free_port

MINUTE, HOUR, DAY = 60, 3600, 86_400
START = 1_700_006_400
"""A midnight, so that blocks begin with it."""


def facts(url: str, start: float, end: float, **bounds: int) -> Collected:
    source = PrometheusSource(PrometheusSettings(url=url), timeout_seconds=20.0, **bounds)
    try:
        return source.collect(start, end)
    finally:
        source.close()


def named(found: Collected) -> dict[str, Component]:
    assert found.refusals == ()
    return {component.job: component for component in found.components}


# ---- the recorded run ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, demo_data.Recording]]:
    data = tmp_path_factory.mktemp("recorded") / "data"
    recording = demo_data.unpack(data)
    with Prometheus(data) as server:
        yield server.url, recording


@pytest.fixture(scope="module")
def collected(recorded: tuple[str, demo_data.Recording]) -> Collected:
    url, recording = recorded
    return facts(url, recording.start.timestamp(), recording.end.timestamp())


def at(hour: int, minute: int, second: int) -> int:
    return 1_795_305_600 + hour * HOUR + minute * MINUTE + second


def test_every_version_is_the_one_that_ran(collected: Collected) -> None:
    found = named(collected)
    assert len(found) == 20
    for job in ("karmada-agent", "karmada-controller-manager", "karmada-scheduler", "karmada-webhook"):
        assert (found[job].software, found[job].versions) == ("karmada", ("v1.19.0-lab",))
        assert (found[job].commit, found[job].go_version) == ("f8fdd02df376", "go1.26.6")
    for job in ("karmada-etcd", "member-etcd"):
        assert (found[job].software, found[job].versions) == ("etcd", ("3.6.13",))
    assert (found["prometheus"].software, found["prometheus"].versions) == ("prometheus", ("2.42.0+ds",))
    assert (found["karmada-search"].software, found["karmada-search"].versions) == ("", ())
    assert ("karmada-apiserver", "v1.36.2") in collected.kubernetes
    assert ("member4-kube-controller-manager", "v1.36.2") in collected.kubernetes
    assert len(collected.kubernetes) == 10


def test_the_two_restarts_are_found_at_their_second_with_their_counter_resets_and_no_other(
    collected: Collected,
) -> None:
    found = named(collected)
    restarted = {
        job: tuple(map(int, one.started)) for job, one in found.items() if job.startswith("karmada-") and one.started
    }
    assert restarted == {"karmada-controller-manager": (at(6, 2, 43),), "karmada-apiserver": (at(6, 3, 46),)}
    assert {job for job, one in found.items() if one.resets} == {*restarted, "prometheus"}
    assert {one.instances for one in found.values()} == {1}


def test_the_outage_of_prometheus_is_a_gap_of_everything_and_nothing_else_is(collected: Collected) -> None:
    assert (collected.scrape_interval, collected.resolution) == (5, 1)
    # It was stopped at 06:04:45.7, ready again at 06:05:50.8, and scraped from 06:05:55.6 on.
    assert collected.gaps == ((at(6, 4, 46), at(6, 5, 56)),)
    assert {component.gaps for component in collected.components} == {()}


def test_a_single_scrape_that_failed_is_in_the_share_and_is_no_gap(collected: Collected) -> None:
    failed = {component.job for component in collected.components if component.up != 1}
    assert failed == {"karmada-apiserver", "karmada-controller-manager", "karmada-search"}
    assert all(c.up is not None and 0.997 < c.up < 0.998 for c in collected.components if c.job in failed)


def test_the_machine_is_the_one_that_node_exporter_saw(collected: Collected) -> None:
    assert collected.machines == (
        Machine("127.0.0.1:29100", 2, 25_276_518_400, disks=(("/dev/vda", 270_553_174_016),)),
    )


def test_asked_again_the_facts_are_the_same(recorded: tuple[str, demo_data.Recording], collected: Collected) -> None:
    url, recording = recorded
    assert facts(url, recording.start.timestamp(), recording.end.timestamp()) == collected
    assert len(collected.questions) == len(set(collected.questions)) <= 12


def test_a_stretch_without_the_outage_has_no_gap_and_no_restart(recorded: tuple[str, demo_data.Recording]) -> None:
    url, _ = recorded
    found = facts(url, at(5, 40, 0), at(6, 0, 0))
    assert found.gaps == ()
    assert all(not one.gaps and not one.started and not one.resets for one in named(found).values())


# ---- made-up history -----------------------------------------------------------------------------------------------


Family = list[tuple[str, Sequence[tuple[float, float]]]]
"""(Labels as written, [(seconds, value)])."""


def openmetrics(families: dict[str, Family]) -> str:
    """As promtool takes it."""
    lines = [
        f"{name}{{{labels}}} {value!r} {time}"
        for name, series in families.items()
        for labels, samples in series
        for time, value in samples
    ]
    return "\n".join(lines) + "\n# EOF\n"


def every(seconds: int, start: int, end: int, *without: tuple[int, int]) -> list[int]:
    return [t for t in range(start, end + 1, seconds) if not any(a < t < b for a, b in without)]


def up(times: Iterable[int], *down: tuple[int, int]) -> list[tuple[float, float]]:
    return [(t, 0.0 if any(a < t < b for a, b in down) else 1.0) for t in times]


AWAY = (START + 2 * DAY, START + 2 * DAY + 10 * MINUTE)
DOWN = (START + 5 * DAY, START + 5 * DAY + 3 * HOUR)
UPGRADE = START + 3 * DAY + 45
"""Half-way between two scrapes."""


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Seven days at a minute, and of one job at half of it, with outages of Prometheus and of a job, and an upgrade."""
    times = every(MINUTE, START, START + 7 * DAY, AWAY)
    quick = every(30, START, START + 7 * DAY, AWAY)
    late = [t for t in times if t > START + 6 * DAY]
    first, second = [t for t in times if t < UPGRADE], [t for t in times if t > UPGRADE]
    start_of_a = [(t, START - 1000.0) for t in first] + [(t, UPGRADE + 0.5) for t in second]
    data: dict[str, Family] = {
        "up": [
            ('job="a",instance="1"', up(times, DOWN)),
            ('job="a",instance="2"', up(times, (DOWN[0] + HOUR, DOWN[1]))),
            ('job="quick",instance="1"', up(quick)),
            ('job="late",instance="1"', up(late)),
        ],
        "a_build_info": [
            ('job="a",instance="1",version="v1.0.0",revision="aaa",goversion="go1"', [(t, 1.0) for t in first]),
            ('job="a",instance="1",version="v1.1.0",revision="bbb",goversion="go1"', [(t, 1.0) for t in second]),
        ],
        "kubernetes_build_info": [('job="a",instance="1",git_version="v1.30.0"', [(t, 1.0) for t in times])],
        "go_build_info": [('job="quick",instance="1",path="example.org/quick",version="v2.0.0"', [(t, 1.0) for t in quick])],
        "process_start_time_seconds": [
            ('job="a",instance="1"', start_of_a),
            # A clock that is put right moves it by a second: still one start.
            ('job="late",instance="1"', [(t, START + 6 * DAY + 10.0 + (t % 7200 == 0)) for t in late]),
        ],
        "process_cpu_seconds_total": [
            ('job="a",instance="1"', [(t, float(t - START)) for t in first] + [(t, float(t - UPGRADE)) for t in second]),
        ],
        "node_uname_info": [('job="node",instance="n1:9100",nodename="n1",sysname="Linux",release="6.1",machine="x86_64"',
                             [(t, 1.0) for t in late])],
        "node_os_info": [('job="node",instance="n1:9100",pretty_name="Debian 12"', [(t, 1.0) for t in late])],
        "node_memory_MemTotal_bytes": [('job="node",instance="n1:9100"', [(t, 8.0) for t in late])],
        "machine_cpu_cores": [
            ('job="kubelet",instance="10.0.0.1:10250",node="n1"', [(t, 4.0) for t in late]),
            ('job="kubelet",instance="10.0.0.2:10250",node="n2"', [(t, 16.0) for t in late]),
        ],
    }  # fmt: skip
    directory = tmp_path_factory.mktemp("week") / "tsdb"
    blocks_from_openmetrics(openmetrics(data), directory)
    with Prometheus(directory) as server:
        yield server.url


def close(found: tuple[int, int], stretch: tuple[int, int], seconds: float) -> bool:
    """Whether both ends are right to within so many seconds."""
    return all(abs(one - other) <= seconds for one, other in zip(found, stretch, strict=True))


def test_a_week_is_looked_at_in_as_many_points_as_prometheus_gives_and_says_how_closely(week: str) -> None:
    found = facts(week, START, START + 7 * DAY)
    assert (found.scrape_interval, found.resolution) == (60, 55)
    (away,) = found.gaps
    assert close(away, AWAY, 55)
    (of_a,) = named(found)["a"].gaps
    assert close(of_a, (DOWN[0] + HOUR, DOWN[1]), 55 + MINUTE)
    assert named(found)["quick"].gaps == ()


def test_a_job_that_came_later_was_not_scraped_before(week: str) -> None:
    (before,) = named(facts(week, START, START + 7 * DAY))["late"].gaps
    assert close(before, (START, START + 6 * DAY + MINUTE), 55)


def test_small_answers_make_it_look_less_closely_and_still_find_what_is_long_enough(week: str) -> None:
    found = facts(week, START, START + 7 * DAY, max_response_bytes=65_536)
    assert found.resolution is not None
    assert 15 * MINUTE <= found.resolution <= 30 * MINUTE
    assert found.gaps == ()
    (down,) = named(found)["a"].gaps
    assert close(down, (DOWN[0] + HOUR, DOWN[1]), found.resolution)


def test_an_upgrade_shows_both_versions_its_restart_and_its_reset(week: str) -> None:
    upgraded = named(facts(week, START, START + 7 * DAY))["a"]
    assert (upgraded.software, upgraded.versions) == ("a", ("v1.0.0", "v1.1.0"))
    assert (upgraded.commit, upgraded.go_version) == ("aaa, bbb", "go1")
    assert (upgraded.started, upgraded.resets, upgraded.instances) == ((UPGRADE + 0.5,), 1, 2)


def test_a_start_that_moves_by_a_second_is_one_start(week: str) -> None:
    assert named(facts(week, START, START + 7 * DAY))["late"].started == (START + 6 * DAY + 10.0,)


def test_what_a_component_is_built_with_does_not_hide_its_own_version(week: str) -> None:
    found = facts(week, START, START + 7 * DAY)
    assert named(found)["a"].versions == ("v1.0.0", "v1.1.0")
    assert found.kubernetes == (("a", "v1.30.0"),)
    assert (named(found)["quick"].software, named(found)["quick"].versions) == ("go", ("v2.0.0",))


def test_a_machine_that_two_exporters_tell_of_is_one(week: str) -> None:
    assert facts(week, START, START + 7 * DAY).machines == (
        Machine("n1", 4, 8, "Debian 12, Linux 6.1 x86_64"), Machine("n2", 16),
    )  # fmt: skip


# ---- refusals ------------------------------------------------------------------------------------------------------


def test_a_question_beyond_a_bound_is_refused_by_name_and_the_others_are_answered(week: str) -> None:
    found = facts(week, START, START + 7 * DAY, max_labels_bytes=130)
    ((query, why),) = found.refusals
    assert query.startswith('last_over_time({__name__=~"node_uname_info')
    assert "more than 130 (max_labels)" in why
    assert {one.job for one in found.components} >= {"a", "quick", "late"}
    assert found.machines == ()
    assert len(found.gaps) == 1


def test_more_jobs_than_series_are_accepted_end_it_with_the_reason(week: str) -> None:
    found = facts(week, START, START + 7 * DAY, max_series=2)
    assert (found.components, len(found.questions)) == ((), 1)
    ((_, why),) = found.refusals
    assert "more than 2 (max_series)" in why


def test_what_prometheus_itself_will_not_evaluate_is_refused_in_its_words(tmp_path: Path) -> None:
    """Two targets have 480 scrapes each: one at a time is read, both side by side are not."""
    times = up(every(15, START, START + 2 * HOUR))
    blocks_from_openmetrics(openmetrics({"up": [('job="a"', times), ('job="b"', times)]}), tmp_path / "tsdb")
    with Prometheus(tmp_path / "tsdb", flags=["--query.max-samples=500"]) as server:
        found = facts(server.url, START, START + 2 * HOUR)
    ((query, why),) = found.refusals
    assert query == "max by (job) (max_over_time(up[999ms]))"
    assert "query processing would load too many samples into memory" in why
    assert [(one.job, one.up, one.instances, one.gaps) for one in found.components] == [
        ("a", 1, 1, ()),
        ("b", 1, 1, ()),
    ]
    assert found.resolution is None


def test_a_prometheus_without_a_past_is_no_test_bed_without_components(tmp_path: Path) -> None:
    with Prometheus(tmp_path / "empty") as server:
        found = facts(server.url, START, START + HOUR)
    ((_, why),) = found.refusals
    assert "no sample of `up` within the run" in why


def test_where_nobody_listens_one_question_tells_it() -> None:
    found = facts(f"http://127.0.0.1:{free_port()}", START, START + HOUR)
    ((query, why),) = found.refusals
    assert found.questions == (query,)
    assert "no connection" in why


def test_a_peer_that_never_answers_is_waited_for_once() -> None:
    with FaultServer() as server:
        server.fail(silence())
        source = PrometheusSource(PrometheusSettings(url=server.url), timeout_seconds=0.3)
        found = source.collect(START, START + HOUR)
        source.close()
    ((_, why),) = found.refusals
    assert "no complete answer within 0.3 s" in why
    assert len(found.questions) == 1


def test_a_run_shorter_than_two_scrapes_says_that_gaps_cannot_be_told(week: str) -> None:
    found = facts(week, START + MINUTE + 1, START + MINUTE + 2)
    assert found.gaps == ()
    assert found.refusals
