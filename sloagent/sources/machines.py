"""Machines, as node-exporter and cAdvisor tell of them: two names of one machine are brought together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sloagent.model.facts import Machine

FAMILIES = "node_uname_info|node_os_info|node_memory_MemTotal_bytes|machine_cpu_cores|machine_memory_bytes"
Samples = Iterable[tuple[Mapping[str, str], float]]


@dataclass(slots=True)
class _Machine:
    """One instance of an exporter."""

    name: str
    known_as: set[tuple[str, str]]
    """(cluster, name): what other exporters may call it."""
    cores: float | None = None
    memory: float | None = None
    kernel: str = ""
    system: str = ""
    disks: dict[str, float] = field(default_factory=dict)

    def told(self) -> Machine:
        system = ", ".join(text for text in (self.system, self.kernel) if text)
        return Machine(self.name, self.cores, self.memory, system, tuple(sorted(self.disks.items())))


def machines(families: Samples, cpus: Samples, disks: Samples) -> tuple[Machine, ...]:
    """By name. `families` with `__name__`, `cpus` how many there are by instance, `disks` bytes by instance and device."""
    own: dict[tuple[str, str], _Machine] = {}
    others: dict[tuple[str, str], _Machine] = {}
    for labels, value in sorted(families, key=lambda sample: sorted(sample[0].items())):
        family = labels.get("__name__", "")
        _tell(_of(others if family.startswith("machine_") else own, labels), family, labels, value)
    for labels, value in cpus:
        _of(own, labels).cores = value
    for labels, value in disks:
        _of(own, labels).disks[labels.get("device", "")] = value
    alone = []
    for other in others.values():
        same = [machine for machine in own.values() if machine.known_as & other.known_as]
        if len(same) == 1:
            same[0].cores = other.cores if same[0].cores is None else same[0].cores
            same[0].memory = other.memory if same[0].memory is None else same[0].memory
        else:
            alone.append(other)
    told = [machine.told() for machine in (*own.values(), *alone)]
    return tuple(sorted(told, key=lambda machine: (machine.name, repr(machine))))


def _of(found: dict[tuple[str, str], _Machine], labels: Mapping[str, str]) -> _Machine:
    cluster, instance = labels.get("cluster", ""), labels.get("instance", "")
    name = labels.get("node") or instance
    made = _Machine(name, {(cluster, name), (cluster, instance.rpartition(":")[0])})
    return found.setdefault((cluster, instance), made)


def _tell(machine: _Machine, family: str, labels: Mapping[str, str], value: float) -> None:
    match family:
        case "node_uname_info":
            machine.name = labels.get("nodename") or machine.name
            machine.known_as.add((labels.get("cluster", ""), machine.name))
            machine.kernel = " ".join(
                filter(None, (labels.get("sysname"), labels.get("release"), labels.get("machine")))
            )
        case "node_os_info":
            machine.system = labels.get("pretty_name") or labels.get("name", "")
        case "node_memory_MemTotal_bytes" | "machine_memory_bytes":
            machine.memory = value
        case _:
            machine.cores = value
