from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from sloagent.config.load import load_settings
from sloagent.errors import ConfigError
from sloagent.model.run import Run
from sloagent.model.slo import Gate, Limit, Objective
from sloagent.model.verdict import Outcome
from sloagent.report.answer import answer
from sloagent.report.content import Evaluated, content
from sloagent.report.definition import Definition
from sloagent.report.document import document, text_of
from sloagent.report.render import html, markdown, render
from sloagent.report.strips import Absence
from sloagent.report.view import view
from sloagent.report.words import Words
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
    SET,
    START,
    TEMPLATES,
    WHOLE,
    curl,
    definition,
    evaluated,
    report,
    slot_at,
)

ENGLISH = Words("en")


@pytest.fixture(scope="module")
def whole():
    return report()


def test_golden_markdown(whole) -> None:
    golden.compare("report/report.md", markdown(whole, TEMPLATES))


def test_golden_page(whole) -> None:
    golden.compare("report/report.html", html(whole, TEMPLATES))


def test_golden_data(whole) -> None:
    golden.compare("report/report.json", text_of(whole))


def test_golden_markdown_in_chinese(whole) -> None:
    golden.compare("report/report.zh.md", markdown(whole, TEMPLATES, "zh"))


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
    names = [section.name for section in whole.sections]
    assert names == [
        "api-call-latency", "resource-distribution", "cluster-registration", "scheduling", "etcd", "resource-usage",
        "other",
    ]  # fmt: skip
    assert sorted(r.slo.name for s in whole.sections for r in s.results) == sorted(r.slo.name for r in whole.results)


def test_the_answer_names_what_failed_when_and_how_far(whole) -> None:
    assert answer(whole, ENGLISH) == (
        "3 of 7 SLOs were met. Mutating API call latency failed in 5 of 26 windows (05:52–05:56). 3 could not be judged."
    )
    assert answer(report(FSYNC, READ_ONLY), ENGLISH) == "All 2 SLOs were met."
    assert answer(report(FSYNC, SEARCH), ENGLISH) == "1 of 2 SLOs were met. 1 could not be judged."
    assert answer(report(REGISTRATION), ENGLISH) == "Nothing was promised: 0 SLOs measured."


def test_what_was_only_measured_is_not_among_the_promises_that_the_answer_counts() -> None:
    one = evaluated(MEMORY)
    slo = dataclasses.replace(MEMORY, objective=Objective(Limit(), grows_at_most=1000.0))
    grown = dataclasses.replace(one, whole=dataclasses.replace(one.whole, slo=slo, outcome=Outcome.MEASURED))

    def said(*others: Evaluated) -> str:
        return answer(
            content(RUN, WHOLE, [SET], [grown, *others], definition(), version="", url="", curl=curl), ENGLISH
        )

    assert said(evaluated(FSYNC), evaluated(SEARCH)) == (
        "1 of 2 SLOs were met. 1 could not be judged. 1 more only measured."
    )
    assert said(evaluated(FSYNC)) == "All 1 SLOs were met. 1 more only measured."
    assert said() == "Nothing that was promised can be judged yet: 1 SLOs measured."


def test_a_run_that_goes_on_says_so() -> None:
    running = dataclasses.replace(RUN, end=None)
    assert answer(report(FSYNC, run=running), ENGLISH).endswith("The run is not finished: this is how it stands.")
    assert document(report(FSYNC, run=running))["run"]["finished"] is False


def test_failures_after_the_second_are_counted() -> None:
    slos = [dataclasses.replace(MUTATING, name=f"copy-{number}") for number in range(4)]
    failing = [dataclasses.replace(evaluated(MUTATING), whole=dataclasses.replace(evaluated(MUTATING).whole, slo=slo))
               for slo in slos]  # fmt: skip
    four = content(RUN, WHOLE, [SET], failing, definition(), version="", url="http://x", curl=curl)
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
    assert "duplicate series" in markdown(whole, TEMPLATES)


def test_an_address_that_is_no_web_address_is_no_link() -> None:
    odd = content(RUN, WHOLE, [SET], [evaluated(FSYNC)], definition(), version="", url="javascript:alert(1)", curl=curl)
    assert odd.results[0].evidence is not None
    assert odd.results[0].evidence.graph_url == ""
    assert 'href="javascript' not in html(odd, TEMPLATES)


def test_slots_without_answer_and_excluded_ones_are_seen_in_the_strip(whole) -> None:
    scheduling = next(result for result in whole.results if result.slo is SCHEDULING)
    states = [segment.state for segment in scheduling.strip]
    assert Absence.MISSING in states
    assert Absence.EXCLUDED in states
    assert "2 slots without an answer" in markdown(whole, TEMPLATES)


def test_the_same_input_gives_the_same_bytes_and_the_order_of_phases_must_match() -> None:
    assert html(report(), TEMPLATES) == html(report(), TEMPLATES)
    short = dataclasses.replace(evaluated(FSYNC), phases=())
    with pytest.raises(ValueError, match="0 summaries for 5 phases"):
        content(RUN, WHOLE, [SET], [short], definition(), version="", url="", curl=curl)


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
    page = html(whole, TEMPLATES, "zh")
    assert '<html lang="zh-CN">' in page
    assert "变更类 API 调用时延" in page
    assert view(whole, Words("zh")).title == "Karmada 控制面 · soak-1"
    plain = content(Run("", START, RUN.end), WHOLE, [], [evaluated_alone()], definition(), version="", url="http://x",
                    curl=curl)  # fmt: skip
    assert "untitled" in html(plain, TEMPLATES, "zh")


def evaluated_alone():
    slo = dataclasses.replace(FSYNC, name="untitled", title=type(FSYNC.title)(""))
    one = evaluated(FSYNC)
    return dataclasses.replace(one, whole=dataclasses.replace(one.whole, slo=slo), phases=())


def test_a_run_without_slos_phases_or_slots_is_still_a_report() -> None:
    empty = content(Run("", START, RUN.end), WHOLE, [], [], definition(), version="", url="http://x", curl=curl)
    assert "Nothing was promised" in markdown(empty, TEMPLATES)
    assert "<svg" in html(empty, TEMPLATES)
    nothing = dataclasses.replace(evaluated(FSYNC), expected=[], counted=[], slots=[], phases=())
    bare = content(Run("", START, RUN.end), WHOLE, [], [nothing], definition(), version="", url="http://x", curl=curl)
    assert bare.results[0].evidence is None
    html(bare, TEMPLATES)
    markdown(bare, TEMPLATES)


def test_a_promise_over_the_whole_run_that_failed_counts_no_windows() -> None:
    one = evaluated(MUTATING)
    objective = Objective(MUTATING.objective.limit, percentile=99.0, gate=Gate.WHOLE_RUN)
    slo = dataclasses.replace(MUTATING, objective=objective)
    series = dataclasses.replace(one.whole.series[0], windows=dataclasses.replace(one.whole.series[0].windows, bad=0))
    changed = dataclasses.replace(one, whole=dataclasses.replace(one.whole, slo=slo, series=(series,)))
    over = content(RUN, WHOLE, [SET], [changed], definition(), version="", url="", curl=curl)
    assert answer(over, ENGLISH) == "0 of 1 SLOs were met. Mutating API call latency failed over the whole stretch."


def test_files_are_written_whole_in_each_language_and_one_set_of_data(whole, tmp_path: Path) -> None:
    files = render(whole, tmp_path / "new" / "place", templates=TEMPLATES, languages=("en", "zh"))
    assert [file.name for file in files] == [
        "report.md",
        "report.zh.md",
        "report.html",
        "report.zh.html",
        "report.json",
    ]
    assert sorted(p.name for p in files[0].parent.iterdir()) == sorted(file.name for file in files)
    assert files[0].read_text() == markdown(whole, TEMPLATES)
    before = files[2].read_bytes()
    assert render(whole, files[0].parent, ("html",), templates=TEMPLATES) == [files[2]]
    assert files[2].read_bytes() == before


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


def test_a_definition_with_mistakes_names_each_of_them_and_its_place(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "apiVersion: sloagent/v2\nkind: ReportDefinition\nmetadata: {name: x}\ntitle: {en: x}\n"
        "sections:\n  - {name: a, titel: {en: A}, takes: []}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_settings(file, Definition)
    said = "\n".join(caught.value.problems)
    for place in ("mine.yaml:1:13: ", "mine.yaml:6:15: ", "mine.yaml:6:38: "):
        assert place in said, said
