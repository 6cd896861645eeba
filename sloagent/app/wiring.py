"""How the rooms are joined: a configuration file becomes an agent with its source, its store and its cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sloagent.app.agent_settings import AgentSettings, resolved
from sloagent.config.load import load_agent, load_settings
from sloagent.model.slo import SLO, SLOSet
from sloagent.sinks import Sink
from sloagent.sources import Source
from sloagent.store import Store
from sloagent.store.sqlite import SQLiteStore

if TYPE_CHECKING:  # commands that only look into the store need not wait for these
    from sloagent.app.cycle import Cycle
    from sloagent.app.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Agent:
    """Everything that one configuration makes, in force as a whole or not at all."""

    settings: AgentSettings
    sets: tuple[SLOSet, ...]
    source: Source
    store: Store
    cycle: Cycle
    telemetry: Telemetry
    configuration: Path

    @property
    def slos(self) -> tuple[SLO, ...]:
        """The SLOs of all sets, in the order written."""
        return tuple(slo for slo_set in self.sets for slo in slo_set.slos)

    def close(self, *, keep: Agent | None = None) -> None:
        """Let go of everything that `keep` does not go on using."""
        self.cycle.close()
        self.source.close()
        if keep is None or keep.store is not self.store:
            self.store.close()

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load(configuration: Path) -> tuple[AgentSettings, tuple[SLOSet, ...]]:
    """The settings and SLO sets of a configuration file. Raises ConfigError with every problem of every file."""
    return load_agent(configuration, AgentSettings)


def open_store(configuration: Path, *, read_only: bool = False) -> Store:
    """The store that a configuration file names, without loading its SLOs. Raises ConfigError, StoreError."""
    return SQLiteStore(store_path(configuration), read_only=read_only)


def store_path(configuration: Path) -> Path:
    """Where the store lies that a configuration file names. Raises ConfigError."""
    return resolved(load_settings(configuration, AgentSettings).store.path or "", configuration)


def open_agent(
    configuration: Path,
    *,
    sinks: Sequence[Sink] = (),
    telemetry: Telemetry | None = None,
    keep: Agent | None = None,
    remember: bool = True,
    loaded: tuple[AgentSettings, tuple[SLOSet, ...]] | None = None,
) -> Agent:
    """Load a configuration and open what it names; the store of `keep` is used on where its settings are the same.

    With `remember` false nothing is written: verdicts are kept in memory and forgotten. `loaded` is what `load` gave, for
    those who look at it before a store is opened. Raises ConfigError, StoreError.
    """
    from sloagent.app.cycle import Cycle
    from sloagent.app.telemetry import Telemetry
    from sloagent.sources.prometheus import PrometheusSource

    settings, sets = loaded or load(configuration)
    evaluation = settings.evaluation
    telemetry = telemetry or Telemetry()
    if keep is not None and keep.settings.store == settings.store:
        store = keep.store
    else:
        store = SQLiteStore(resolved(settings.store.path or "", configuration) if remember else Path(":memory:"))
    source = PrometheusSource(
        settings.prometheus, timeout_seconds=evaluation.query_timeout, max_queries=evaluation.max_queries,
        max_series=evaluation.max_series, max_response_bytes=evaluation.max_response,
    )  # fmt: skip
    cycle = Cycle(source, store, sinks, telemetry, max_queries=evaluation.max_queries)
    return Agent(settings, sets, source, store, cycle, telemetry, configuration)
