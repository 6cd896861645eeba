"""The api probe against a server in a process of its own: what a stall looks like, what rates hold, what is left behind."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.agent import SLOAGENT, wait_until
from tests.kube.world import World
from tests.prometheus import free_port

ROOT = Path(__file__).resolve().parents[2]
HOW_TO = ROOT / "docs" / "how-to" / "api-load.md"
GET = {"targets": ["member1"], "resource": "v1/pods", "namespace": "default", "call": "get"}
CHURN = {
    "name": "churn", "targets": ["member1"], "resource": "v1/configmaps", "namespace": "load", "call": "churn",
    "open": {"rate": "50/s"}, "object": {"size": "2KiB", "lifetime": "2s"},
}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "world", ["member1"], tls=False) as there:
        there.control("fill", resource="v1/pods", count=600)
        there.control("apply", cluster="member1", resource="v1/namespaces", thing={"metadata": {"name": "load"}})
        yield there


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(world: World, tmp_path: Path) -> Iterator[Start]:
    """Start `sloagent probe` with these words; nothing of it outlives the test."""
    running: list[subprocess.Popen[str]] = []

    def begin(*words: str | Path) -> subprocess.Popen[str]:
        running.append(
            subprocess.Popen(
                [*SLOAGENT, "probe", *map(str, words)], cwd=tmp_path, stdout=subprocess.PIPE, text=True
            )
        )  # fmt: skip
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def written(directory: Path, world: World, *loads: dict, port: int = 0) -> Path:
    """A configuration with these loads; `proxy` is another road to member1."""
    proxy = "/apis/search.karmada.io/v1alpha1/proxying/karmada/proxy"
    probes = {
        "web": {"listen": f"127.0.0.1:{port}"},
        "clusters": {
            "member1": {"kubeconfig": str(world.kubeconfig)},
            "proxy": {"kubeconfig": str(world.kubeconfig), "path": proxy},
        },
        "api": list(loads),
    }
    file = directory / "sloagent.yaml"
    file.write_text(
        json.dumps({"prometheus": {"url": "http://localhost:9090"}, "slos": ["builtin:karmada"], "probes": probes})
    )
    return file


def probe(*words: str | Path, cwd: Path, expected: int = 0) -> str:
    """What `sloagent probe api` prints."""
    done = subprocess.run(
        [*SLOAGENT, "probe", "api", *map(str, words)], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout


def config_maps(world: World) -> list[str]:
    """The names of those that are there now, as the API lists them."""
    address = f"{world.url}/c/member1/api/v1/namespaces/load/configmaps"
    asked = urllib.request.Request(address, headers={"Authorization": f"Bearer {world.token}"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return [item["metadata"]["name"] for item in json.load(answer)["items"]]


def rows_of(text: str) -> dict[str, list[str]]:
    """The cells of the table of all loads, by load and target."""
    table = text[text.index("Load ") :].splitlines()[2:]
    cells = [[cell.strip() for cell in line.split("|")] for line in table]
    return {f"{row[0]} {row[3]}": row for row in cells}


def seconds(text: str) -> float:
    """A duration as the tables write it."""
    number, unit = re.fullmatch(r"([0-9.]+)(µs|ms|s)", text).groups()
    return float(number) * {"µs": 1e-6, "ms": 1e-3, "s": 1.0}[unit]


def test_a_stall_shows_in_the_open_loops_p99_and_not_in_that_of_the_closed_loop_beside_it(world, tmp_path):
    world.control("fault", kind="stall", seconds=2.0, every=10.0)
    file = written(
        tmp_path, world,
        {"name": "opened", **GET, "open": {"rate": "50/s"}, "duration": "10s"},
        {"name": "closed", **GET, "closed": {"workers": 4}, "duration": "10s"},
    )  # fmt: skip
    rows = rows_of(probe("-c", file, "--seed", "1", cwd=tmp_path))
    opened, closed = rows["opened member1"], rows["closed member1"]
    assert (opened[1], closed[1]) == ("open", "closed")
    assert 1.7 < seconds(opened[8]) < 2.5, "P99 of the open loop: 2 s of 10 are a stall"
    assert seconds(closed[8]) < seconds(opened[8]) / 5, "P99 of the closed loop: 4 slow calls of thousands"
    assert int(closed[4]) > 1000


def test_five_hundred_requests_a_second_are_achieved_by_one_process(world, tmp_path):
    file = written(tmp_path, world, {"name": "fast", **GET, "open": {"rate": "500/s"}, "duration": "8s"})
    (load,) = json.loads(probe("-c", file, "--format", "json", "--seed", "1", cwd=tmp_path))["loads"]
    (target,) = load["targets"]
    get = target["verbs"]["get"]
    assert target["due"] > 3700
    assert get["n"] >= 0.99 * target["due"]
    assert get["errors"] == 0
    assert target["achieved_per_second"] >= 0.95 * 500
    assert get["percentiles"]["50"] < 0.1, "it keeps up: nothing piles up"


def test_achieved_and_asked_rate_are_exported_and_nothing_is_left_when_the_process_is_told_to_end(
    world, start, tmp_path
):
    port = free_port()
    file = written(
        tmp_path, world, {**CHURN, "targets": ["member1", "proxy"], "watch": True, "duration": "1h"}, port=port
    )  # fmt: skip
    process = start("run", "-c", file)

    def value(name: str) -> float:
        assert process.poll() is None
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                said = answer.read().decode()
        except OSError:
            return 0.0
        found = re.search(rf"^{re.escape(name)} (\S+)$", said, re.MULTILINE)
        return float(found.group(1)) if found else 0.0

    for target in ("member1", "proxy"):
        labels = f'{{load="churn",target="{target}"}}'
        wait_until(lambda labels=labels: 30 < value(f"sloagent_probe_api_rate_achieved{labels}") < 75, 30, "the rate")
        assert value(f"sloagent_probe_api_rate_asked{labels}") == 50
    for verb, scope in (("create", "resource"), ("watch", "namespace"), ("queue", "namespace")):
        name = "sloagent_probe_api_seconds_count"
        labels = f'{{load="churn",resource="configmaps",scope="{scope}",target="proxy",verb="{verb}"}}'
        wait_until(lambda labels=labels, name=name: value(name + labels) > 20, 30, f"{verb} is timed")
    assert config_maps(world)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert config_maps(world) == []


def test_after_ctrl_c_there_is_a_table_of_what_was_measured_and_nothing_is_left(world, start, tmp_path):
    file = written(tmp_path, world, {**CHURN, "duration": "1h"})
    process = start("api", "-c", file)
    wait_until(lambda: len(config_maps(world)) > 40, 30, "objects")
    world.control("fault", kind="stall", seconds=2.0, for_seconds=2.0)
    time.sleep(0.5)  # creations are to be under way, unanswered
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Create configmaps [errors]: 0/" in said
    assert config_maps(world) == []


def test_what_a_killed_run_left_is_taken_away_by_the_next(world, start, tmp_path):
    file = written(tmp_path, world, {**CHURN, "duration": "1h"})
    world.control("apply", cluster="member1", resource="v1/configmaps",
                  thing={"metadata": {"name": "theirs", "namespace": "load"}})  # fmt: skip
    process = start("api", "-c", file)
    wait_until(lambda: len(config_maps(world)) > 40, 30, "objects")
    process.kill()
    process.wait()
    left = set(config_maps(world)) - {"theirs"}
    assert len(left) > 30
    process = start("api", "-c", file)
    wait_until(lambda: len(set(config_maps(world)) - left) > 20, 30, "new objects")
    assert left & set(config_maps(world)) == set()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert config_maps(world) == ["theirs"]


def test_what_a_cut_watch_did_not_show_in_time_is_counted_and_not_timed(world, start, tmp_path):
    file = written(tmp_path, world, {**CHURN, "watch": True, "duration": "6s"})
    process = start("api", "-c", file, "--format", "json")
    for _ in range(3):
        wait_until(lambda: world.control("state")["streams"], 30, "the watch")
        events = len(world.log())
        wait_until(lambda events=events: len(world.log()) > events + 30, 30, "events")
        world.control("fault", kind="hold", resource="configmaps", for_seconds=0.3)
        wait_until(lambda events=events: len(world.log()) > events + 45, 30, "events that are held back")
        world.control("cut", how="reset")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    verbs = json.loads(said)["loads"][0]["targets"][0]["verbs"]
    watch = verbs["watch"]
    assert watch["calls"] == verbs["create"]["n"] + verbs["update"]["n"], "each version is accounted for"
    assert watch["codes"].keys() & {"resumed", "gap"}, watch["codes"]
    assert watch["n"] > 100
    assert watch["max"] < 1.0


def test_a_target_that_refuses_or_is_not_there_says_so_and_the_others_are_measured(world, tmp_path):
    world.control("forbid", cluster="member1", verb="get", resource="pods")
    file = written(tmp_path, world, {"name": "few", **GET, "open": {"rate": "20/s"}, "duration": "1s"})
    assert "get 403: " in probe("-c", file, cwd=tmp_path, expected=3)
    world.control("allow")
    content = yaml.safe_load(file.read_text())
    gone = yaml.safe_load(world.kubeconfig.read_text())
    gone["clusters"][0]["cluster"]["server"] = f"http://127.0.0.1:{free_port()}"
    (tmp_path / "gone.config").write_text(yaml.safe_dump(gone))
    content["probes"]["clusters"]["proxy"] = {"kubeconfig": "gone.config"}
    content["probes"]["api"][0]["targets"] = ["member1", "proxy"]
    file.write_text(json.dumps(content))
    said = probe("-c", file, cwd=tmp_path, expected=3)
    assert "proxy\nproxy: 127.0.0.1 port " in said
    assert rows_of(said)["few proxy"][4:7] == ["0", "-", "-"]
    assert rows_of(said)["few member1"][5] == "0.00%"


def test_timeouts_are_counted_and_not_timed_and_each_call_is_a_row(world, start, tmp_path):
    load = {"name": "few", **GET, "open": {"rate": "20/s"}, "duration": "3s", "timeout": "200ms"}
    file = written(tmp_path, world, load)
    process = start("api", "-c", file, "-o", "results")
    wait_until(lambda: world.control("state")["requests"] > 5, 20, "the load")
    world.control("fault", kind="stall", resource="pods", seconds=1.0)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    errors, calls = map(int, re.search(r"Get pods \[errors\]: (\d+)/(\d+)", said).groups())
    assert errors > 5
    assert f"get timeout: {errors} times" in said
    assert seconds(rows_of(said)["few member1"][8]) < 0.25
    with (tmp_path / "results" / "few.csv").open() as rows_file:
        rows = list(csv.DictReader(rows_file))
    assert len(rows) == calls
    assert sum(row["err"].startswith("timeout") for row in rows) == errors


def test_the_shipped_definition_of_the_proxys_capacity_runs(world, tmp_path):
    shutil.copy(ROOT / "deploy" / "probes" / "proxy-capacity.yaml", tmp_path)
    for name in ("member1.config", "karmada.config"):
        shutil.copy(world.kubeconfig, tmp_path / name)
    said = probe("-c", "proxy-capacity.yaml", "--duration", "2s", "-o", "results", cwd=tmp_path)
    for verb in ("List", "Get", "Update"):
        assert said.count(f"{verb} pods [errors]: 0/") == 2, said
    assert set(rows_of(said)) == {
        f"{load} {target}" for load in ("list-pods", "get-pod", "update-pod") for target in ("member1", "proxy")
    }
    assert {path.name for path in (tmp_path / "results").iterdir()} == {
        "list-pods.csv", "get-pod.csv", "update-pod.csv",
    }  # fmt: skip


def test_the_shipped_definition_of_the_api_machinery_runs_and_leaves_nothing(world, tmp_path):
    shutil.copy(ROOT / "deploy" / "probes" / "api-machinery.yaml", tmp_path)
    shutil.copy(world.kubeconfig, tmp_path / "karmada.config")
    namespace = {"metadata": {"name": "sloagent-load"}}
    world.control("apply", cluster="member1", resource="v1/namespaces", thing=namespace)
    loads = json.loads(probe("-c", "api-machinery.yaml", "--duration", "2s", "--format", "json", cwd=tmp_path))["loads"]
    verbs = {load["name"]: load["targets"][0]["verbs"] for load in loads}
    assert set(verbs["configmaps-closed"]) == {"create", "update", "delete"}
    for name in ("configmaps-watched", "flunders"):
        watch = verbs[name]["watch"]
        assert watch["calls"] == sum(verbs[name][verb]["n"] for verb in ("create", "update") if verb in verbs[name])
        assert set(watch["codes"]) <= {"seen", "stalled"}, "a busy machine does not attend; nothing else may be"
        assert watch["n"] >= 0.8 * watch["calls"]
        assert verbs[name]["queue"]["n"] >= watch["n"]
    created = {change.name for change in world.log() if change.namespace == "sloagent-load" and change.type == "ADDED"}
    deleted = {
        change.name for change in world.log() if change.namespace == "sloagent-load" and change.type == "DELETED"
    }
    assert len(created) > 50
    assert created == deleted


def test_the_how_to_can_be_typed_along(world, tmp_path):
    kubeconfig = yaml.safe_load(world.kubeconfig.read_text())
    kubeconfig["contexts"].append({"name": "proxy", "context": kubeconfig["contexts"][0]["context"]})
    (tmp_path / "cluster.config").write_text(yaml.safe_dump(kubeconfig))
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "sloagent"
    program.write_text(f'#!/bin/sh\nexec {" ".join(SLOAGENT)} "$@"\n')
    program.chmod(0o755)
    blocks = re.findall(r"^```sh\n(.*?)^```", HOW_TO.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    done = subprocess.run(
        ["bash", "-euc", "\n".join(blocks)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PATH": f"{program.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "results" / "churn.csv").is_file()
