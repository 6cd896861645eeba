"""What deploy/ promises, as far as it can be seen without a container engine or a cluster."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from sloagent.app.wiring import load

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
MANIFESTS = {
    document["kind"]: document for document in yaml.safe_load_all((ROOT / "deploy" / "kubernetes.yaml").read_text())
}


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """(instruction, arguments) of every line, continued lines joined, comments left out."""
    joined = re.sub(r"\\\n\s*", " ", dockerfile)
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def pod() -> dict:
    return MANIFESTS["Job"]["spec"]["template"]["spec"]


def containers() -> list[dict]:
    return [*pod()["initContainers"], *pod()["containers"]]


@pytest.mark.parametrize(
    "arguments", [rest for name, rest in instructions(DOCKERFILE) if name in ("RUN", "CMD", "ENTRYPOINT")]
)
def test_no_instruction_of_the_image_needs_a_shell(arguments):
    assert all(isinstance(word, str) for word in json.loads(arguments))


def test_every_package_of_the_image_is_installed_with_its_hash_checked():
    installs = [
        json.loads(rest) for name, rest in instructions(DOCKERFILE) if name == "RUN" and "install" in json.loads(rest)
    ]
    pip = [words for words in installs if "pip" in words]
    assert len(pip) == 3
    for words in pip:
        own_wheel = words[-1] == "sloagent" and {"--no-index", "--no-deps"} <= set(words)
        assert own_wheel or "--require-hashes" in words, shlex.join(words)


def test_the_image_is_made_in_stages_and_ends_as_a_user_without_rights():
    steps = instructions(DOCKERFILE)
    stages = [rest for name, rest in steps if name == "FROM"]
    assert len(stages) == 2
    assert all("slim" in stage for stage in stages)
    assert [rest for name, rest in steps if name == "USER"] == ["65532:65532"]
    assert [name for name, _ in steps].index("USER") > [rest for _, rest in steps].index(stages[1])


def test_what_the_image_copies_is_in_the_checkout_and_not_ignored():
    kept = {
        line[1:]
        for line in (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for name, rest in instructions(DOCKERFILE):
        if name == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert any(source == k or source.startswith(k + "/") for k in kept), source


def test_the_image_names_the_version_and_the_licence_of_the_project():
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', DOCKERFILE))
    project = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{labels["version"]}"' in project
    assert f'license = "{labels["licenses"]}"' in project
    assert {"title", "description"} <= set(labels)


@pytest.mark.parametrize("container", containers(), ids=lambda container: container["name"])
def test_every_container_of_the_pod_is_confined(container):
    confined = container["securityContext"]
    assert confined["allowPrivilegeEscalation"] is False
    assert confined["readOnlyRootFilesystem"] is True
    assert confined["runAsNonRoot"] is True
    assert confined["capabilities"] == {"drop": ["ALL"]}
    assert confined["seccompProfile"] == {"type": "RuntimeDefault"}
    assert "memory" in container["resources"]["limits"]
    assert "privileged" not in confined


def test_the_pod_runs_as_the_user_of_the_image_and_without_a_token():
    assert pod()["securityContext"]["runAsUser"] == 65532
    assert pod()["securityContext"]["fsGroup"] == 65532
    assert pod()["automountServiceAccountToken"] is False
    assert "hostNetwork" not in pod()


def test_the_agent_in_the_pod_is_probed_bounded_and_a_sidecar():
    agent = pod()["initContainers"][0]
    assert agent["restartPolicy"] == "Always"
    assert agent["resources"]["limits"]["memory"] == "96Mi"
    assert agent["ports"] == [{"name": "http", "containerPort": 9469}]
    assert agent["livenessProbe"]["httpGet"] == {"path": "/-/healthy", "port": "http"}
    assert agent["readinessProbe"]["httpGet"] == {"path": "/-/ready", "port": "http"}


def test_every_volume_that_is_mounted_exists_and_the_store_lies_on_one_that_stays():
    volumes = {volume["name"]: volume for volume in pod()["volumes"]}
    mounts = {mount["mountPath"]: mount["name"] for c in containers() for mount in c.get("volumeMounts", [])}
    assert set(mounts.values()) == set(volumes)
    claim = volumes[mounts["/var/lib/sloagent"]]["persistentVolumeClaim"]["claimName"]
    assert claim == MANIFESTS["PersistentVolumeClaim"]["metadata"]["name"]
    assert volumes[mounts["/etc/sloagent"]]["configMap"]["name"] == MANIFESTS["ConfigMap"]["metadata"]["name"]


@pytest.mark.parametrize(
    "text",
    [MANIFESTS["ConfigMap"]["data"]["sloagent.yaml"], COMPOSE["configs"]["sloagent"]["content"]],
    ids=["kubernetes", "compose"],
)
def test_the_configurations_that_ship_load_listen_for_all_and_keep_their_store_on_the_volume(text, tmp_path):
    configuration = tmp_path / "sloagent.yaml"
    configuration.write_text(text)
    settings, sets = load(configuration)
    assert settings.web.listen == "0.0.0.0:9469"
    assert settings.store.path.startswith("/var/lib/sloagent/")
    assert sum(len(slo_set.slos) for slo_set in sets) > 5


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_every_service_of_the_demo_is_confined_and_every_volume_declared(name):
    service = COMPOSE["services"][name]
    assert service["cap_drop"] == ["ALL"]
    assert service["user"] == "65532:65532"
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (ROOT / "deploy" / source).exists()
        else:
            assert source in COMPOSE["volumes"]


def test_what_the_demo_judges_lies_inside_the_recording():
    command = COMPOSE["services"]["judge"]["command"]
    start, end = command[command.index("--from") + 1], command[command.index("--to") + 1]
    phases = json.loads((ROOT / "deploy" / "demo" / "phases.json").read_text())
    assert min(phase["start"] for phase in phases) < start < end < max(phase["end"] for phase in phases)


# ---- the agent and the probe beside each other ---------------------------------------------------------------------

KARMADA = {
    document["kind"]: document for document in yaml.safe_load_all((ROOT / "deploy" / "karmada.yaml").read_text())
}
BESIDE = KARMADA["Deployment"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("container", BESIDE["containers"], ids=lambda container: container["name"])
def test_the_agent_and_the_probe_are_confined_probed_and_bounded(container):
    confined = container["securityContext"]
    assert (confined["allowPrivilegeEscalation"], confined["readOnlyRootFilesystem"]) == (False, True)
    assert confined["capabilities"] == {"drop": ["ALL"]}
    assert "memory" in container["resources"]["limits"]
    port = container["ports"][0]["name"]
    assert container["livenessProbe"]["httpGet"] == {"path": "/-/healthy", "port": port}
    assert container["readinessProbe"]["httpGet"] == {"path": "/-/ready", "port": port}


def test_the_probe_stands_beside_the_agent_with_its_kubeconfigs_and_no_token_of_the_host_cluster():
    agent, probe = BESIDE["containers"]
    assert agent["args"][:1] == ["run"]
    assert probe["args"][:2] == ["probe", "run"]
    assert BESIDE["automountServiceAccountToken"] is False
    mounts = {mount["name"] for container in BESIDE["containers"] for mount in container["volumeMounts"]}
    assert mounts == {volume["name"] for volume in BESIDE["volumes"]}
    ports = {port["targetPort"] for port in KARMADA["Service"]["spec"]["ports"]}
    assert ports == {container["ports"][0]["name"] for container in BESIDE["containers"]}
    assert KARMADA["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}


def test_the_configuration_of_both_loads_and_each_listens_on_its_containers_port(tmp_path):
    configuration = tmp_path / "sloagent.yaml"
    configuration.write_text(KARMADA["ConfigMap"]["data"]["sloagent.yaml"])
    settings, _ = load(configuration)
    agent, probe = BESIDE["containers"]
    assert settings.web.listen == f"0.0.0.0:{agent['ports'][0]['containerPort']}"
    assert settings.probes.web.listen == f"0.0.0.0:{probe['ports'][0]['containerPort']}"
    mounted = {mount["mountPath"] for mount in probe["volumeMounts"]}
    assert str(settings.probes.clusters["karmada"].kubeconfig.parent) in mounted
