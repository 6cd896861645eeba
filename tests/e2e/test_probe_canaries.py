"""Canaries are distributed and taken away again, whatever becomes of the probe; nobody else's namespace is touched."""

from __future__ import annotations

import random
import time

import pytest
import yaml

from tests.kube.world import World
from tests.probe import ProbeProcess

MEMBERS = ("member1", "member2")
CONFIG_MAPS = "v1/configmaps"
NAMESPACE = "sloagent-canary"


@pytest.fixture
def world(tmp_path):
    with World(tmp_path / "world", ("karmada", *MEMBERS)) as running:
        running.control("karmada", seed=3)
        for member in MEMBERS:
            running.control("join", member=member, mode="Push", ready=True)
        yield running


@pytest.fixture
def probe(world, tmp_path):
    canaries = {"rate": "5/s", "namespace": NAMESPACE, "lifetime": "1s"}
    clusters = {name: {"kubeconfig": str(world.kubeconfig), "context": name} for name in world.clusters}
    settings = {"cluster": "karmada", "distribution": {"canaries": canaries}}
    process = ProbeProcess(tmp_path / "probe", {"clusters": clusters, "karmada": settings})
    yield process
    process.__exit__()


def left_behind(world: World) -> list[tuple[str, str]]:
    """What lies in any cluster and bears the name or the label of canaries: cluster, name."""
    found = []
    for change in _newest(world).values():
        ours = change.namespace == NAMESPACE or change.name == NAMESPACE or change.name.startswith("canary-")
        if ours and change.type != "DELETED":
            found.append((change.cluster, f"{change.resource} {change.namespace}/{change.name}"))
    return found


def _newest(world: World):
    return {(change.cluster, change.resource, change.uid): change for change in world.log()}


def gone(world: World, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while left := left_behind(world):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_canaries_are_timed_in_every_member_and_nothing_is_left(world, probe):
    probe.start()
    probe.until(
        lambda: probe.value("sloagent_probe_distribution_seconds_count", member_cluster="member2") >= 8, "canaries"
    )
    assert probe.value("sloagent_probe_distribution_seconds_count", member_cluster="member1") >= 7
    assert probe.value("sloagent_probe_up", probe="canaries") == 1.0
    assert left_behind(world)
    assert probe.stop() == 0
    gone(world)


def test_killed_at_any_moment_and_started_again_the_probe_leaves_nothing(world, probe):
    chance = random.Random(5)
    for _ in range(6):
        probe.start()
        time.sleep(chance.uniform(0.0, 2.0))
        probe.kill()
    probe.start()
    probe.until(lambda: probe.value("sloagent_probe_canaries_total") >= 3, "canaries")
    assert probe.stop() == 0
    gone(world)


def test_a_namespace_that_was_given_stays_and_one_of_somebody_else_is_not_touched(world, probe):
    world.control("apply", cluster="karmada", resource="v1/namespaces", thing={"metadata": {"name": NAMESPACE}})
    probe.start()
    probe.until(lambda: "is somebody else's" in probe.log, "it refuses")
    assert probe.value("sloagent_probe_up", probe="canaries", target="karmada") == 0.0
    labelled = {"metadata": {"name": NAMESPACE, "labels": {"sloagent.io/canary": "given"}}}
    world.control("apply", cluster="karmada", resource="v1/namespaces", thing=labelled)
    probe.until(lambda: probe.value("sloagent_probe_canaries_total") >= 2, "canaries", 40.0)
    assert probe.stop() == 0
    deadline = time.monotonic() + 20
    while any("configmaps" in what or "policies" in what for _, what in left_behind(world)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert ("karmada", f"v1/namespaces /{NAMESPACE}") in left_behind(world)


def test_a_second_probe_takes_the_namespace_over_and_the_first_says_so_and_deletes_nothing(world, probe, tmp_path):
    probe.start()
    probe.until(lambda: probe.value("sloagent_probe_canaries_total") >= 2, "canaries")
    settings = yaml.safe_load(probe.configuration.read_text())["probes"]
    second = ProbeProcess(tmp_path / "second", {name: block for name, block in settings.items() if name != "web"})
    with second:
        probe.until(lambda: "another probe has taken over namespace sloagent-canary" in probe.log, "it says so")
        assert probe.value("sloagent_probe_up", probe="canaries", target="karmada") == 0.0
        assert probe.stop() == 0
        before = second.value("sloagent_probe_canaries_total")
        second.until(lambda: second.value("sloagent_probe_canaries_total") >= before + 3, "the second goes on")
        assert second.stop() == 0
    gone(world)
