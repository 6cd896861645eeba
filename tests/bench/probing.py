"""The probe over a hundred members: what it costs, and how soon an arrival is in its metrics."""

from __future__ import annotations

import os
import re
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.bench import data, figures
from tests.kube.world import World
from tests.probe import ProbeProcess

MEMBERS, TEMPLATES, EACH = 100, 5_000, 1
"""A template, its binding, its work and its object in a member: 20,000 objects, and what is deployed while measuring."""
TEMPLATES_A_SECOND, CHANGES_A_SECOND, SECONDS = 5.0, 25.0, 60.0
"""Each new template is five events: template, binding twice, work, arrival; changes of objects in members beside them."""
_TIMED = re.compile(r"ts=(\S+) .*template (\S+) arrived in (\S+) after")


@dataclass(frozen=True, slots=True)
class Probing:
    """Shares of a core, bytes, and seconds."""

    cpu: float
    peak_bytes: int
    lag_median: float
    lag_99: float
    timed: int
    lost: int
    objects: int
    events_a_second: float


def measure(_: data.Ground) -> list[figures.Figure]:
    """The figures of the table."""
    with tempfile.TemporaryDirectory() as directory:
        found = measured(Path(directory))
    what = f"{MEMBERS} members, {found.objects:,} objects, {found.events_a_second:.0f} events/s"
    return [
        figures.at_most("probe: CPU of a core", what, found.cpu, 0.20, "{:.1%}".format),
        figures.at_most("probe: peak memory", what, found.peak_bytes / 2**20, 200, "{:.0f} MiB".format),
        figures.at_most("probe: event to metric, P99", what, found.lag_99 * 1000, 50, "{:.1f} ms".format),
        figures.at_least(
            "probe: arrivals timed", what, found.timed / (found.timed + found.lost), 0.98, "{:.1%}".format
        ),
    ]


def measured(directory: Path) -> Probing:
    """Run it, in a directory of its own."""
    members = [f"member{number:03}" for number in range(MEMBERS)]
    with World(directory / "world", ("karmada", *members)) as world:
        world.control("karmada", seed=1)
        for member in members:
            world.control("join", member=member, mode="Push", ready=True)
        world.control("populate", templates=TEMPLATES, members_each=EACH)
        clusters = {name: {"kubeconfig": str(world.kubeconfig), "context": name} for name in world.clusters}
        with ProbeProcess(directory / "probe", {"clusters": clusters, "karmada": {"cluster": "karmada"}}) as probe:
            probe.until_up(*world.clusters)
            objects, before = world.control("state")["objects"], len(world.log())
            world.control(
                "churn", resource="apps/v1/deployments", rate=CHANGES_A_SECOND, seconds=SECONDS, clusters=members
            )
            used, begun = cpu_seconds(probe.pid), time.monotonic()
            for number in range(int(TEMPLATES_A_SECOND * SECONDS)):
                time.sleep(max(0.0, begun + number / TEMPLATES_A_SECOND - time.monotonic()))
                world.control("apply", cluster="karmada", resource="apps/v1/deployments", thing={
                    "apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 1},
                    "metadata": {"name": f"new-{number:05}", "namespace": "existing"},
                })  # fmt: skip
            world.finish("churn")
            spent, took = cpu_seconds(probe.pid), time.monotonic() - begun
            offset = time.time() - time.monotonic()
            peak = int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{probe.pid}/status").read_text()).group(1)) * 1024
            log = world.log(before)
            made = {}
            uids = {
                c.name: c.uid
                for c in log
                if c.cluster == "karmada" and c.type == "ADDED" and "deployments" in c.resource
            }
            for change in log:
                if change.type == "ADDED" and change.cluster != "karmada" and change.name in uids:
                    made[uids[change.name], change.cluster] = change.at
            told = {(uid, member): datetime.fromisoformat(ts).timestamp() - offset
                    for ts, uid, member in _TIMED.findall(probe.log)}  # fmt: skip
            lags = sorted(told[key] - made[key] for key in told if key in made)
            return Probing(
                cpu=(spent - used) / took, peak_bytes=peak,
                lag_median=statistics.median(lags), lag_99=lags[int(0.99 * len(lags))], timed=len(told),
                lost=len(probe.losses), objects=objects, events_a_second=len(log) / took,
            )  # fmt: skip


def cpu_seconds(pid: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
