"""Which definition and which templates a report is made by, and what is said where they are wrong."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from sloagent.app.agent_settings import ReportSettings
from sloagent.app.reporting import definition, report, templates, write
from sloagent.errors import ConfigError, SloagentError
from tests.unit.report.sample import FSYNC, MEMORY, MUTATING, TEMPLATES, run_record
from tests.unit.report.sample import definition as shipped

MINE = """\
apiVersion: sloagent/v1
kind: ReportDefinition
metadata: {name: ours}
title: {en: Ours}
sections:
  - name: first
    title: {en: First}
    blocks:
      - chart: {slo: api-mutating-latency}
      - chart: {slo: karmada/etcd-wal-fsync}
      - chart: {kind: stages, slos: [etcd-wal-fsync, api-mutating-latency]}
      - chart: {slo: etcd-wal-fsync, percentiles: [50, 99]}
"""
SLOS = (MUTATING, FSYNC, MEMORY)


def read(directory: Path, text: str) -> object:
    (directory / "mine.yaml").write_text(text)
    return definition(ReportSettings(definition="mine.yaml"), directory / "sloagent.yaml", SLOS)


def test_a_shipped_definition_is_found_by_its_name_and_draws_what_there_is(tmp_path: Path) -> None:
    found = definition(ReportSettings(), tmp_path / "sloagent.yaml", ())
    assert found == shipped()
    with pytest.raises(ConfigError, match="no shipped report definition is named builtin:nothing") as caught:
        definition(ReportSettings(definition="builtin:nothing"), tmp_path / "sloagent.yaml", ())
    for name in ("builtin:karmada-test-report", "builtin:kubernetes", "builtin:proxy-capacity"):
        assert name in caught.value.hint


def test_a_definition_of_the_users_is_read_from_beside_the_configuration(tmp_path: Path) -> None:
    assert read(tmp_path, MINE).title.en == "Ours"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("good", "bad", "place", "hint"),
    [
        ("{slo: api-mutating-latency}", "{slo: api-mutating-latncy}", "9:22", 'did you mean "api-mutating-latency"?'),
        ("karmada/etcd-wal-fsync", "kubernetes/etcd-wal-fsync", "10:22", 'did you mean "karmada/etcd-wal-fsync"?'),
        ("[etcd-wal-fsync, api", "[nothing, api", "11:38", "there are api-mutating-latency, component-memory"),
        ("[50, 99]", "[50, 99.9]", "12:56", "it keeps P50, P90, P99"),
        ("slo: etcd-wal-fsync, perc", "slo: component-memory, perc", "12:54", "only latencies have percentiles"),
    ],
)
def test_a_chart_of_an_slo_or_a_percentile_that_there_is_not_is_refused_with_its_place(
    tmp_path: Path, good: str, bad: str, place: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, MINE.replace(good, bad))
    problem = caught.value.problems[0]
    assert re.search(f"mine.yaml:{place}: (there is no SLO|[a-z-]+ keeps no P)", problem)
    assert hint in problem


def test_a_missing_definition_and_a_missing_directory_of_templates_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        definition(ReportSettings(definition="none.yaml"), tmp_path / "sloagent.yaml", ())
    assert "there is no such file" in caught.value.problems[0]
    with pytest.raises(ConfigError, match="is no directory"):
        templates(ReportSettings(templates="none"), tmp_path / "sloagent.yaml")


def test_templates_are_the_shipped_ones_with_the_users_before_them(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert templates(ReportSettings(), tmp_path / "sloagent.yaml") == TEMPLATES
    found = templates(ReportSettings(templates="mine"), tmp_path / "sloagent.yaml")
    assert found == dataclasses.replace(TEMPLATES, own=tmp_path / "mine")


def test_a_directory_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(SloagentError, match="the report cannot be written to") as caught:
        write(report(run_record(FSYNC), shipped()), tmp_path / "out", ("json",), ("en",), TEMPLATES)
    assert caught.value.exit_code == 3
    assert "-o" in caught.value.hint
