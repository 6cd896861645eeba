"""The record of a run, read from a real store: what a report can say of it lies in here, and nowhere else."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sloagent.app.assess import Stretch, stretch_of
from sloagent.app.recording import COLUMNS, DRAWN_SERIES, record_of, slo_record
from sloagent.app.wiring import Agent, open_agent
from sloagent.evaluation.judge import judge
from sloagent.evaluation.summary import summary_of
from sloagent.model.facts import Facts, Written
from sloagent.model.record import Absence, RunRecord, SLORecord
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.samples import Answer, Kind, Question, Refusal
from sloagent.model.slo import SLO, Labels, Limit
from sloagent.model.timerange import TimeRange, at
from sloagent.model.verdict import Outcome

MIDNIGHT = 1_795_305_600
SET = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 60s, window: 60s}
slos:
  - name: queue
    sli: {value: {query: 'queue', unit: items}}
    objective: {at_most: 5}
"""
QUERY = "queue{}"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    (tmp_path / "own.yaml").write_text(SET)
    (tmp_path / "sloagent.yaml").write_text(
        "prometheus: {url: 'http://127.0.0.1:1', headers: {X-Key: geheim}}\nslos: [own.yaml]\nstore: {path: ':memory:'}\n"
    )
    with open_agent(tmp_path / "sloagent.yaml") as made:
        yield made


def minute(number: float) -> int:
    return MIDNIGHT + int(60 * number)


def run(
    minutes: int, begin: int = 0, phases: tuple[tuple[int, int], ...] = (), holes: tuple[tuple[int, int], ...] = ()
) -> Run:
    def between(pair: tuple[int, int]) -> TimeRange:
        return TimeRange(at(minute(pair[0])), at(minute(pair[1])))

    return Run(
        "r", at(minute(begin)), at(minute(begin + minutes)), (),
        tuple(Phase(f"p{n}", between(pair)) for n, pair in enumerate(phases)),
        tuple(Exclusion(between(pair), "hole") for pair in holes),
    )  # fmt: skip


def stretch(of: Run) -> Stretch:
    assert of.end is not None
    return stretch_of(of, TimeRange(of.start, of.end))


def remember(agent: Agent, numbers: dict[int, float], series: Labels = (), slo: SLO | None = None) -> None:
    slo = slo or agent.slos[0]
    answers = [judge(slo, minute(n), Answer(Question(QUERY), {series: value})) for n, value in numbers.items()]
    agent.store.append(agent.source.name, answers)


def refuse(agent: Agent, *minutes: int) -> None:
    refusal = Refusal(Question(QUERY), Kind.EXECUTION, "many-to-many", final=True)
    agent.store.append(agent.source.name, [judge(agent.slos[0], minute(n), refusal) for n in minutes])


def recorded(agent: Agent, of: Run, trouble: str = "") -> SLORecord:
    return slo_record(agent, agent.slos[0], stretch(of), trouble)


def test_each_expected_slot_has_its_outcome_or_the_reason_why_it_has_none(agent: Agent) -> None:
    remember(agent, {1: 1.0, 2: 9.0, 4: 1.0, 5: 1.0})
    refuse(agent, 6)
    found = recorded(agent, run(6, holes=((3, 4),)))
    assert found.slots == range(minute(1), minute(7), 60)
    assert found.states == (
        Outcome.PASS, Outcome.FAIL, Absence.MISSING, Absence.EXCLUDED, Outcome.PASS, Outcome.ERROR,
    )  # fmt: skip
    assert (found.whole.expected, found.whole.excluded) == (6, 1)
    assert found.refused == {"execution": ((minute(6), minute(6)),)}


def test_a_slot_that_is_part_of_an_hourly_sum_is_neither_a_gap_nor_an_outcome(agent: Agent) -> None:
    of = run(120)
    agent.store.save_run(of)
    remember(agent, dict.fromkeys(range(1, 121), 1.0))
    agent.store.roll_up(minute(60))
    found = recorded(agent, of)
    assert set(found.states[:59]) == {Absence.SUMMED}
    assert set(found.states[60:]) == {Outcome.PASS}
    assert summary_of(found.slo, found.whole).series[0].windows.good == 120


def test_the_question_is_that_of_the_worst_window_and_can_be_asked_again(agent: Agent) -> None:
    remember(agent, {1: 1.0, 2: 9.0, 3: 1.0})
    asked = recorded(agent, run(3)).asked
    assert asked is not None
    assert (asked.slot, asked.query, asked.said) == (minute(2), QUERY, "")
    assert f"time={minute(2)}" in asked.curl
    assert "geheim" not in asked.curl


def test_of_a_refusal_the_peers_own_words_are_kept(agent: Agent) -> None:
    refuse(agent, 1, 2)
    asked = recorded(agent, run(2)).asked
    assert asked is not None
    assert "many-to-many" in asked.said
    assert recorded(agent, run(2, begin=100)).asked is None


def test_the_days_of_a_run_add_up_to_the_run(agent: Agent) -> None:
    remember(agent, {n: 9.0 if n == 0 else 1.0 for n in range(-29, 31)})
    found = recorded(agent, run(60, begin=-30))
    assert [day.start for day in found.days] == [MIDNIGHT - 86_400, MIDNIGHT]
    assert [day.part.expected for day in found.days] == [29, 31]
    good = [summary_of(found.slo, day.part).series[0].windows.good for day in found.days]
    assert good == [29, 30]
    assert summary_of(found.slo, found.whole).series[0].windows.good == 59


def test_each_phase_is_judged_by_its_own_windows(agent: Agent) -> None:
    remember(agent, {n: 9.0 if n > 5 else 1.0 for n in range(1, 11)})
    found = recorded(agent, run(10, phases=((0, 5), (5, 10))))
    assert [summary_of(found.slo, part).outcome for part in found.phases] == [Outcome.PASS, Outcome.FAIL]


def test_the_worst_series_are_drawn_and_no_more_than_a_chart_can_show(agent: Agent) -> None:
    series = {(("q", f"{number:02}"),): float(number) for number in range(DRAWN_SERIES + 2)}
    slo = agent.slos[0]
    agent.store.append(agent.source.name, [judge(slo, minute(n), Answer(Question(QUERY), series)) for n in (1, 2)])
    found = recorded(agent, run(2))
    assert len(found.lines) == DRAWN_SERIES
    assert found.lines[0].labels == (("q", "09"),)  # 9 items, at most 5 promised
    assert [slot for slot, _ in found.lines[0].windows] == [minute(1), minute(2)]


def test_a_long_run_is_thinned_and_keeps_its_extremes(agent: Agent) -> None:
    numbers = dict.fromkeys(range(1, 4 * COLUMNS + 1), 3.0)
    remember(agent, numbers | {577: 4.5, 578: 0.5})
    (line,) = recorded(agent, run(4 * COLUMNS)).lines
    assert line.seen == 4 * COLUMNS
    assert len(line.windows) <= 2 * COLUMNS
    values = [verdict.value for _, verdict in line.windows]
    assert max(values) == 4.5
    assert min(values) == 0.5


def test_of_a_value_there_are_means_of_twelve_equal_parts_and_none_over_a_hole(agent: Agent) -> None:
    remember(agent, {n: float(n) for n in range(1, 49)})
    assert recorded(agent, run(24)).means == {(): tuple(2 * n + 1.5 for n in range(12))}
    # Slot 11 is excluded: of twelve parts of three slots one has it inside.
    assert recorded(agent, run(48, holes=((10, 11),))).means == {
        (): tuple(float(n) for n in (2, 5, 8, 15, 18, 21, 24, 27, 30, 33, 36)),
    }  # fmt: skip


def test_what_comes_out_under_the_declared_limit_is_judged_from_the_same_windows(agent: Agent) -> None:
    slo = dataclasses.replace(agent.slos[0], declared=Limit(at_most=2.0))
    remember(agent, {1: 3.0, 2: 1.0}, slo=slo)
    found = slo_record(agent, slo, stretch(run(2)))
    assert found.under_declared is not None
    assert summary_of(slo, found.whole).series[0].windows.bad == 0
    assert summary_of(slo, found.under_declared).series[0].windows.bad == 1
    assert recorded(agent, run(2)).under_declared is None


def test_the_record_of_a_run_names_who_was_asked_and_hides_every_secret(agent: Agent) -> None:
    remember(agent, {1: 1.0})
    of = run(1)
    facts = Facts(written=Written(software=(("a", "1"),)))
    made = record_of(agent, agent.slos, of, stretch(of), facts, {agent.slos[0]: "timeout: …"})
    assert isinstance(made, RunRecord)
    assert (made.run, made.facts, made.peer.url) == (of, facts, "http://127.0.0.1:1")
    assert made.slos[0].trouble == "timeout: …"
    assert "queue" not in made.configuration
    assert "own.yaml" in made.configuration
    assert "geheim" not in repr(made)
    assert made.span.end - made.span.start == timedelta(minutes=1)


def test_slos_that_were_not_chosen_are_not_in_the_record_and_their_set_is(agent: Agent) -> None:
    of = run(1)
    made = record_of(agent, [], of, stretch(of), Facts(), {})
    assert made.slos == ()
    assert [one.name for one in made.sets] == ["own"]
