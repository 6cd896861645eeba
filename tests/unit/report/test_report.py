from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from sloagent.model.record import Absence, Part, SLORecord
from sloagent.model.run import Run
from sloagent.model.slo import Gate, Limit, Objective, Text
from sloagent.model.tally import Tally
from sloagent.model.verdict import Outcome
from sloagent.report.answer import answer
from sloagent.report.content import Report, content
from sloagent.report.document import document, text_of
from sloagent.report.render import render
from tests.unit.report import golden
from tests.unit.report.sample import (
    FSYNC,
    MEMORY,
    MUTATING,
    READ_ONLY,
    REGISTRATION,
    RUN,
    SCHEDULING,
    SEARCH,
    START,
    TEMPLATES,
    curl,
    definition,
    made_of,
    report,
    slo_record,
    slot_at,
)
from tests.unit.report.showing import ENGLISH, markdown, page, summary, told, without_scripts


def report_of(*records: SLORecord, run: Run = RUN, **more: object) -> Report:
    """The report of a run that has these records."""
    return content(made_of(*records, run=run, **more), definition())


@pytest.fixture(scope="module")
def whole():
    return report()


def test_golden_markdown(whole) -> None:
    golden.compare("report/report.md", markdown(whole))


def test_golden_page(whole) -> None:
    golden.compare("report/report.html", without_scripts(page(whole)))


def test_golden_data(whole) -> None:
    golden.compare("report/report.json", text_of(whole))


def test_golden_markdown_in_chinese(whole) -> None:
    golden.compare("report/report.zh.md", markdown(whole, "zh"))


def test_the_worst_stands_first_and_what_promises_nothing_last(whole) -> None:
    outcomes = [result.summary.outcome for result in whole.results]
    assert outcomes[0] is Outcome.FAIL
    assert outcomes[1] is Outcome.ERROR
    assert [result.gates for result in whole.results] == [True] * 7 + [False]


def test_the_conclusion_is_what_the_exit_code_of_a_gate_says(whole) -> None:
    assert whole.conclusion is Outcome.FAIL
    assert report(FSYNC, READ_ONLY).conclusion is Outcome.PASS
    assert report(FSYNC, SEARCH).conclusion is Outcome.INCONCLUSIVE
    assert report(FSYNC, REGISTRATION).conclusion is Outcome.PASS


def test_sections_stand_in_the_order_of_the_definition_and_lose_no_result(whole) -> None:
    assert [section.name for section in whole.sections[:3]] == ["verdicts", "timeline", "attention"]
    assert [section.name for section in whole.sections if section.results] == [
        "api-call-latency", "cluster-registration", "resource-distribution", "etcd", "resource-usage", "scheduling",
        "other",
    ]  # fmt: skip
    assert sorted(r.slo.name for s in whole.sections for r in s.results) == sorted(r.slo.name for r in whole.results)


def test_sections_without_anything_to_show_are_left_out_and_the_others_are_numbered_through(whole) -> None:
    shown = told(whole).sections
    assert [section.number for section in shown] == list(range(1, len(shown) + 1))
    names = [section.name for section in shown]
    assert "growth" not in names  # nothing of the run promises anything of growth
    assert "comparison" not in names
    assert names[-1] == "other"


def test_the_answer_names_what_failed_when_and_how_far(whole) -> None:
    assert answer(whole, ENGLISH) == (
        "3 of 7 SLOs were met. Mutating API call latency failed in 5 of 26 windows (05:52–05:56). 3 could not be judged."
    )
    assert answer(report(FSYNC, READ_ONLY), ENGLISH) == "All 2 SLOs were met."
    assert answer(report(FSYNC, SEARCH), ENGLISH) == "1 of 2 SLOs were met. 1 could not be judged."
    assert answer(report(REGISTRATION), ENGLISH) == "Nothing was promised: 0 SLOs measured."


def test_what_was_only_measured_is_not_among_the_promises_that_the_answer_counts() -> None:
    slo = dataclasses.replace(MEMORY, objective=Objective(Limit(), grows_at_most=1000.0))
    grown = slo_record(slo)

    def said(*others: SLORecord) -> str:
        return answer(report_of(grown, *others), ENGLISH)

    assert said(slo_record(FSYNC), slo_record(SEARCH)) == (
        "1 of 2 SLOs were met. 1 could not be judged. 1 more only measured."
    )
    assert said(slo_record(FSYNC)) == "All 1 SLOs were met. 1 more only measured."
    assert said() == "Nothing that was promised can be judged yet: 1 SLOs measured."


def test_a_run_that_goes_on_says_so() -> None:
    running = dataclasses.replace(RUN, end=None)
    assert answer(report(FSYNC, run=running), ENGLISH).endswith("The run is not finished: this is how it stands.")
    assert document(report(FSYNC, run=running))["run"]["finished"] is False


def test_failures_after_the_second_are_counted_and_each_has_an_anchor_of_its_own() -> None:
    one = slo_record(MUTATING)
    copies = [dataclasses.replace(one, slo=dataclasses.replace(MUTATING, name=f"copy-{n}")) for n in range(3)]
    clash = dataclasses.replace(one, slo=dataclasses.replace(MUTATING, name="copy.0"))
    four = report_of(*copies, clash)
    assert answer(four, ENGLISH).endswith("2 more failed.")
    assert len({result.anchor for result in four.results}) == 4


def test_the_evidence_is_the_question_of_the_worst_window(whole) -> None:
    evidence = whole.results[0].evidence
    assert evidence is not None
    assert evidence.slot == slot_at(13)
    assert dict(evidence.series) == {"resource": "deployments", "verb": "POST"}
    assert evidence.curl == curl(evidence.query, evidence.slot)
    assert "g0.end_input=2026-11-22" in evidence.graph_url


def test_a_refusal_is_shown_in_prometheus_own_words(whole) -> None:
    search = next(result for result in whole.results if result.slo is SEARCH)
    assert search.evidence is not None
    assert "duplicate series" in search.evidence.said
    assert "duplicate series" in markdown(whole)


def test_an_address_that_is_no_web_address_is_no_link() -> None:
    record = made_of(slo_record(FSYNC))
    odd = dataclasses.replace(record, peer=dataclasses.replace(record.peer, url="javascript:alert(1)"))
    made = content(odd, definition())
    assert made.results[0].evidence is not None
    assert made.results[0].evidence.graph_url == ""
    assert 'href="javascript' not in page(made)


def test_slots_without_answer_and_excluded_ones_are_seen_in_the_strip(whole) -> None:
    scheduling = next(result for result in whole.results if result.slo is SCHEDULING)
    states = [segment.state for segment in scheduling.strip]
    assert Absence.MISSING in states
    assert Absence.EXCLUDED in states
    assert "2 slots without an answer" in markdown(whole)


def test_the_same_input_gives_the_same_bytes() -> None:
    assert page(report()) == page(report())
    assert markdown(report(), "zh") == markdown(report(), "zh")
    assert text_of(report()) == text_of(report())


def test_an_slo_that_tells_of_other_phases_than_the_run_has_is_refused_and_one_that_tells_of_none_is_not() -> None:
    one = slo_record(FSYNC)
    with pytest.raises(ValueError, match="4 parts for 5 phases"):
        report_of(dataclasses.replace(one, phases=one.phases[:-1]))
    silent = report_of(dataclasses.replace(one, phases=()))
    assert document(silent)["results"][0]["phases"] == []
    assert "## 1." in markdown(silent)


def test_the_data_has_no_number_that_json_does_not_know(whole) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    data = json.loads(text_of(whole), parse_constant=refuse)
    assert data["schema"] == "sloagent/report/v1"
    assert data["conclusion"] == "fail"
    first = data["results"][0]
    assert first["series"][0]["windows"]["good"] == 21
    assert first["series"][0]["worst"]["quantiles"]["99"]["lower"] == 4.0
    assert first["reason"]["zh"] != first["reason"]["en"]
    sync = next(result for result in data["results"] if result["slo"] == "work-sync-latency")
    assert sync["series"][0]["worst"]["quantiles"]["99"] == {"value": 2.048, "lower": 2.048, "upper": None}


def test_chinese_titles_stand_in_the_chinese_report_and_english_where_there_are_none(whole) -> None:
    chinese = page(whole, "zh")
    assert '<html lang="zh-CN">' in chinese
    assert "变更类 API 调用时延" in chinese
    assert told(whole, "zh").title == "Karmada 控制面 · soak-1"
    plain = dataclasses.replace(slo_record(FSYNC), slo=dataclasses.replace(FSYNC, name="untitled", title=Text("")))
    assert "untitled" in page(report_of(plain), "zh")


def test_a_run_without_slos_phases_or_slots_is_still_a_report() -> None:
    nameless = Run("", START, RUN.end)
    empty = report_of(run=nameless, sets=())
    assert "Nothing was promised" in markdown(empty)
    assert "<svg" not in page(empty)
    bare = report_of(SLORecord(FSYNC, Part(0, 0, Tally(), None)), run=nameless, sets=())
    assert bare.results[0].evidence is None
    assert "etcd WAL fsync" in page(bare)
    assert "etcd WAL fsync" in markdown(bare)


def test_a_promise_over_the_whole_run_that_failed_counts_no_windows() -> None:
    objective = Objective(MUTATING.objective.limit, percentile=99.0, gate=Gate.WHOLE_RUN)
    one = slo_record(dataclasses.replace(MUTATING, objective=objective))
    rows = {labels: dataclasses.replace(row, bad=0) for labels, row in one.whole.tally.series.items()}
    whole = dataclasses.replace(one.whole, tally=dataclasses.replace(one.whole.tally, series=rows))
    over = report_of(dataclasses.replace(one, whole=whole))
    assert answer(over, ENGLISH) == "0 of 1 SLOs were met. Mutating API call latency failed over the whole stretch."


def test_a_run_of_several_days_tells_the_day_of_its_worst_window() -> None:
    one = slo_record(MUTATING)
    long = dataclasses.replace(one, slots=range(one.slots[0] - 3 * 86_400, one.slots[-1] + 60, 60))
    long = dataclasses.replace(long, states=(Outcome.PASS,) * len(long.slots))
    assert "worst at 05:52" in told(report_of(one)).offenders[0].where
    assert "worst at 2026-11-22 05:52" in told(report_of(long)).offenders[0].where
    assert "2026-11-22 05:52" in markdown(report_of(long)).split("## 2.")[0]


def test_numbers_that_were_written_by_hand_are_said_to_be_on_the_first_screen(whole) -> None:
    by_hand = report_of(SLORecord(FSYNC, Part(0, 0, Tally(), None)), run=Run("x", START, RUN.end), written_by_hand=True)
    for text in (page(by_hand), markdown(by_hand)):
        assert "written by hand, not measured by sloagent" in text
    assert "written by hand" not in page(whole)
    assert by_hand.conclusion is Outcome.INCONCLUSIVE


def test_the_summary_of_a_step_has_the_answer_the_offenders_and_the_verdicts(whole) -> None:
    text = summary(whole)
    assert "3 of 7 SLOs were met" in text
    assert "4.96 s (4–5 s) instead of P99 ≤ 1 s" in text
    assert "| ❌ fail | Mutating API call latency" in text
    assert "assets/" not in text
    assert "Phase by phase" not in text


def test_files_are_written_whole_in_each_language_and_one_set_of_data(whole, tmp_path: Path) -> None:
    formats = ("md", "html", "json", "github")
    files = render(whole, tmp_path / "new" / "place", formats, templates=TEMPLATES, languages=("en", "zh"))
    place = tmp_path / "new" / "place"
    names = [file.relative_to(place).as_posix() for file in files]
    assert [name for name in names if not name.startswith("assets/")] == [
        "report.json", "report.md", "report.html", "summary.md", "report.zh.md", "report.zh.html", "summary.zh.md",
    ]  # fmt: skip
    assert sorted(names) == sorted(p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file())
    assert (place / "report.md").read_text() == markdown(whole)
    before = (place / "report.html").read_bytes()
    assert render(whole, place, ("html",), templates=TEMPLATES) == [place / "report.html"]
    assert (place / "report.html").read_bytes() == before


def test_every_picture_that_the_markdown_names_lies_beside_it(whole, tmp_path: Path) -> None:
    render(whole, tmp_path, ("md",), templates=TEMPLATES, languages=("en", "zh"))
    for name in ("report.md", "report.zh.md"):
        named = re.findall(r"\]\((assets/[^)]+)\)", (tmp_path / name).read_text())
        assert named
        for picture in named:
            assert (tmp_path / picture).read_text().startswith("<svg")
    assert sorted(p.name for p in (tmp_path / "assets").iterdir() if p.suffix == ".png") == []


def test_what_cannot_be_written_leaves_the_old_file_and_no_scrap(whole, tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(OSError):
        render(whole, tmp_path, ("json",), templates=TEMPLATES)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize(
    ("formats", "languages", "said"),
    [(("pdf",), ("en",), "format 'pdf'"), (("md",), ("fr",), "language 'fr'"), (("md",), (), "no such language")],
)
def test_an_unknown_format_or_language_is_refused_before_anything_is_written(
    whole, tmp_path: Path, formats: tuple[str, ...], languages: tuple[str, ...], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        render(whole, tmp_path, formats, templates=TEMPLATES, languages=languages)
    assert not list(tmp_path.iterdir())
