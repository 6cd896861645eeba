"""Who the probe is at an API, in every way that a kubeconfig knows, and what `probe check` says of what it may do."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import time

import pytest
import yaml

from tests.agent import SLOAGENT
from tests.kube.world import World
from tests.probe import ProbeProcess

MEMBERS = ("member1", "member2")


@pytest.fixture
def world(tmp_path):
    with World(tmp_path / "world", ("karmada", *MEMBERS)) as running:
        running.control("karmada", seed=1)
        for member in MEMBERS:
            running.control("join", member=member, mode="Push", ready=True)
        yield running


def probes(kubeconfig, names=("karmada", *MEMBERS), **distribution):
    clusters = {name: {"kubeconfig": str(kubeconfig), "context": name} for name in names}
    return {"clusters": clusters, "karmada": {"cluster": "karmada", "distribution": distribution or {}}}


def check(tmp_path, settings, *words, env=None):
    process = ProbeProcess(tmp_path / "check", settings)
    return subprocess.run(
        [*SLOAGENT, "probe", "check", "-c", str(process.configuration), *words], capture_output=True, text=True,
        cwd=tmp_path, timeout=60, check=False, env={**os.environ, **(env or {})},
    )  # fmt: skip


def changed(world, name, user):
    """A kubeconfig like the world's, with another user."""
    text = yaml.safe_load(world.kubeconfig.read_text())
    text["users"] = [{"name": "probe", "user": user}]
    file = world.directory / name
    file.write_text(yaml.safe_dump(text))
    return file


def test_everything_that_is_allowed_is_told_and_the_exit_code_is_0(world, tmp_path):
    done = check(tmp_path, probes(world.kubeconfig, canaries={}))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NO" not in done.stdout
    assert "ok  works.work.karmada.io: list, watch  (works)" in done.stdout
    assert "ok  configmaps in sloagent-canary: list, watch  (arrivals of canaries)" in done.stdout


def test_what_is_missing_is_told_with_the_rules_that_grant_it(world, tmp_path):
    world.control("forbid", cluster="karmada", verb="watch", resource="works")
    world.control("forbid", cluster="member2", resource="deployments")
    world.control("absent", cluster="karmada", plural="clusterresourcebindings")
    done = check(tmp_path, probes(world.kubeconfig))
    assert done.returncode == 3
    assert "NO  works.work.karmada.io: lacks watch  (works)" in done.stdout
    assert "NO  clusterresourcebindings.work.karmada.io: this API does not serve it" in done.stdout
    assert "NO  deployments.apps: lacks list, watch  (arrivals)" in done.stdout
    granted = [one for one in yaml.safe_load_all(done.stdout[done.stdout.index("# to grant") :]) if one]
    assert granted[0]["rules"] == [
        {"apiGroups": ["work.karmada.io"], "resources": ["works"], "verbs": ["list", "watch"]}
    ]
    rows = json.loads(check(tmp_path, probes(world.kubeconfig), "--format", "json").stdout)
    assert rows["schema"] == "sloagent/probe-check/v1"
    lacking = {(one["cluster"], need["resource"]): need["lacking"] for one in rows["clusters"] for need in one["needs"]}
    assert lacking["karmada", "work.karmada.io/v1alpha1/works"] == ["watch"]


def test_an_api_that_is_not_reached_or_does_not_know_us_is_told_in_a_sentence(world, tmp_path):
    settings = probes(world.kubeconfig)
    text = yaml.safe_load(world.kubeconfig.read_text())
    text["clusters"][1]["cluster"]["server"] = "https://127.0.0.1:9"
    (world.directory / "elsewhere").write_text(yaml.safe_dump(text))
    settings["clusters"]["member1"]["kubeconfig"] = str(world.directory / "elsewhere")
    settings["clusters"]["member2"]["kubeconfig"] = str(changed(world, "stranger", {"token": "not-this-one"}))
    done = check(tmp_path, settings)
    assert done.returncode == 3
    assert "member1  cannot be asked: " in done.stdout
    assert "member2  cannot be asked: 401 Unauthorized" in done.stdout
    assert "not-this-one" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "context", "said"),
    [
        ("missing", "karmada", "no such file or directory"),
        ("no-yaml", "karmada", "this is no YAML"),
        ("no-contexts", "karmada", "this is no kubeconfig: it has no list of contexts"),
        ("kubeconfig", "karmadda", "no context is named karmadda"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_is_told_without_its_secrets(world, tmp_path, name, context, said):
    (world.directory / "no-yaml").write_text("users: [{name: probe, user: {token: s3cret}}")
    (world.directory / "no-contexts").write_text("users: [{name: probe, user: {token: s3cret}}]\n")
    settings = probes(world.directory / name, names=("karmada",), through_karmada=False)
    settings["clusters"]["karmada"]["context"] = context
    done = check(tmp_path, settings)
    assert done.returncode == 3
    assert said in done.stdout
    assert "s3cret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_client_certificates_token_files_and_exec_plugins_are_understood(world, tmp_path):
    token = world.directory / "token-file"
    token.write_text(world.token)
    plugin = world.directory / "plugin"
    status = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": world.token},
    }
    plugin.write_text(f"#!/bin/sh\necho '{json.dumps(status)}'\n")
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    execution = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
    for kubeconfig in (
        world.directory / "kubeconfig-certificates",
        changed(world, "by-file", {"tokenFile": str(token)}),
        changed(world, "by-plugin", {"exec": execution}),
    ):
        done = check(tmp_path, probes(kubeconfig))
        assert done.returncode == 0, (kubeconfig, done.stdout, done.stderr)


def test_an_exec_plugin_that_fails_is_told_in_its_own_words(world, tmp_path):
    plugin = world.directory / "plugin"
    plugin.write_text("#!/bin/sh\necho 'please log in first' >&2\nexit 3\n")
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    execution = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
    done = check(tmp_path, probes(changed(world, "by-plugin", {"exec": execution})))
    assert done.returncode == 3
    assert "please log in first" in done.stdout
    assert "Traceback" not in done.stderr


def test_members_that_have_no_kubeconfig_are_reached_through_karmada(world, tmp_path):
    done = check(tmp_path, probes(world.kubeconfig, names=("karmada",)))
    assert done.returncode == 0, done.stdout
    assert "ok  clusters/proxy.cluster.karmada.io: get" in done.stdout
    assert "member2" in done.stdout
    refused = check(tmp_path, probes(world.kubeconfig, names=("karmada",), through_karmada=False))
    assert refused.returncode == 3
    assert "member2  cannot be asked: probes.clusters does not name it, and through_karmada is false" in refused.stdout


def test_a_token_that_is_rotated_is_read_again_while_the_probe_runs(world, tmp_path):
    token = world.directory / "token-file"
    token.write_text(world.token)
    settings = probes(changed(world, "by-file", {"tokenFile": str(token)}))
    with ProbeProcess(tmp_path / "probe", settings) as probe:
        probe.until_up("karmada", *MEMBERS)
        token.write_text("another-token")
        world.rotate("another-token")
        time.sleep(1.0)  # several pulses: each asks with the old token, is refused, and has the file read again
        world.control("cut", how="reset")
        probe.until(lambda: probe.value("sloagent_probe_watch_restarts_total") >= 3, "the watches are opened anew")
        probe.until_up("karmada", *MEMBERS)
        assert "401" not in probe.log


def test_what_a_load_needs_at_each_of_its_targets_is_told_too(world, tmp_path):
    world.control("forbid", cluster="member1", verb="create", resource="configmaps")
    for member in MEMBERS:
        world.control("apply", cluster=member, resource="v1/namespaces", thing={"metadata": {"name": "load"}})
    load = {
        "name": "churn", "targets": ["member1", "member2"], "resource": "v1/configmaps", "namespace": "load",
        "call": "churn", "open": {"rate": "1/s"}, "watch": True,
    }  # fmt: skip
    done = check(tmp_path, {**probes(world.kubeconfig), "api": [load]})
    assert done.returncode == 3
    assert "NO  configmaps in load: lacks create  (load churn)" in done.stdout
    assert "ok  configmaps in load: list, create, delete, update, watch  (load churn)" in done.stdout


def test_two_names_for_one_api_and_clusters_that_karmada_does_not_have_are_told(world, tmp_path):
    settings = probes(world.kubeconfig, canaries={"clusters": ["member1", "membr9"]})
    settings["clusters"]["member2"]["context"] = "member1"
    load = {
        "name": "churn", "targets": ["karmada"], "resource": "v1/configmaps", "namespace": "not-there",
        "call": "churn", "open": {"rate": "1/s"},
    }  # fmt: skip
    done = check(tmp_path, {**settings, "api": [load]})
    assert done.returncode == 3
    assert "member2  cannot be asked: it leads to the same address as member1: " in done.stdout
    assert "membr9  cannot be asked: canaries.clusters names it, and Karmada has no such cluster" in done.stdout
    assert "there is no namespace not-there  (load churn)" in done.stdout
