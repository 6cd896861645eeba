"""The recorded run, exported beside its Prometheus and reported on where nobody knows it: the same, byte for byte."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sloagent.app import run_file
from tests.agent import SLOAGENT, wait_until

FORMATS = ("report.md", "report.html", "report.json")


def sloagent(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*SLOAGENT, *words], cwd=directory, capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory with the exported run of the demo and its report; the demo, its store and its Prometheus are gone."""
    directory = tmp_path_factory.mktemp("carried")
    demo, log = directory / "demo", directory / "demo.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*SLOAGENT, "demo", "--directory", str(demo), "--serve"], stdout=output, stderr=output
        )
    try:
        wait_until(
            lambda: "Where to look next" in log.read_text() or process.poll() is not None, 120, "the demo's last line"
        )
        assert process.poll() is None, log.read_text()
        (run,) = json.loads(sloagent(demo, "runs", "list", "--format", "json").stdout)["runs"]
        for name in ("once.json", "again.json", "packed.json.gz"):
            sloagent(demo, "runs", "export", run["name"], "-o", str(directory / name))
        sloagent(demo, "report", "--run", run["name"], "-o", str(directory / "there"))
    finally:
        process.terminate()
        process.wait(30)
    demo.rename(directory / "gone")
    yield directory


def test_the_same_run_is_exported_as_the_same_bytes_and_read_as_the_same_record(carried: Path) -> None:
    once = (carried / "once.json").read_bytes()
    assert (carried / "again.json").read_bytes() == once
    record = run_file.read(carried / "once.json")
    assert run_file.encode(record) == once
    assert run_file.read(carried / "packed.json.gz") == record
    assert len(once) < 5_000_000
    assert (carried / "packed.json.gz").stat().st_size < 500_000
    assert len(record.slos) > 30
    assert any(one.whole.whole for one in record.slos)
    assert record.facts.collected.components
    assert "password" not in record.configuration


def test_a_report_from_the_file_is_the_report_from_the_store(carried: Path) -> None:
    sloagent(carried, "report", "--run", "once.json", "-o", "here")
    for name in FORMATS:
        assert (carried / "here" / name).read_bytes() == (carried / "there" / name).read_bytes(), name


def test_an_imported_run_is_reported_on_and_compared_with_by_its_name(carried: Path) -> None:
    place = carried / "elsewhere"
    place.mkdir()
    (place / "sloagent.yaml").write_text("prometheus: {url: 'http://127.0.0.1:1'}\nslos: [builtin:karmada-search]\n")
    sloagent(place, "runs", "import", "../packed.json.gz")
    (run,) = json.loads(sloagent(place, "runs", "list", "--format", "json").stdout)["runs"]
    assert run["imported"]
    sloagent(place, "report", "--run", run["name"], "-o", "here")
    for name in FORMATS:
        assert (place / "here" / name).read_bytes() == (carried / "there" / name).read_bytes(), name
    sloagent(place, "report", "--run", "../packed.json.gz", "--baseline", run["name"], "-o", "beside", "--format", "md")
    assert sloagent(place, "store", "check").stdout
    sloagent(place, "runs", "export", run["name"], "-o", "on.json")
    assert (place / "on.json").read_bytes() == (carried / "once.json").read_bytes()
