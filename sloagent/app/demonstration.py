"""The demo: a recorded control plane in a real Prometheus, judged as the daemon judges, remembered and reported."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sloagent.app import demo_data
from sloagent.app.local_prometheus import prometheus
from sloagent.app.wiring import open_store
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.timerange import TimeRange

RUN = "recorded"
CONFIGURATION = """\
# The demo's configuration: the recorded run of a real Karmada control plane, in a Prometheus of the demo's own.
prometheus: {{url: '{url}'}}
slos: ['builtin:karmada']
store: {{path: sloagent.db, retention: 3650d, full_rows: 3650d}}
report: {{definition: 'builtin:karmada-test-report', directory: report}}
"""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """Where everything lies, and the run that the recording is."""

    directory: Path
    configuration: Path
    run: Run
    url: str


@contextmanager
def prepared(directory: Path, *, binary: str, port: int = 0) -> Iterator[Demonstration]:
    """Unpack the recording, start Prometheus over it, write the configuration and the run; Prometheus ends with the block.

    The directory's former demo is replaced. Raises SourceError, StoreError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for former in ("data", "report"):
        shutil.rmtree(directory / former, ignore_errors=True)
    for file in directory.glob("sloagent.db*"):
        file.unlink()
    recording = demo_data.unpack(directory / "data")
    phases = tuple(Phase(phase.name, phase.range, phase.note) for phase in recording.phases)
    exclusions: tuple[Exclusion, ...] = ()
    run = Run(
        RUN, recording.start, recording.end, (("control_plane", "karmada"),), phases=phases, exclusions=exclusions
    )
    with prometheus(directory / "data", directory, binary, port) as url:
        configuration = directory / "sloagent.yaml"
        configuration.write_text(CONFIGURATION.format(url=url))
        store = open_store(configuration)
        store.save_run(run)
        store.close()
        yield Demonstration(directory, configuration, run, url)


def whole(run: Run) -> TimeRange:
    """From the run's start to its end."""
    if run.end is None:
        raise ValueError("the recorded run has an end")
    return TimeRange(run.start, run.end)
