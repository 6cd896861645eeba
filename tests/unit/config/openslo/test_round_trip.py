"""What is written as OpenSLO is read as the same SLOs, and is what the specification asks for."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sloagent import units
from sloagent.app import openslo_export, rule_files
from sloagent.config.load import load_slo_files
from sloagent.config.openslo import reading, writing
from sloagent.config.reader import parse
from sloagent.model.alert_defaults import STANDARD_ALERTS
from sloagent.model.slo import (
    SLO,
    Evaluate,
    Gate,
    LatencySLI,
    Limit,
    LowerBound,
    Objective,
    Override,
    RatioSLI,
    SLOSet,
    Status,
    Text,
    ValueSLI,
)

WORDS = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True)
METRICS = st.from_regex(r"[a-z]{1,8}_seconds", fullmatch=True)
LABELS = st.lists(st.sampled_from(["verb", "resource", "code"]), unique=True, max_size=3)
TITLES = st.text("aZ ä变:#'\"-{}", min_size=1, max_size=12).map(str.strip).filter(bool)
WHERE = st.sampled_from(["", 'verb="GET"', 'path=~"/a/.*$", verb!~"a|b"', 'a="$x" ,b="[5m]"', "a=`b`"])
WINDOWS = st.sampled_from([(60, 300), (60, 90 * 60), (300, 300), (3_600, 86_400)])


def good_share(draw: st.DrawFn) -> float:
    return draw(st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999, 0.9995]) | st.floats(0.001, 0.9999))


@st.composite
def promised(draw: st.DrawFn) -> dict[str, object]:
    """The fields of an SLI and what is promised of it, as OpenSLO can say it."""
    interval, window = draw(WINDOWS)
    whole_run = draw(st.booleans())
    gate = {"gate": Gate.WHOLE_RUN} if whole_run else {"windows_at_least": good_share(draw)}
    more: dict[str, object] = {"interval": interval, "window": window}
    match draw(st.sampled_from(["latency", "ratio", "value"])):
        case "latency":
            names = tuple(draw(st.lists(METRICS, unique=True, min_size=1, max_size=3)))
            sli = LatencySLI(names, draw(WHERE), tuple(draw(LABELS)))
            at_most = draw(st.floats(0.001, 1000.0))
            warn_at = draw(st.none() | st.just(at_most / 2))
            percentile = (
                draw(st.integers(10_000, 999_999)) / 10_000
            )  # as people write them: in a share, no digit more is kept
            objective = Objective(Limit(at_most, None, warn_at), percentile, **gate)
            return more | {"sli": sli, "objective": objective, "min_events": draw(st.sampled_from([0.0, 10.0, 2.5]))}
        case "ratio":
            counts = draw(st.sampled_from(["good", "bad"]))
            zero = counts == "bad" and draw(st.booleans())
            by = draw(st.sampled_from(["", " by (verb)"]))
            part = f'sum{by} (rate(x_total{{code=~"5..$", a="[5m]"}}[$window] offset 1m))'
            sli = RatioSLI(counts, part, f"sum{by} (rate(x_total[$window]))", zero)
            at_least = good_share(draw)
            warn_at = draw(st.none() | st.just((1 + at_least) / 2))
            return more | {"sli": sli, "objective": Objective(Limit(None, at_least, warn_at), None, **gate)}
        case _:
            unit = draw(st.sampled_from(["bytes", "seconds", "cores", "goroutines", "bytes/s", "requests/s"]))
            query = draw(
                st.sampled_from(["max(x)", "max_over_time(x[$window])", 'label_replace(x, "a", "$1", "b", "(.*)")'])
            )
            number = draw(st.floats(0.001, 1e12))
            limit = Limit(number) if draw(st.booleans()) else Limit(None, number)
            growth = draw(st.none() | st.floats(1e-6, 1e6))
            objective = Objective(limit, grows_at_most=growth, windows_at_least=good_share(draw))
            return more | {"sli": ValueSLI(query, unit), "objective": objective}


@st.composite
def sets(draw: st.DrawFn) -> SLOSet:
    names = draw(st.lists(WORDS, unique=True, min_size=1, max_size=3))
    set_name = draw(WORDS)

    def text() -> Text:
        return Text(draw(TITLES), draw(st.just("") | TITLES))

    slos = []
    for name in names:
        period = draw(st.sampled_from([None, 7 * 86_400, 90 * 60]))
        burning = replace(STANDARD_ALERTS.burn_rate, period=period)
        slos.append(
            SLO(
                set_name, name, title=draw(st.just(Text(name))) if draw(st.booleans()) else text(),
                note=text() if draw(st.booleans()) else Text(""), status=draw(st.sampled_from(Status)),
                section=draw(st.just("") | WORDS), allow_partial=draw(st.booleans()),
                evaluate=draw(st.sampled_from(Evaluate)),
                alerts=replace(STANDARD_ALERTS, burn_rate=burning), **draw(promised()),
            )
        )  # fmt: skip
    return SLOSet(set_name, text(), tuple(slos))


def told(slo_set: SLOSet) -> str:
    made = openslo_export.export(slo_set.slos)
    return rule_files.openslo(made, {slo_set.name: slo_set.title})


def read_again(text: str) -> SLOSet:
    loaded = reading.read(parse("set.openslo.yaml", text.encode()))
    assert loaded.problems == (), [(p.line, p.summary, p.source) for p in loaded.problems]
    assert loaded.slo_set is not None
    return loaded.slo_set


@settings(max_examples=60, deadline=None, phases=[Phase.generate])
@given(sets())
def test_what_is_written_is_read_as_the_same_set(slo_set: SLOSet) -> None:
    made = openslo_export.export(slo_set.slos)
    assert not made.refused
    assert not any("watched" in what for one in made.compiled for what in one.left_out)
    text = told(slo_set)
    check_documents(text)
    again = read_again(text)
    assert (again.name, again.title) == (slo_set.name, slo_set.title)
    assert [replace(slo, place="") for slo in again.slos] == list(slo_set.slos)
    assert [slo.alerts for slo in again.slos] == [slo.alerts for slo in slo_set.slos]
    assert [slo.fingerprint() for slo in again.slos] == [slo.fingerprint() for slo in slo_set.slos]


@pytest.mark.parametrize(("name", "said", "refused"), [("karmada", 29, 16), ("kubernetes", 10, 12)])
def test_a_shipped_set_is_read_again_but_for_what_is_refused_and_lower_bounds(
    name: str, said: int, refused: int
) -> None:
    (slo_set,) = load_slo_files([f"builtin:{name}"])
    made = openslo_export.export(slo_set.slos)
    assert (len(made.compiled), len(made.refused)) == (said, refused)
    text = told(slo_set)
    check_documents(text)
    again = {slo.name: slo for slo in read_again(text).slos}
    for one in made.compiled:
        slo = one.slo
        if isinstance(slo.sli, LatencySLI) and slo.sli.lower_bounds:
            assert any("lower bounds" in what for what in one.left_out)
            slo = replace(slo, sli=replace(slo.sli, lower_bounds=()))
        assert replace(again[slo.name], place="") == replace(slo, place="", declared=None)
        assert again[slo.name].alerts == slo.alerts


LATENCY = SLO("own", "api", LatencySLI(("a_seconds",), "", ()), Objective(Limit(at_most=1.0), percentile=99.0), 60, 300)
RATIO = replace(LATENCY, sli=RatioSLI("good", "good", "all"), objective=Objective(Limit(at_least=0.99)))
VALUE = replace(LATENCY, sli=ValueSLI("depth", "items"), objective=Objective(Limit(at_most=5.0)))


@pytest.mark.parametrize(
    ("slo", "reason"),
    [
        (replace(LATENCY, objective=None), "still to be determined"),
        (replace(VALUE, objective=Objective(Limit(), grows_at_most=1.0)), "only how much it grows"),
        (replace(RATIO, objective=Objective(Limit(at_least=0.99), gate=Gate.WORST_WINDOW)), "every window"),
        (replace(RATIO, objective=Objective(Limit(at_least=0.99), windows_at_least=1.0)), "all windows"),
        (replace(RATIO, objective=Objective(Limit(at_least=1.0), gate=Gate.WHOLE_RUN)), "all events"),
        (replace(RATIO, interval=30), "no whole minutes"),
        (replace(LATENCY, sli=replace(LATENCY.sli, native=True)), "native histogram"),
        (
            replace(VALUE, objective=Objective(Limit(at_most=5.0), overrides=(Override((("a", "b"),), Limit(6.0)),))),
            "limits of their own",
        ),
    ],
)
def test_what_openslo_cannot_say_is_refused_with_the_reason(slo: SLO, reason: str) -> None:
    assert reason in writing.refusal(slo)


def test_what_others_will_not_see_is_told() -> None:
    slo = replace(LATENCY, sli=replace(LATENCY.sli, lower_bounds=(LowerBound("b_seconds", ""),)), note=Text("n" * 1051))
    watched = replace(slo, alerts=replace(STANDARD_ALERTS, runbook="https://runbooks.example.com"))
    left_out = writing.said(watched).left_out
    assert [what.split(":")[0] for what in left_out] == [
        "its lower bounds, which prove a failure and never a pass", "its note", "how it is watched",
    ]  # fmt: skip
    limit = Limit(at_most=5.0, warn_at=4.0)
    assert writing.said(replace(VALUE, objective=Objective(limit, grows_at_most=1.0))).left_out == (
        "what only annotations say, and others do not read: the warn level, how much it may grow",
    )
    assert writing.said(LATENCY).left_out == ()


# ---- the rules of the specification --------------------------------------------------------------------------------

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
DURATION = re.compile(r"[1-9][0-9]*[mhdwMQY]")


def check_documents(text: str) -> None:
    """Whether documents keep the rules of OpenSLO v1 (its README, and what its own validation adds)."""
    documents = list(yaml.safe_load_all(text))
    services = {one["metadata"]["name"] for one in documents if one["kind"] == "Service"}
    for one in documents:
        assert list(one) == ["apiVersion", "kind", "metadata", "spec"]
        assert one["apiVersion"] == "openslo/v1"
        _check_metadata(one["metadata"])
        if one["kind"] == "SLO":
            assert one["spec"]["service"] in services
            _check_slo(one["spec"])
        else:
            assert (one["kind"], one["spec"]) == ("Service", {})


def _check_metadata(metadata: dict) -> None:
    assert set(metadata) <= {"name", "displayName", "annotations"}
    assert NAME.fullmatch(metadata["name"])
    for key, value in metadata.get("annotations", {}).items():
        assert re.fullmatch(r"sloagent\.io/[a-z0-9A-Z]([a-z0-9A-Z._-]{0,61}[a-z0-9A-Z])?", key)
        assert isinstance(value, str)


def _check_slo(spec: dict) -> None:
    assert {"service", "indicator", "timeWindow", "budgetingMethod", "objectives"} <= set(spec)
    assert set(spec) <= {"description", "service", "indicator", "timeWindow", "budgetingMethod", "objectives"}
    assert len(spec.get("description", "")) <= 1050
    (window,) = spec["timeWindow"]
    assert DURATION.fullmatch(window["duration"])
    assert window["isRolling"] is True
    _check_metadata(spec["indicator"]["metadata"])
    (kind,) = spec["indicator"]["spec"]
    metric = spec["indicator"]["spec"][kind]
    (objective,) = spec["objectives"]
    sources = [metric] if kind == "thresholdMetric" else [metric[side] for side in metric if side != "counter"]
    if kind == "ratioMetric":
        assert set(metric) in ({"counter", "good", "total"}, {"counter", "bad", "total"})
        assert metric["counter"] is False, "rates are no counters"
        assert not {"op", "value"} & set(objective)
    else:
        assert objective["op"] in ("lte", "gte")
        assert isinstance(objective["value"], float)
    for source in sources:
        assert source["metricSource"]["type"] == "Prometheus"
        (query,) = source["metricSource"]["spec"].values()
        assert "$window" not in query
        for length in re.findall(r"\[([0-9][^\]:]*)[\]:]", query):
            assert units.duration(length)
    assert 0 <= objective["target"] < 1
    slices = {"timeSliceTarget", "timeSliceWindow"} & set(objective)
    assert spec["budgetingMethod"] == ("Timeslices" if slices else "Occurrences")
    if slices:
        assert 0 < objective["timeSliceTarget"] <= 1
        assert DURATION.fullmatch(objective["timeSliceWindow"])


def test_a_set_is_in_the_files_the_command_writes(tmp_path: Path) -> None:
    (karmada,) = load_slo_files(["builtin:karmada"])
    (kubernetes,) = load_slo_files(["builtin:kubernetes"])
    made = openslo_export.export([*karmada.slos, *kubernetes.slos])
    titles = {one.name: one.title for one in (karmada, kubernetes)}
    assert rule_files.write_openslo(made, titles, tmp_path) == 2
    found = load_slo_files([str(tmp_path)])
    assert {(one.name, one.title, len(one.slos)) for one in found} == {
        ("karmada", karmada.title, 29), ("kubernetes", kubernetes.title, 10),
    }  # fmt: skip
    head = (tmp_path / "karmada.openslo.yaml").read_text().split("apiVersion", maxsplit=1)[0]
    assert all(line.startswith("#") for line in head.splitlines())
    assert "# Refused, karmada/component-up: its objective is still to be determined" in head
    assert "# Left out of karmada/distribution-latency: its lower bounds" in head
