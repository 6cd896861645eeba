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
from sloagent.errors import ConfigError, SloagentError
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.timerange import TimeRange

RUN = "recorded"
MARK = (
    "# The demo's configuration: the recorded run of a real Karmada control plane, in a Prometheus of the demo's own.\n"
)
"""How the configuration of a demo begins: whatever lies beside it may be replaced by the next one."""
CONFIGURATION = """\
prometheus: {{url: '{url}'}}
slos: ['builtin:karmada']
store: {{path: sloagent.db, retention: 3650d, full_rows: 3650d}}
report: {{definition: 'builtin:karmada-test-report', directory: report}}
facts: facts.yaml
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

    The directory's former demo is replaced. Raises ConfigError where something else is in its way, SourceError, StoreError.
    """
    configuration = directory / "sloagent.yaml"
    try:
        _make_room(directory, configuration)
        shutil.copyfile(demo_data.shipped() / demo_data.FACTS, directory / demo_data.FACTS)
    except OSError as refused:
        raise SloagentError(
            f"the demo cannot be put into {directory}: {refused.strerror or refused}",
            hint="name a directory that can be written: --directory DIR",
        ) from refused
    recording = demo_data.unpack(directory / "data")
    phases = tuple(Phase(phase.name, phase.range, phase.note) for phase in recording.phases)
    exclusions: tuple[Exclusion, ...] = ()
    run = Run(
        RUN, recording.start, recording.end, (("control_plane", "karmada"),), phases=phases, exclusions=exclusions
    )
    with prometheus(directory / "data", directory, binary, port) as url:
        configuration.write_text(MARK + CONFIGURATION.format(url=url))
        store = open_store(configuration)
        store.save_run(run)
        store.close()
        yield Demonstration(directory, configuration, run, url)


def _make_room(directory: Path, configuration: Path) -> None:
    """Make the directory and remove a former demo; what no demo has put there stays, and is in the way."""
    directory.mkdir(parents=True, exist_ok=True)
    trees = [directory / name for name in ("data", "report")]
    files = [configuration, directory / demo_data.FACTS, *directory.glob("sloagent.db*")]
    ours = configuration.is_file() and configuration.read_text(errors="replace").startswith(MARK)
    foreign = [path for path in (*trees, *files) if path.exists()]
    if foreign and not ours:
        raise ConfigError(
            f"{foreign[0]} is in the way: no demo has put it there, so it is not replaced",
            hint="name another directory: --directory DIR",
        )
    configuration.write_text(MARK)
    for tree in trees:
        shutil.rmtree(tree, ignore_errors=True)
    for file in files[1:]:
        file.unlink(missing_ok=True)


def whole(run: Run) -> TimeRange:
    """From the run's start to its end."""
    if run.end is None:
        raise ValueError("the recorded run has an end")
    return TimeRange(run.start, run.end)
