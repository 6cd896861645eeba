"""The report of a week of a thousand series: how long it takes, how much memory, how large its page, how smooth a zoom."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from sloagent.store.sqlite import SQLiteStore
from tests.bench.data import Ground
from tests.bench.figures import Figure, at_most
from tests.bench.long_run import LATENCIES, VALUES, LongRun, long_run_store
from tests.chromium import launched

MOST_SECONDS, MOST_MEMORY_MIB, MOST_PAGE_MB, MOST_FRAME_MS = 15.0, 400.0, 4.0, 100.0
_FRAMES = """() => new Promise(done => {
  const frame = document.querySelector('figure.chart.drawn .live');
  const box = frame.getBoundingClientRect(), times = []; let left = 24, last = performance.now();
  const step = now => {
    times.push(now - last); last = now;
    if (!left--) return done(times.slice(1).sort((a, b) => a - b)[Math.floor(times.length / 2)]);
    frame.dispatchEvent(new WheelEvent('wheel', {
      deltaY: left % 2 ? -120 : 60, ctrlKey: true, bubbles: true, cancelable: true,
      clientX: box.left + box.width / 2, clientY: box.top + box.height / 2}));
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""
"""Zooms a chart in and out, a step a frame, and gives the middle time of a frame in milliseconds."""


@dataclass(frozen=True)
class Made:
    """One run of the command."""

    seconds: float
    memory_mib: float


def measure(ground: Ground) -> list[Figure]:
    made = long_run_store(ground.directory.parent / "long-run")
    _definition(made)
    out = made.configuration.parent / "out"
    shown = f"{LATENCIES + VALUES} charts of 8 series, md, html, json"
    from_sums = _report(made, out, made.configuration)
    page = out / "report.html"
    numbers = _numbers(out)
    frame, size = _frame(page), page.stat().st_size / 1e6
    from_roll_ups = _report(made, out, _folded(made))
    if _numbers(out) != numbers:
        raise RuntimeError("the report from hourly sums has other numbers")
    return [
        at_most("report of a week of 1,000 series", shown, from_sums.seconds, MOST_SECONDS, lambda v: f"{v:.1f} s"),
        at_most("its peak memory", shown, from_sums.memory_mib, MOST_MEMORY_MIB, lambda v: f"{v:.0f} MiB"),
        at_most("its page", shown, size, MOST_PAGE_MB, lambda v: f"{v:.2f} MB"),
        at_most("a frame while zooming it in Chromium", shown, frame, MOST_FRAME_MS, lambda v: f"{v:.0f} ms"),
        at_most(
            "the same from hourly sums, the same numbers", "six days folded", from_roll_ups.seconds, MOST_SECONDS,
            lambda v: f"{v:.1f} s",
        ),
    ]  # fmt: skip


def _report(made: LongRun, out: Path, configuration: Path) -> Made:
    shutil.rmtree(out, ignore_errors=True)
    command = [
        str(Path(sys.executable).with_name("sloagent")),
        "report",
        "-c",
        str(configuration),
        "--run",
        made.run.name,
    ]
    command += ["--definition", str(configuration.with_name("report.yaml")), "-o", str(out)]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status != 0:
        raise RuntimeError(
            f"the report ended with {status}: {process.stderr.read().decode() if process.stderr else ''}"
        )
    return Made(seconds, used.ru_maxrss / 1024)


def _folded(made: LongRun) -> Path:
    """The configuration of a copy of the store in which all but the last day became hourly sums."""
    directory = made.configuration.parent / "folded"
    directory.mkdir(exist_ok=True)
    for file in ("sloagent.yaml", "slos.yaml", "report.yaml", "sloagent.db"):
        shutil.copy(made.configuration.with_name(file), directory)
    store = SQLiteStore(directory / "sloagent.db")
    store.roll_up(int(made.end.timestamp()) - 86_400)
    store.close()
    return directory / "sloagent.yaml"


def _numbers(out: Path) -> list[object]:
    """What report.json says of every SLO but how each single slot came out, and whom to ask about one."""
    single = ("strip", "evidence")
    results = json.loads((out / "report.json").read_text())["results"]
    return [{name: value for name, value in result.items() if name not in single} for result in results]


def _definition(made: LongRun) -> None:
    charts = [f"      - chart: {{slo: {slo.name}}}" for slo in made.slos if not slo.name.startswith("ratio")]
    lines = ["apiVersion: sloagent/v1", "kind: ReportDefinition", "metadata: {name: long}", "title: {en: A long run}",
             "sections:", "  - name: verdicts", "    title: {en: Verdicts}", "    blocks:", "      - show: verdicts",
             "      - show: timeline", "      - show: cluster-days", "      - show: growth", "      - show: quality",
             "      - show: conclusion", "  - name: results", "    title: {en: Results}", "    blocks:", *charts,
             "      - results: ['']"]  # fmt: skip
    made.configuration.with_name("report.yaml").write_text("\n".join(lines) + "\n")


def _frame(page: Path) -> float:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = launched(playwright)
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(page.as_uri())
        tab.wait_for_selector("figure.chart.drawn .live", timeout=30_000)
        middle: float = tab.evaluate(_FRAMES)
        browser.close()
    return middle
