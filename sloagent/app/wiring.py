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
from sloagent.store import Store, opening
from sloagent.store.settings import StoreSettings

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
    settings = load_settings(configuration, AgentSettings).store
    return opening.open_store(settings, store_path(settings, configuration), read_only=read_only)


def store_exists(configuration: Path) -> bool:
    """Whether there is a store to look into; of a database elsewhere it is taken for granted. Raises ConfigError."""
    settings = load_settings(configuration, AgentSettings).store
    return settings.url is not None or store_path(settings, configuration).exists()


def store_path(settings: StoreSettings, configuration: Path) -> Path:
    """Where the store's file lies; `:memory:` is no file. With a `url` nobody looks at it."""
    if settings.path == str(opening.IN_MEMORY):
        return opening.IN_MEMORY
    return resolved(settings.path or "", configuration)


def store_name(settings: StoreSettings, configuration: Path) -> str:
    """Where verdicts are remembered, as it is told to people."""
    return settings.url or str(store_path(settings, configuration))


def open_agent(
    configuration: Path,
    *,
    sinks: Sequence[Sink] = (),
    telemetry: Telemetry | None = None,
    keep: Agent | None = None,
    remember: bool = True,
    resilient: bool = False,
    loaded: tuple[AgentSettings, tuple[SLOSet, ...]] | None = None,
) -> Agent:
    """Load a configuration and open what it names; the store of `keep` is used on where its settings are the same.

    With `remember` false nothing is written: verdicts are kept in memory and forgotten. With `resilient` a store that
    cannot be opened does not keep the agent from its work. `loaded` is what `load` gave, for those who look at it before
    a store is opened. Raises ConfigError, StoreError.
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
        path = store_path(settings.store, configuration) if remember else opening.IN_MEMORY
        store = _resilient(settings.store, path, telemetry) if resilient else opening.open_store(settings.store, path)
    source = PrometheusSource(
        settings.prometheus, timeout_seconds=evaluation.query_timeout, max_queries=evaluation.max_queries,
        max_series=evaluation.max_series, max_response_bytes=evaluation.max_response,
        max_labels_bytes=evaluation.max_labels, max_buckets=evaluation.max_buckets,
        # Who asks for a moment of his own choice, and only looks, may see it before the last samples have arrived.
        delay_seconds=evaluation.delay if remember else 0.0,
    )  # fmt: skip
    cycle = Cycle(source, store, sinks, telemetry, max_queries=evaluation.max_queries)
    return Agent(settings, sets, source, store, cycle, telemetry, configuration)


def _resilient(settings: StoreSettings, path: Path, telemetry: Telemetry) -> Store:
    from sloagent.store.resilient import ResilientStore

    on_disk = settings.url is None and path != opening.IN_MEMORY
    store = ResilientStore(lambda: opening.open_store(settings, path), path=path if on_disk else None)
    telemetry.set_aside.set_function(lambda: store.quarantined)
    return store
