"""`sloagent check` as a person or a pipeline meets it: from process start to exit."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from sloagent.app.wiring import open_agent
from tests.bench.bare import BareClient, overheard
from tests.bench.data import Ground
from tests.bench.figures import ROUNDS, Figure, at_most

SERVER_TIMES = 3.0
START_UP_SECONDS = 0.6


def measure(ground: Ground) -> list[Figure]:
    configuration = ground.configuration("command", ground.recorded, "builtin:karmada")
    (slot,) = ground.recorded_slots(1)
    with open_agent(configuration, remember=False) as agent, overheard(agent.source) as heard:
        agent.cycle.evaluate([(slo, slot) for slo in agent.slos])
    bare = BareClient(ground.recorded, 1)
    at = f"{datetime.fromtimestamp(slot, UTC):%Y-%m-%dT%H:%M:%SZ}"
    command = [str(Path(sys.executable).with_name("sloagent")), "check", "-c", str(configuration), "--at", at]
    walls, limits, servers = [], [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        walls.append(time.perf_counter() - started)
        if done.returncode not in (0, 1, 3):
            raise RuntimeError(f"check ended with {done.returncode}: {done.stderr.decode()}")
        servers.append(sum(bare.server_seconds(asked) for asked, _ in heard))
        limits.append(SERVER_TIMES * servers[-1] + START_UP_SECONDS)
    bare.close()
    shown = f"recorded: {len(heard)} queries, server {median(servers):.2f} s"
    what = "check, process start to exit: 3 × server + 0.6 s"
    return [at_most(what, shown, median(walls), median(limits), lambda v: f"{v:.2f} s")]
