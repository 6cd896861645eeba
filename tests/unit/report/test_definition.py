"""A report definition: each mistake is told with its place, and what it asks for is shown in its order."""

from __future__ import annotations

from pathlib import Path

import pytest

from sloagent.config.load import load_settings
from sloagent.errors import ConfigError
from sloagent.report.block_views import Prose, Results
from sloagent.report.blocks import _SHOWN
from sloagent.report.content import content
from sloagent.report.definition import Block, Definition, Table
from tests.unit.report.sample import REPOSITORY, TEMPLATES, run_record
from tests.unit.report.showing import blocks, markdown, told

GOOD = """\
apiVersion: sloagent/v1
kind: ReportDefinition
metadata: {name: ours}
title: {en: Ours}
sections:
  - name: first
    title: {en: First}
    blocks:
      - show: verdicts
groups:
  control: {title: {en: C}, labels: {group: control}}
  test: {title: {en: T}, phase: loaded}
comparison: {tolerance: 0.1, level: 0.01, noise: 0.03}
"""


def load(directory: Path, text: str) -> Definition:
    (directory / "mine.yaml").write_text(text, encoding="utf-8")
    return load_settings(directory / "mine.yaml", Definition)


def test_a_good_definition_is_read(tmp_path: Path) -> None:
    found = load(tmp_path, GOOD)
    assert found.sections[0].blocks[0].show == "verdicts"
    assert found.comparison.tolerance == 0.1


@pytest.mark.parametrize(
    ("good", "bad", "place", "said"),
    [
        ("sloagent/v1", "sloagent/v2", "1:13", '"sloagent/v2" is not accepted'),
        ("kind: ReportDefinition", "kind: Report", "2:7", '"Report" is not accepted'),
        ("title: {en: First}", "titel: {en: First}", "7:5", 'unknown field "titel"'),
        ("title: {en: Ours}", "title: {en: ''}", "4:13", "en"),
        ("- show: verdicts", "- show: verdict", "9:15", '"verdict" is not accepted'),
        ("- show: verdicts", "- {show: verdicts, results: [x]}", "9:9", "a block holds one of"),
        ("- show: verdicts", "- {}", "9:9", "a block holds one of"),
        ("- show: verdicts", "- results: []", "9:9", "a block holds one of"),
        ("- show: verdicts", "- chart: {}", "9:16", "a chart needs `slo:`"),
        ("- show: verdicts", "- chart: {slo: x, slos: [y]}", "9:16", "`slos:` is for `kind: stages`"),
        ("- show: verdicts", "- chart: {kind: stages, slo: x}", "9:16", "a chart of stages needs `slos:`"),
        ("- show: verdicts", "- chart: {slo: x, kind: pie}", "9:31", '"pie" is not accepted'),
        ("- show: verdicts", "- chart: {slo: x, percentiles: [250]}", "9:39", "it must be at most 100"),
        ("- show: verdicts", "- takes: [x]", "9:9", 'unknown field "takes"'),
        ("\n      - show: verdicts", " []", "8:13", "blocks is empty"),
        (
            "labels: {group: control}",
            "labels: {group: control}, phase: x",
            "11:12",
            "selected by `phase` or by `labels`",
        ),
        (", phase: loaded", "", "12:9", "selected by `phase` or by `labels`"),
        ("  test: {title: {en: T}, phase: loaded}\n", "", "10:1", "test"),
        ("tolerance: 0.1", "tolerance: 5", "13:25", "tolerance must be below 1"),
        ("level: 0.01", "level: 0", "13:37", "level must be above 0"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, good: str, bad: str, place: str, said: str) -> None:
    assert GOOD.count(good) == 1
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, GOOD.replace(good, bad))
    found = "\n".join(caught.value.problems)
    assert f"mine.yaml:{place}: " in found
    assert said in found


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("sloagent/v1", "sloagent/v2").replace("show: verdicts", "show: nothing").replace("0.03", "7")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert len(caught.value.problems) == 3


def test_everything_that_a_block_can_show_is_shown_by_something_and_told_in_the_document() -> None:
    names = set(Table.__args__)  # type: ignore[attr-defined]
    assert set(_SHOWN) == names
    document = (REPOSITORY / "docs" / "report.md").read_text()
    assert {name for name in names if f"`{name}`" not in document} == set()


@pytest.mark.parametrize("name", sorted(path.stem for path in TEMPLATES.shipped.glob("*.yaml")))
def test_a_shipped_definition_is_in_both_languages_and_shows_the_sample(name: str) -> None:
    found = load_settings(TEMPLATES.shipped / f"{name}.yaml", Definition)
    written = [found.title, found.other, *(section.title for section in found.sections)]
    written += [block.prose for section in found.sections for block in section.blocks if block.prose is not None]
    assert [words for words in written if not words.zh] == []
    assert len({section.name for section in found.sections}) == len(found.sections)
    shown = told(content(run_record(), found))
    assert shown.sections[0].name == "verdicts"
    titles = [table.title for s in shown.sections for b in s.blocks if isinstance(b, Results) for table in b.tables]
    assert sorted(titles) == sorted(result.slo.title.en for result in content(run_record(), found).results)


def test_a_text_of_several_paragraphs_and_lines_keeps_them() -> None:
    report = content(run_record(), load_settings(TEMPLATES.shipped / "kubernetes.yaml", Definition))
    (prose,) = blocks(report, Block.model_validate({"prose": {"en": "One.\n\nTwo\nlines.\n"}}))
    assert prose == Prose(("One.", "Two\nlines."), soft=True)


def test_what_no_block_takes_stands_at_the_end(tmp_path: Path) -> None:
    text = markdown(content(run_record(), load(tmp_path, GOOD)))
    assert "## 2. Further results" in text
    assert "### etcd WAL fsync: P99 ≤ 20 ms" in text.split("## 2. Further results")[1]
