"""A report whose disk is full: whole or not at all, and the one before it stays. Case 20."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from tests.agent import AgentDirectory
from tests.e2e.test_store_faults import mounted
from tests.prometheus import Prometheus, blocks_from_openmetrics

START = 1_790_000_040
RANGE = ("--from", "2026-09-21T14:20:00Z", "--to", "2026-09-21T14:40:00Z")
SLO = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: made}
defaults: {interval: 1m, window: 5m}
slos:
  - {name: memory, sli: {value: {query: 'max by (pod) (made_bytes)', unit: bytes}}, objective: {at_most: 1MiB}}
"""


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_a_report_that_does_not_fit_leaves_the_one_before_it_and_nothing_half_written(tmp_path: Path) -> None:
    blocks_from_openmetrics(
        "\n".join([*(f'made_bytes{{pod="a"}} 1000 {START + n * 15}' for n in range(241)), "# EOF", ""]),
        tmp_path / "data",
    )
    place = tmp_path / "agent" / "out"
    place.mkdir(parents=True)
    with Prometheus(tmp_path / "data") as prometheus, mounted("-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)):
        agent = AgentDirectory(tmp_path / "agent", prometheus.url, slos={"made.yaml": SLO})
        done = agent.command("report", *RANGE, "-o", "out")
        assert done.returncode == 0, done.stderr
        before = files(place)
        assert {"report.md", "report.html", "report.json"} <= set(before)
        filler = place / "filler"
        with suppress(OSError), filler.open("wb") as full:
            while True:
                full.write(b"x" * 4096)
                full.flush()
        done = agent.command("report", "--from", "2026-09-21T14:25:00Z", "--to", "2026-09-21T14:40:00Z", "-o", "out")
        assert done.returncode == 3
        assert "no space left on device" in done.stderr.lower()
        assert "Traceback" not in done.stderr
        filler.unlink()
        after = files(place)
        assert set(after) == set(before), "something half written was left"
        assert all(after[name] == before[name] for name in after), "a report was overwritten in part"
        done = agent.command("report", "--from", "2026-09-21T14:25:00Z", "--to", "2026-09-21T14:40:00Z", "-o", "out")
        assert done.returncode == 0, done.stderr
        assert json.loads(files(place)["report.json"])["run"]["from"] == "2026-09-21T14:25:00Z"
