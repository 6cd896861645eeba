"""The source against a real Prometheus: every kind of SLI, instants and ranges, blocks and head, a lost past."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sloagent.model.distribution import Distribution
from sloagent.model.piece import Piece
from sloagent.model.samples import Answer, Events, Kind, Malformed, Refusal
from sloagent.model.slo import SLO, LatencySLI, RatioSLI, ValueSLI
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from tests import remote_write
from tests.e2e import sources_data as data
from tests.e2e.sources_data import END, MINUTE, START, slo
from tests.faults import Exchange, FaultServer, forward, forward_with
from tests.prometheus import Prometheus, blocks_from_openmetrics

MIDDLE = START + 900
EARLY = START + 480
"""While the old name still had samples."""
EVERY_SLOT = range(START - 5 * MINUTE, END + 10 * MINUTE, MINUTE)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    directory = tmp_path_factory.mktemp("sources") / "tsdb"
    blocks_from_openmetrics(data.openmetrics(), directory)
    with Prometheus(directory) as running:
        yield running


@pytest.fixture(scope="module")
def source(prometheus: Prometheus) -> Iterator[PrometheusSource]:
    made = PrometheusSource(PrometheusSettings(url=prometheus.url))
    yield made
    made.close()


def asked(url: str, query: str, at: float) -> list[dict[str, object]]:
    """What Prometheus itself says, by another way."""
    form = urllib.parse.urlencode({"query": query, "time": at})
    with urllib.request.urlopen(f"{url}/api/v1/query?{form}") as reply:
        return json.load(reply)["data"]["result"]


def answer(found: Answer | Refusal) -> Answer:
    assert isinstance(found, Answer), found
    return found


def test_a_latency_answer_holds_the_counts_as_prometheus_gave_them(source: PrometheusSource, prometheus: Prometheus):
    found = answer(source.at(data.LATENCY, MIDDLE))
    query = 'sum by (le, resource, verb) (rate(req_seconds_bucket{verb!="WATCH"}[5m]))'
    assert found.question.query == query
    assert found.question.histogram == "req_seconds"
    said = {
        (s["metric"].get("resource", ""), s["metric"]["verb"], float(s["metric"]["le"])): float(s["value"][1])
        for s in asked(prometheus.url, query, MIDDLE)
    }
    counted = {
        (dict(labels).get("resource", ""), dict(labels)["verb"], bound): count
        for labels, histogram in found.series.items()
        for bound, count in zip(histogram.bounds, histogram.counts, strict=True)
    }
    assert counted == said
    assert list(found.series) == [
        (("resource", "pods"), ("verb", "GET")),
        (("resource", "pods"), ("verb", "POST")),
        (("verb", "GET"),),
    ]


def test_bounds_that_are_written_in_several_ways_are_one(source: PrometheusSource, prometheus: Prometheus):
    (histogram,) = answer(source.at(data.TWICE, MIDDLE)).series.values()
    assert histogram.bounds == (0.5, 1.0, 2.0, math.inf)
    for percent in (10, 50, 75, 90, 99):
        query = f"histogram_quantile({percent / 100}, sum by (le) (rate(twice_seconds_bucket[5m])))"
        ((_, said),) = (s["value"] for s in asked(prometheus.url, query, MIDDLE))
        assert _quantile(histogram, percent / 100) == pytest.approx(float(said), rel=1e-12)


def _quantile(histogram: Distribution, share: float) -> float:
    counts = [max(histogram.counts[: i + 1]) for i in range(len(histogram.counts))]
    rank = share * counts[-1]
    i = next(i for i, count in enumerate(counts) if count >= rank)
    if i == len(counts) - 1:
        return histogram.bounds[-2]
    below, start = (counts[i - 1], histogram.bounds[i - 1]) if i else (0.0, 0.0)
    return start + (histogram.bounds[i] - start) * (rank - below) / (counts[i] - below)


def test_a_broken_histogram_is_malformed_and_its_neighbour_is_not(source: PrometheusSource):
    found = answer(source.at(data.UNBOUNDED, MIDDLE)).series
    reasons = {dict(labels)["pod"]: sample for labels, sample in found.items()}
    assert isinstance(reasons.pop("good"), Distribution)
    assert {pod: sample.reason for pod, sample in reasons.items() if isinstance(sample, Malformed)} == {
        "no-inf": 'the histogram has no bucket le="+Inf", so nobody knows how many events there were',
        "no-number": 'the histogram cannot be read: le="fast" is not a bound',
        "no-le": "the histogram cannot be read: it has a series without the label le",
    }


def test_of_several_names_the_first_that_has_series_answers_at_each_slot(source: PrometheusSource):
    names = [answer(source.at(data.RENAMED, slot)).question.histogram for slot in range(START + 60, END, MINUTE)]
    assert names[0] == "old_seconds"
    assert names[-1] == "new_seconds"
    assert "" in names, "between the two nobody answers"
    assert names == sorted(names, key=["old_seconds", "", "new_seconds"].index)
    nobody = answer(source.at(data.RENAMED, START + 60 + names.index("") * MINUTE))
    assert nobody.series == {}
    assert "absent_seconds" in nobody.question.query


def test_a_ratio_is_asked_once_and_its_sides_are_matched_by_labels(prometheus: Prometheus):
    with FaultServer(prometheus.url) as server:
        source = PrometheusSource(PrometheusSettings(url=server.url))
        found = answer(source.at(data.RATIO, END))
        source.close()
        assert [r.path for r in server.requests].count("/api/v1/query") == 1
    a, b = found.series[(("zone", "a"),)], found.series[(("zone", "b"),)]
    assert isinstance(a, Events) and isinstance(b, Events)
    (bad,) = (s["value"][1] for s in asked(prometheus.url, 'sum by (zone) (rate(calls_total{code="500"}[5m]))', END))
    assert a.part == float(bad)
    assert b.part is None, "zone b has never had a failed call"
    assert b.total is not None and b.total > 0


@pytest.mark.parametrize(
    ("part", "total", "expected"),
    [
        ("calls_total offset 100w", "sum(rate(calls_total[$window]))", "total only"),
        ("vector(3)", "vector(4)", "both"),
        ("sum(rate(calls_total[$window])) # of all\n", "sum(rate(calls_total[$window])) # all", "both"),
        ("calls_total offset 100w", "calls_total offset 100w", "neither"),
    ],
)
def test_the_sides_of_a_ratio_may_be_absent(source: PrometheusSource, part: str, total: str, expected: str):
    found = answer(source.at(slo(RatioSLI("bad", part, total)), MIDDLE)).series
    if expected == "neither":
        assert found == {}
        return
    (events,) = found.values()
    assert isinstance(events, Events)
    assert (events.part is not None, events.total is not None) == (expected == "both", True)


def test_a_side_that_is_no_vector_is_refused_in_prometheus_s_words(source: PrometheusSource):
    found = source.at(slo(RatioSLI("bad", "1", "sum(rate(calls_total[$window]))")), MIDDLE)
    assert isinstance(found, Refusal)
    assert (found.kind, found.final) == (Kind.BAD_DATA, True)
    assert "expected type instant vector" in found.message


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("7", {(): 7.0}),
        ("1/0", {(): math.inf}),
        ("vector(-1) / 0", {(): -math.inf}),
        ("memory_bytes offset 100w", {}),
        ('"text"', {(): Malformed("the query gives a string, not a number")}),
        (
            "memory_bytes[5m]",
            {(): Malformed("the query gives a range of samples, not one number per series")},
        ),
    ],
)
def test_a_value_is_a_number_per_series_or_malformed(source: PrometheusSource, query: str, expected: object):
    assert answer(source.at(slo(ValueSLI(query, "bytes")), MIDDLE)).series == expected


def test_a_value_that_is_not_a_number_stays_one(source: PrometheusSource):
    (number,) = answer(source.at(slo(ValueSLI("vector(0) / 0", "ratio")), MIDDLE)).series.values()
    assert isinstance(number, float) and math.isnan(number)


def test_two_series_with_the_same_labels_are_malformed(source: PrometheusSource):
    query = '{__name__=~"(req|old)_seconds_bucket", verb="GET", resource="", le="1"}'
    (sample,) = answer(source.at(slo(ValueSLI(query, "ratio")), EARLY)).series.values()
    assert isinstance(sample, Malformed)
    assert "several series have the same labels" in sample.reason


@pytest.mark.parametrize(
    ("query", "kind", "words"),
    [
        ("sum(", Kind.BAD_DATA, "parse error"),
        ("req_seconds_bucket / on(verb) req_seconds_bucket", Kind.EXECUTION, "duplicate series"),
        ('rate({__name__=~"(req|old)_seconds_bucket", resource=""}[5m])', Kind.EXECUTION, "same labelset"),
    ],
)
def test_what_prometheus_refuses_is_refused_for_good(source: PrometheusSource, query: str, kind: Kind, words: str):
    asked_for = slo(ValueSLI(query, "ratio"))
    for found in (source.at(asked_for, EARLY), source.over(asked_for, [EARLY, EARLY + MINUTE])):
        assert isinstance(found, Refusal)
        assert (found.kind, found.final) == (kind, True)
        assert words in found.message


@pytest.mark.parametrize("name", data.ALL)
def test_a_range_gives_what_its_slots_give_one_by_one(source: PrometheusSource, name: str):
    asked_for = data.ALL[name]
    slots = list(EVERY_SLOT)
    singly = [source.at(asked_for, slot) for slot in slots]
    together = source.over(asked_for, slots)
    assert isinstance(together, list)
    for slot, one, other in zip(slots, singly, together, strict=True):
        # repr, because it tells every bit of a float and the order of the series.
        assert repr(other) == repr(one), f"{name} at {slot}"
    kinds = [found.kind for found in together if isinstance(found, Refusal)]
    assert kinds == [Kind.HISTORY_LOST] * 5, "the five slots before the first sample"
    if name != "nothing":
        assert any(isinstance(found, Answer) and found.series for found in together)


def test_a_range_of_no_slot_or_one_is_asked_as_a_live_slot_is(source: PrometheusSource):
    assert source.over(data.LATENCY, []) == []
    assert source.over(data.LATENCY, [MIDDLE]) == [source.at(data.LATENCY, MIDDLE)]


def test_a_latency_piece_is_what_prometheus_counted_from_cut_to_cut(source: PrometheusSource, prometheus: Prometheus):
    start, end = START * 1000 + 120_500, START * 1000 + 900_250
    piece = source.piece(data.LATENCY, start, end)
    assert isinstance(piece, Piece)
    assert piece.query == 'sum by (le, resource, verb) (increase(req_seconds_bucket{verb!="WATCH"}[779750ms]))'
    counted = piece.series[(("resource", "pods"), ("verb", "GET"))]
    said = {
        float(s["metric"]["le"]): float(s["value"][1])
        for s in asked(prometheus.url, piece.query, end / 1000)
        if s["metric"].get("resource") == "pods" and s["metric"]["verb"] == "GET"
    }
    assert isinstance(counted, Distribution)
    assert dict(zip(counted.bounds, counted.counts, strict=True)) == said


def test_a_ratio_piece_counts_events_not_rates(source: PrometheusSource, prometheus: Prometheus):
    piece = source.piece(data.RATIO, (END - 600) * 1000, END * 1000)
    assert isinstance(piece, Piece)
    counted = piece.series[(("zone", "a"),)]
    assert isinstance(counted, Events)
    ((_, bad),) = (s["value"] for s in asked(prometheus.url, 'increase(calls_total{code="500"}[10m])', END))
    assert counted.part == pytest.approx(float(bad), rel=1e-12)


def test_a_piece_that_cannot_be_read_is_refused_by_series(source: PrometheusSource):
    found = source.piece(data.UNBOUNDED, START * 1000, END * 1000)
    assert isinstance(found, Refusal)
    assert found.final
    assert '{pod="no-inf"}: the histogram has no bucket' in found.message


def test_a_slot_before_the_oldest_sample_is_lost_and_one_after_it_is_empty(source: PrometheusSource):
    for asked_for in data.ALL.values():
        found = source.at(asked_for, START - MINUTE)
        assert isinstance(found, Refusal)
        assert (found.kind, found.final) == (Kind.HISTORY_LOST, True)
        assert "2023-11-14 21:59:00 UTC" in found.message
    assert answer(source.at(data.NOTHING, START)).series == {}


def test_a_slot_in_prometheus_s_future_shows_both_clocks(prometheus: Prometheus):
    with FaultServer(prometheus.url) as server:
        source = PrometheusSource(PrometheusSettings(url=server.url))
        server.fail(forward_with(lambda body: body, "Date: Tue, 14 Nov 2023 22:14:57 GMT"))
        assert isinstance(source.at(data.LATENCY, MIDDLE - 1), Answer), "two seconds are no disagreement"
        late = [source.at(data.LATENCY, MIDDLE), source.over(data.LATENCY, [MIDDLE - MINUTE, MIDDLE])]
        source.close()
    for found in late:
        assert isinstance(found, Refusal)
        assert (found.kind, found.final) == (Kind.CLOCK, False)
        assert "2023-11-14 22:15:00 UTC was asked for, but there it is 2023-11-14 22:14:57 UTC" in found.message


def test_a_slot_whose_samples_may_still_arrive_by_prometheus_s_clock_is_not_judged(prometheus: Prometheus):
    with FaultServer(prometheus.url) as server:
        source = PrometheusSource(PrometheusSettings(url=server.url), delay_seconds=30.0)
        server.fail(forward_with(lambda body: body, "Date: Tue, 14 Nov 2023 22:15:27 GMT"))
        early = [source.at(data.LATENCY, MIDDLE), source.over(data.LATENCY, [MIDDLE - MINUTE, MIDDLE])]
        server.fail(forward_with(lambda body: body, "Date: Tue, 14 Nov 2023 22:15:28 GMT"))
        in_time = [source.at(data.LATENCY, MIDDLE), source.over(data.LATENCY, [MIDDLE - MINUTE, MIDDLE])]
        source.close()
    for found in early:
        assert isinstance(found, Refusal)
        assert (found.kind, found.final) == (Kind.CLOCK, False)
        assert "there it is 2023-11-14 22:15:27 UTC, and samples need 30 s to arrive" in found.message
    assert not any(isinstance(found, Refusal) for found in in_time)


def test_bounds_on_series_and_bytes_hold_for_each_slot(prometheus: Prometheus):
    narrow = PrometheusSource(PrometheusSettings(url=prometheus.url), max_series=2)
    found = narrow.at(data.LATENCY, MIDDLE)
    assert isinstance(found, Refusal)
    assert (found.kind, found.final) == (Kind.TOO_MANY_SERIES, True)
    assert "3 series, more than 2 (max_series)" in found.message
    early = list(range(START + MINUTE, START + 10 * MINUTE, MINUTE))
    assert isinstance(narrow.over(data.LATENCY, early), list), "three series over time, never three at once"
    assert isinstance(narrow.over(data.LATENCY, [*early, START + 10 * MINUTE, START + 11 * MINUTE]), Refusal)
    narrow.close()
    short = PrometheusSource(PrometheusSettings(url=prometheus.url), max_response_bytes=1_000)
    found = short.at(data.LATENCY, MIDDLE)
    assert isinstance(found, Refusal)
    assert (found.kind, found.final) == (Kind.TOO_LARGE, True)
    assert "1,000 bytes (max_response)" in found.message
    short.close()


def test_a_query_that_takes_too_long_ends_at_the_deadline(prometheus: Prometheus):
    source = PrometheusSource(PrometheusSettings(url=prometheus.url), timeout_seconds=0.3)
    heavy = "count_over_time((sum by (le) (rate({__name__=~'.+_bucket'}[30m])))[30m:10ms])"
    started = time.monotonic()
    found = source.at(slo(ValueSLI(f"sum({heavy})", "ratio")), END)
    assert isinstance(found, Refusal)
    assert (found.kind, found.final) == (Kind.TIMEOUT, False)
    assert time.monotonic() - started < 3
    source.close()


def test_a_prometheus_that_came_back_without_its_past_is_noticed_at_once(tmp_path: Path):
    blocks_from_openmetrics(data.openmetrics(), tmp_path / "tsdb")
    with Prometheus(tmp_path / "tsdb") as prometheus:
        source = PrometheusSource(PrometheusSettings(url=prometheus.url))
        for asked_for in (data.LATENCY, data.NOTHING, data.VALUE, slo(ValueSLI("vector(1)", "ratio"))):
            assert isinstance(source.at(asked_for, MIDDLE), Answer)
        prometheus.stop()
        away = source.at(data.LATENCY, MIDDLE)
        assert isinstance(away, Refusal)
        assert (away.kind, away.final) == (Kind.UNREACHABLE, False)
        shutil.rmtree(tmp_path / "tsdb")
        prometheus.start()
        for asked_for in (data.LATENCY, data.NOTHING, data.VALUE, slo(ValueSLI("vector(1)", "ratio"))):
            found = source.at(asked_for, MIDDLE)
            assert isinstance(found, Refusal), found
            assert found.kind is Kind.HISTORY_LOST
        lost = source.over(data.VALUE, [MIDDLE, MIDDLE + MINUTE, MIDDLE + 2 * MINUTE])
        assert isinstance(lost, list)
        assert {found.kind for found in lost if isinstance(found, Refusal)} == {Kind.HISTORY_LOST}
        source.close()


def test_a_restarted_prometheus_is_asked_again_over_a_new_connection(tmp_path: Path):
    blocks_from_openmetrics(data.openmetrics(), tmp_path / "tsdb")
    with Prometheus(tmp_path / "tsdb") as prometheus:
        source = PrometheusSource(PrometheusSettings(url=prometheus.url))
        first = answer(source.at(data.LATENCY, MIDDLE))
        prometheus.stop()
        prometheus.start()
        assert source.at(data.LATENCY, MIDDLE) == first
        source.close()


def test_the_head_and_a_block_give_the_same_answers(source: PrometheusSource, tmp_path: Path):
    (tmp_path / "tsdb").mkdir()
    with Prometheus(tmp_path / "tsdb", flags=["--web.enable-remote-write-receiver"]) as prometheus:
        written = [(labels, [(at * 1000, value) for at, value in samples]) for labels, samples in data.series()]
        # Oldest first: the head takes no samples that are older than an hour before its newest.
        remote_write.write(prometheus.url, sorted(written, key=lambda one: one[1][0][0]))
        head = PrometheusSource(PrometheusSettings(url=prometheus.url))
        for name, asked_for in data.ALL.items():
            slots = list(range(START, END, MINUTE))
            in_head = head.over(asked_for, slots)
            assert isinstance(in_head, list)
            assert repr(in_head) == repr(source.over(asked_for, slots)), name
            assert repr(head.at(asked_for, MIDDLE)) == repr(source.at(asked_for, MIDDLE)), name
        head.close()


def test_the_curl_command_repeats_the_question(source: PrometheusSource, prometheus: Prometheus):
    found = answer(source.at(data.LATENCY, MIDDLE))
    command = source.curl(found.question.query, MIDDLE)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)["data"]["result"]
    key = lambda one: sorted(one["metric"].items())  # noqa: E731
    assert sorted(said, key=key) == sorted(asked(prometheus.url, found.question.query, MIDDLE), key=key)


def test_the_version_is_prometheus_s_own(source: PrometheusSource):
    assert source.version().split(".")[0] in {"2", "3"}
    assert source.name == "prometheus"


def test_a_question_has_its_words_in_the_body_and_asks_for_plain_bytes(prometheus: Prometheus):
    with FaultServer(prometheus.url) as server:
        settings = PrometheusSettings(url=server.url, headers={"X-Scope-OrgID": "tenant"})  # type: ignore[dict-item]
        source = PrometheusSource(settings)
        source.at(data.LATENCY, MIDDLE)
        source.over(data.LATENCY, [MIDDLE, MIDDLE + MINUTE])
        source.close()
        instant, stretch = (r for r in server.requests if r.method == "POST")
    assert (instant.target, stretch.target) == ("/api/v1/query", "/api/v1/query_range")
    assert instant.form["time"] == str(MIDDLE)
    assert (stretch.form["start"], stretch.form["end"], stretch.form["step"]) == (str(MIDDLE), str(MIDDLE + 60), "60")
    for request in (instant, stretch):
        assert request.headers["accept-encoding"] == "identity"
        assert request.headers["x-scope-orgid"] == "tenant"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_at_most_so_many_questions_are_open_at_once(prometheus: Prometheus):
    lock, open_now, most = threading.Lock(), 0, 0

    def counting(exchange: Exchange) -> bool:
        nonlocal open_now, most
        with lock:
            open_now += 1
            most = max(most, open_now)
        exchange.wait(0.05)
        with lock:
            open_now -= 1
        return forward(exchange)

    with FaultServer(prometheus.url) as server:
        server.fail(counting)
        source = PrometheusSource(PrometheusSettings(url=server.url), max_queries=2)
        threads = [threading.Thread(target=source.at, args=(data.LATENCY, START + 60 * n)) for n in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        source.close()
        assert most == 2
        assert server.connections == 2, "connections are kept for the next question"


def test_a_slo_with_many_names_asks_no_further_than_it_must(prometheus: Prometheus):
    names: SLO = slo(LatencySLI(("req_seconds", "absent_seconds"), "", ("verb",)))
    with FaultServer(prometheus.url) as server:
        source = PrometheusSource(PrometheusSettings(url=server.url))
        source.at(names, MIDDLE)
        source.at(names, MIDDLE)
        source.close()
        assert len(server.requests) == 2


def test_after_a_long_gap_the_past_is_still_found(source: PrometheusSource):
    long_after = END + 7 * 86_400
    assert answer(source.at(data.VALUE, long_after)).series == {}
    assert answer(source.at(slo(ValueSLI("vector(1)", "ratio")), long_after)).series == {(): 1.0}


def test_whether_there_is_a_past_is_not_asked_again_and_again(prometheus: Prometheus):
    with FaultServer(prometheus.url) as server:
        source = PrometheusSource(PrometheusSettings(url=server.url))
        for asked_for in (data.NOTHING, data.VALUE, data.RATIO, data.SCALAR, data.NOTHING):
            assert isinstance(source.at(asked_for, MIDDLE), Answer)
        source.close()
        assert [r.method for r in server.requests].count("GET") == 1
