"""reports/examples: the recorded run as a run file and as a report, byte by byte; published numbers in the same tables.

SLOAGENT_GOLDEN=1 writes them (`make golden`); read the diff.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from pathlib import Path

import pytest

from sloagent.app import demonstration, reporting, run_file
from sloagent.app.agent_settings import ReportSettings
from sloagent.app.assess import stretch_of
from sloagent.app.wiring import open_agent
from sloagent.model.record import RunRecord
from tests.unit.report.showing import without_scripts

EXAMPLES = Path(__file__).parents[2] / "reports" / "examples"
RECORDED = EXAMPLES / "recorded"
FILE = RECORDED / "run.json.gz"
URL = "http://localhost:9090"
"""Of the Prometheus in the examples; that of the demo has another port each time."""
WRITING = bool(os.environ.get("SLOAGENT_GOLDEN"))


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    """The recorded run, judged now through a real Prometheus."""
    with (
        demonstration.prepared(tmp_path_factory.mktemp("demo"), binary="prometheus") as demo,
        open_agent(demo.configuration) as agent,
    ):
        stretch = stretch_of(demo.run, demonstration.whole(demo.run))
        found = reporting.recorded(agent, agent.slos, demo.run, stretch)
        slos = tuple(
            dataclasses.replace(
                one, asked=one.asked and dataclasses.replace(one.asked, curl=_there(one.asked.curl, demo.url))
            )
            for one in found.slos
        )
        return dataclasses.replace(
            found, slos=slos, peer=dataclasses.replace(found.peer, url=URL),
            configuration=_there(found.configuration, demo.url),
        )  # fmt: skip


def _there(text: str, url: str) -> str:
    return text.replace(url, URL)


def write_report(record: RunRecord, definition: str, directory: Path) -> None:
    """A report in both languages, as `sloagent report` writes it."""
    settings = ReportSettings(definition=definition)
    chosen = reporting.definition(settings, Path("sloagent.yaml"), [one.slo for one in record.slos])
    used = reporting.templates(settings, Path("sloagent.yaml"))
    reporting.write(reporting.report(record, chosen), directory, ("md", "html"), ("en", "zh"), used)


def compare(made: Path, kept: Path) -> None:
    """Every file of `made` is in `kept` with the same bytes, pages without their scripts; `kept` has run files besides."""
    for page in made.rglob("*.html"):
        page.write_text(without_scripts(page.read_text()))
    if WRITING:
        for old in kept.rglob("*.*"):
            if old.suffix in (".md", ".html", ".svg"):
                old.unlink()
        shutil.copytree(made, kept, dirs_exist_ok=True)
    files = {path.relative_to(made) for path in made.rglob("*") if path.is_file()}
    there = {path.relative_to(kept) for path in kept.rglob("*") if path.suffix in (".md", ".html", ".svg")}
    assert files == there
    different = [str(name) for name in sorted(files) if (made / name).read_bytes() != (kept / name).read_bytes()]
    assert different == [], "read what changed, then `make golden`"


def test_the_shipped_run_file_is_what_the_recording_gives_today(record: RunRecord) -> None:
    if WRITING:
        RECORDED.mkdir(parents=True, exist_ok=True)
        run_file.write(record, FILE)
    assert run_file.read(FILE) == record


def test_its_report_is_the_shipped_one_in_both_languages(tmp_path: Path) -> None:
    write_report(run_file.read(FILE), "builtin:karmada-test-report", tmp_path)
    compare(tmp_path, RECORDED)


def test_the_report_has_every_section_table_and_chart_that_the_published_one_has() -> None:
    text = (RECORDED / "report.md").read_text()
    for heading in (
        "SLIs and SLOs", "Test bed", "How the test was run", "API call latency", "Cluster registration latency",
        "Resource distribution latency", "etcd latency", "Resource usage", "API server load", "Conclusion",
    ):  # fmt: skip
        assert re.search(rf"^## \d+\. {heading}$", text, re.MULTILINE), heading
    for table in (
        "Scale",
        "Tools",
        "Components",
        "Machines",
        "Software",
        "Hardware",
        "Flags of the components",
        "Load",
    ):
        assert re.search(rf"^### {table}$", text, re.MULTILINE), table
    charts = re.findall(r"^\*\*(.+)\*\*\n\n!\[", text, re.MULTILINE)
    for chart in (
        "Read-only API call latency, cluster-wide", "Read-only API call latency, one object",
        "Read-only API call latency, one namespace", "Mutating API call latency",
        "Read-only call latency of the aggregated API, one object", "Mutating call latency of the aggregated API",
        "etcd request latency seen by the API server", "CPU used by a component", "Resident memory of a component",
        "Distribution, stage by stage",
    ):  # fmt: skip
        assert chart in charts, chart


@pytest.mark.parametrize(
    ("name", "definition"),
    [("karmada-1.3", "builtin:karmada-test-report"), ("proxy-capacity", "builtin:proxy-capacity")],
)
def test_published_numbers_come_out_in_tables_of_the_same_structure(name: str, definition: str, tmp_path: Path) -> None:
    write_report(run_file.read(EXAMPLES / name / "run.yaml"), definition, tmp_path)
    compare(tmp_path, EXAMPLES / name)


def test_the_published_numbers_are_all_there_and_what_nobody_published_was_not_run() -> None:
    text = (EXAMPLES / "karmada-1.3" / "report.md").read_text()
    glance = "\n".join(line for line in text.split("\n") if line.startswith("| "))
    for row in (
        "| Cluster registration latency<br>push | 5.356 s | 6.125 s | 6.904 s | TBD | 📏 measured |",
        "| Resource distribution, stage scheduled | 12 ms | 15 ms | 32 ms | TBD | 📏 measured |",
        "| Resource distribution latency<br>push | 706 ms | 899 ms | 1.298 s | P99 ≤ 2 s | ✅ pass |",
        "| Resource distribution latency<br>pull | 612 ms | 881 ms | 989 ms | P99 ≤ 2 s | ✅ pass |",
        "| Mutating API call latency<br>api-mutating-latency | not run | not run | not run | P99 ≤ 1 s | ➖ no data |",
    ):  # fmt: skip
        assert row in glance, row
    assert "100 × 20,000 = 2,000,000" in text
    page = (EXAMPLES / "karmada-1.3" / "report.html").read_text()
    for exact in ("5.356 seconds", "6.125 seconds", "6.904 seconds", "1.298 seconds"):
        assert exact in page, exact
