"""Machines: what several exporters say of one is brought together, what differs stays apart."""

from __future__ import annotations

from sloagent.model.facts import Machine
from sloagent.sources.machines import machines

UNAME = {
    "__name__": "node_uname_info",
    "instance": "10.0.0.1:9100",
    "nodename": "n1",
    "sysname": "Linux",
    "release": "6.1",
}
MEMORY = {"__name__": "node_memory_MemTotal_bytes", "instance": "10.0.0.1:9100"}
KUBELET = {"__name__": "machine_cpu_cores", "instance": "10.0.0.1:10250"}


def test_a_machine_has_the_name_it_gives_itself_with_its_system_and_its_disks_in_order() -> None:
    system = {"__name__": "node_os_info", "instance": "10.0.0.1:9100", "pretty_name": "Ubuntu 22.04.3 LTS"}
    disks = [
        ({"instance": "10.0.0.1:9100", "device": name}, size) for name, size in (("/dev/vdb", 7.0), ("/dev/vda", 5.0))
    ]
    cpus = [({"instance": "10.0.0.1:9100"}, 64.0)]
    told = [(UNAME, 1.0), (MEMORY, 512.0), (system, 1.0)]
    expected = (
        Machine("n1", 64, 512, "Ubuntu 22.04.3 LTS, Linux 6.1", (("/dev/vda", 5.0), ("/dev/vdb", 7.0))),
    )  # fmt: skip
    assert machines(told, cpus, disks) == expected
    assert machines(told[::-1], cpus, disks[::-1]) == expected


def test_what_the_kubelet_says_of_a_machine_fills_in_what_node_exporter_does_not() -> None:
    told = [(MEMORY, 512.0), (KUBELET, 8.0), ({**KUBELET, "__name__": "machine_memory_bytes"}, 500.0)]
    assert machines(told, [], []) == (Machine("10.0.0.1:9100", 8, 512),)


def test_a_machine_is_known_by_its_node_too() -> None:
    by_node = {"__name__": "machine_cpu_cores", "instance": "192.168.7.7:10250", "node": "n1"}
    assert machines([(UNAME, 1.0), (by_node, 8.0)], [], []) == (Machine("n1", 8, None, "Linux 6.1"),)


def test_machines_of_one_address_in_two_clusters_are_two() -> None:
    told = [({**MEMORY, "cluster": name}, size) for name, size in (("a", 1.0), ("b", 2.0))]
    told.append(({**KUBELET, "cluster": "b"}, 16.0))
    assert machines(told, [], []) == (Machine("10.0.0.1:9100", 16, 2), Machine("10.0.0.1:9100", None, 1))


def test_where_it_cannot_be_told_which_machine_is_meant_they_stay_apart() -> None:
    told = [(MEMORY, 1.0), ({**MEMORY, "instance": "10.0.0.1:9200"}, 2.0), (KUBELET, 4.0)]
    assert machines(told, [], []) == (
        Machine("10.0.0.1:10250", 4), Machine("10.0.0.1:9100", None, 1), Machine("10.0.0.1:9200", None, 2),
    )  # fmt: skip
