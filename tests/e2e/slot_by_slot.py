"""The road of the daemon's tick, one slot after the other, newest last: for comparison with ranges."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from sloagent.app import pieces
from sloagent.app.alerting import AlertFollower
from sloagent.app.assess import Stretch
from sloagent.app.wiring import open_agent
from sloagent.model.timerange import TimeRange


def main() -> None:
    """Arguments: the configuration, from, to."""
    configuration, start, end = sys.argv[1:4]
    stretch = Stretch(TimeRange(datetime.fromisoformat(start), datetime.fromisoformat(end)), inside=False)
    with open_agent(Path(configuration)) as agent:
        slots = sorted({slot for slo in agent.slos for slot in stretch.counted(slo)})
        for slot in slots:
            agent.cycle.record(agent.cycle.evaluate([(slo, slot) for slo in agent.slos if slot in stretch.slots(slo)]))
        AlertFollower(agent).follow()
        for slo in agent.slos:
            assert pieces.fetch(agent.source, agent.store, slo, stretch.pieces(slo)) is None
