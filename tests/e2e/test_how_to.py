"""The how-to pages, typed along: every `sh` block of each, in order, against the demo that the page says to start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent import SLOAGENT, wait_until

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"
ELSEWHERE = {"api-load"}
"""Pages for which a demo is not enough: test_probe_api types this one along, against an API."""
PAGES = sorted(page for page in HOW_TO.glob("*.md") if page.stem not in ELSEWHERE)
MADE = {
    "ci-gate": {"verdicts.xml", "summary.md"},
    "network-probes": {"times.csv", "rates.csv"},
    "release-report": {
        "report/report.md", "report/report.html", "report/report.json",
        "report/zh/report.md", "report/zh/report.html", "v1.16.db",
    },
    "soak-sidecar": {"report/report.md", "report/report.html", "report/report.json", "soak-7.db"},
    "tls-and-passwords": {"server.pem", "server.key", "web.yml"},
}  # fmt: skip
"""What each page leaves behind."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A demo whose Prometheus stays up."""
    directory = tmp_path_factory.mktemp("demo") / "sloagent-demo"
    log = directory.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*SLOAGENT, "demo", "--directory", str(directory), "--serve"], stdout=output, stderr=output
        )
    try:
        wait_until(
            lambda: "Where to look next" in log.read_text() or process.poll() is not None, 120, "the demo's last line"
        )
        assert process.poll() is None, log.read_text()
        yield directory
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_can_be_typed_along(page: Path, demo: Path, tmp_path: Path) -> None:
    place = tmp_path / "sloagent-demo"
    place.mkdir()
    for file in ("sloagent.yaml", "facts.yaml", "sloagent.db"):
        shutil.copy(demo / file, place / file)
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    program = bin_directory / "sloagent"
    program.write_text(f'#!/bin/sh\nexec {" ".join(SLOAGENT)} "$@"\n')
    program.chmod(0o755)
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    assert blocks
    done = subprocess.run(
        ["bash", "-euc", "\n".join(blocks)],
        cwd=place, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "PATH": f"{bin_directory}:{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert {name for name in MADE[page.stem] if not (place / name).is_file()} == set()
    if page.stem == "release-report":
        assert "How to read the numbers" in (place / "report" / "report.md").read_text()
        assert "如何阅读这些数字" in (place / "report" / "zh" / "report.md").read_text()
    if page.stem == "ci-gate":
        assert "every SLO met" in done.stdout, done.stdout
        assert "FAIL" in done.stdout, "the explained slot is one that fails"
