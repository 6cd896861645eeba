"""Facts about the test bed: what Prometheus says of it, and what only people know. None of them decides a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sloagent.model.slo import UNTOLD, Text


@dataclass(frozen=True, slots=True)
class Component:
    """One job that Prometheus scrapes, over the run."""

    job: str
    software: str = ""
    """What its build information is named after: `karmada`, `kubernetes`, `etcd`; empty where it exports none."""
    versions: tuple[str, ...] = ()
    """Of its `*_build_info`, each once; more than one means that it was changed, or that its instances differ."""
    commit: str = ""
    go_version: str = ""
    instances: int = 0
    """At one time, at most."""
    up: float | None = None
    """Share of its scrapes that were answered (0 to 1); None where there was none."""
    started: tuple[float, ...] = ()
    """When its processes started within the run, seconds since the epoch, ascending: restarts."""
    gaps: tuple[tuple[int, int], ...] = ()
    """(start, end) in seconds of each stretch in which two scrapes in a row or more found none of its instances, without
    those in which nothing at all was scraped (`Collected.gaps`)."""
    resets: int = 0
    """How often its counters fell within the run, as `resets()` of its CPU counter tells."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine, by node-exporter or cAdvisor."""

    name: str
    cores: float | None = None
    memory_bytes: float | None = None
    system: str = ""
    """Operating system and kernel."""
    disks: tuple[tuple[str, float], ...] = ()
    """(device, bytes of its file system), by name."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What Prometheus says. `questions` are those it was asked, `refusals` those that it did not answer and why."""

    components: tuple[Component, ...] = ()
    machines: tuple[Machine, ...] = ()
    kubernetes: tuple[tuple[str, str], ...] = ()
    """(job, version) of each `kubernetes_build_info`."""
    gaps: tuple[tuple[int, int], ...] = ()
    """(start, end) of each stretch in which nothing at all was scraped: Prometheus itself was away."""
    scrape_interval: float | None = None
    """Seconds, as most targets are scraped."""
    resolution: float | None = None
    """Seconds to within which gaps are told; of a long run shorter ones may have been missed."""
    questions: tuple[str, ...] = ()
    refusals: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of the scale of a test: `clusters`, `pods_per_cluster`."""

    name: str
    value: float
    title: Text = UNTOLD


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that belongs to the run, such as the load's configuration; shown folded."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Tool:
    """What the test was made with."""

    name: str
    note: Text = UNTOLD


@dataclass(frozen=True, slots=True)
class Written:
    """What people wrote into the facts file."""

    software: tuple[tuple[str, str], ...] = ()
    hardware: tuple[tuple[str, str], ...] = ()
    """Values may have several lines, such as the output of lscpu."""
    topology: Text = UNTOLD
    scale: tuple[Quantity, ...] = ()
    flags: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """By component: (flag without dashes, value), in the order written."""
    tools: tuple[Tool, ...] = ()
    load: tuple[Attachment, ...] = ()
    background: Text = UNTOLD
    conclusion: Text = UNTOLD
    """What people conclude; shown beside, never instead of, what the verdicts say."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Both."""

    collected: Collected = Collected()
    written: Written = Written()


NO_FACTS = Facts()
