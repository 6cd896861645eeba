"""The facts file: every way to write a fact, and the message of every way to get it wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sloagent.app.agent_settings import AgentSettings
from sloagent.config.facts import LARGEST_ATTACHMENT_BYTES
from sloagent.config.load import load_agent, load_facts
from sloagent.errors import ConfigError
from sloagent.model.facts import Attachment, Quantity, Tool
from sloagent.model.slo import UNTOLD, Text

DATA = Path(__file__).resolve().parents[2] / "data" / "facts"
BAD = sorted((DATA / "bad").glob("*.yaml"))
HEAD = "apiVersion: sloagent/v1\nkind: Facts\n"


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_facts_file_gets_its_message(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    with pytest.raises(ConfigError) as caught:
        load_facts(Path(path.name))
    said = "\n\n".join([*caught.value.problems, caught.value.message]) + "\n"
    if os.environ.get("SLOAGENT_GOLDEN"):
        path.with_suffix(".txt").write_text(said)
    assert said == path.with_suffix(".txt").read_text()


def test_every_message_has_its_file() -> None:
    assert {path.stem for path in BAD} == {path.stem for path in (DATA / "bad").glob("*.txt")}
    assert len(BAD) >= 10


def test_every_field_and_every_way_to_write_it_is_read() -> None:
    found = load_facts(DATA / "good" / "every-field.yaml")
    assert found.background == Text("Why it was made.", "测试缘由。")
    assert found.software == (("Karmada", "v1.3.0"), ("Kubernetes", "1.30"))
    assert found.hardware[0] == ("CPU", "Architecture:  x86_64\nCPU(s):        64\n")
    assert found.topology == Text("One machine.")
    assert found.scale == (
        Quantity("clusters", 100), Quantity("pods", 2_000_000), Quantity("nodes", 500_000),
        Quantity("namespaces_per_cluster", 20, Text("Namespaces per cluster", "每个集群的命名空间数")),
        Quantity("replicas", 1.5),
    )  # fmt: skip
    assert found.tools == (Tool("kind", Text("Members", "成员集群")), Tool("fake-kubelet", UNTOLD))
    assert found.load == (Attachment("load.yaml", "qps: 0.1\n"), Attachment("inline", "a: |b|"))
    assert found.conclusion == Text("It holds.")


def test_flags_are_the_same_however_they_are_written_and_show_no_secret() -> None:
    flags = load_facts(DATA / "good" / "every-field.yaml").flags
    assert flags["karmada-apiserver"] == (
        ("max-requests-inflight", "2000"), ("enable-pprof", ""), ("v", "4"), ("etcd-password", "<hidden>"),
        ("etcd-servers", "https://<hidden>@etcd:2379"),
    )  # fmt: skip
    assert flags["karmada-agent"] == (("kube-api-qps", "40"), ("leader-elect", "true"), ("quota", "8G"))
    assert flags["karmada-scheduler"] == (
        ("kube-api-qps", "200"), ("kube-api-burst", "400"), ("feature-gates", "A=true,B=false"),
    )  # fmt: skip
    assert "hunter2" not in repr(flags)


def test_a_file_of_the_load_counts_from_the_facts_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bed" / "load").mkdir(parents=True)
    (tmp_path / "bed" / "load" / "one.yaml").write_text("qps: 1\n")
    (tmp_path / "bed" / "facts.yaml").write_text(f"{HEAD}load: [{{name: one, file: load/one.yaml}}]\n")
    monkeypatch.chdir(tmp_path)
    assert load_facts(Path("bed/facts.yaml")).load == (Attachment("one", "qps: 1\n"),)


@pytest.mark.parametrize(("size", "fits"), [(LARGEST_ATTACHMENT_BYTES, True), (LARGEST_ATTACHMENT_BYTES + 1, False)])
def test_an_attachment_is_bounded(size: int, *, fits: bool, tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_text("x" * size)
    (tmp_path / "facts.yaml").write_text(f"{HEAD}load: [{{name: large, file: large.txt}}]\n")
    if fits:
        assert len(load_facts(tmp_path / "facts.yaml").load[0].text) == size
        return
    with pytest.raises(ConfigError, match="1 problem") as caught:
        load_facts(tmp_path / "facts.yaml")
    assert '"large.txt" is larger than 256 KiB' in caught.value.problems[0]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "facts.yaml").write_text(f"{HEAD}load: [{{name: pipe, file: pipe}}]\n")
    with pytest.raises(ConfigError) as caught:
        load_facts(tmp_path / "facts.yaml")
    assert '"pipe" is no file' in caught.value.problems[0]


def agent_with(tmp_path: Path, facts: str) -> Path:
    agent = tmp_path / "sloagent.yaml"
    agent.write_text(f"prometheus: {{url: 'http://127.0.0.1:1'}}\nslos: ['builtin:karmada']\nfacts: {facts}\n")
    return agent


def test_the_agents_file_names_the_facts_beside_it(tmp_path: Path) -> None:
    (tmp_path / "facts.yaml").write_text(f"{HEAD}software: {{Karmada: v1.3.0}}\n")
    settings, _ = load_agent(agent_with(tmp_path, "facts.yaml"), AgentSettings)
    assert settings.facts == "facts.yaml"


def test_a_mistake_in_the_facts_is_told_with_those_of_the_other_files(tmp_path: Path) -> None:
    (tmp_path / "facts.yaml").write_text(f"{HEAD}sofware: {{Karmada: v1.3.0}}\n")
    agent = agent_with(tmp_path, "facts.yaml\nweb: {listn: ':1'}")
    with pytest.raises(ConfigError, match="2 problems in 2 files"):
        load_agent(agent, AgentSettings)


def test_facts_that_are_not_there_are_told_where_they_are_named(tmp_path: Path) -> None:
    (tmp_path / "facts.yaml").write_text(HEAD)
    with pytest.raises(ConfigError) as caught:
        load_agent(agent_with(tmp_path, "fact.yaml"), AgentSettings)
    assert "sloagent.yaml:3:8: there is no file" in caught.value.problems[0]
    assert 'did you mean "facts.yaml"?' in caught.value.problems[0]
