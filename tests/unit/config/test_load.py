from __future__ import annotations

import os
from pathlib import Path

import pytest

from sloagent.app.agent_settings import AgentSettings
from sloagent.config.load import load_agent, load_settings, load_slo_files
from sloagent.config.shipped import shipped_sets
from sloagent.errors import ConfigError

DATA = Path(__file__).resolve().parents[2] / "data"
GOOD = sorted([*(DATA / "slo" / "good").glob("*.yaml")])
GOOD_AGENTS = sorted([*(DATA / "agent" / "good").glob("*.yaml")])
AGENT = "prometheus: {url: http://localhost:9090}\nslos: [a.yaml]\n"


def slo_file(path: Path, name: str) -> Path:
    path.write_text(
        f"apiVersion: sloagent/v1\nkind: SLOSet\nmetadata: {{name: {name}}}\nslos:\n"
        "  - {name: up, sli: {value: {query: up, unit: ratio}}, objective: {at_least: 100%}}\n"
    )
    return path


def problems(action) -> str:
    with pytest.raises(ConfigError) as caught:
        action()
    assert caught.value.exit_code == 2
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_slo_files_load(path):
    assert load_slo_files([str(path)])[0].slos


@pytest.mark.parametrize("path", GOOD_AGENTS, ids=lambda path: path.stem)
def test_good_agent_files_load_with_their_sets(path):
    _, sets = load_agent(path, AgentSettings)
    assert sets


def test_parameters_of_the_agent_reach_its_sets():
    _, sets = load_agent(DATA / "agent" / "good" / "every-field.yaml", AgentSettings)
    latency = next(slo_set for slo_set in sets if slo_set.name == "every-field").slos[0]
    assert latency.sli.where.startswith('job="other"')
    assert latency.objective.limit.at_most == 0.3


def test_secrets_and_paths_count_from_the_file():
    settings, _ = load_agent(DATA / "agent" / "good" / "every-field.yaml", AgentSettings)
    assert settings.prometheus.authorization.credentials_file == DATA / "agent" / "good" / "token"
    assert settings.prometheus.tls_config.cert_file == Path("/etc/client.pem")


def test_every_shipped_set_loads_by_its_name():
    sets = load_slo_files([f"builtin:{name}" for name in shipped_sets()])
    assert [slo_set.name for slo_set in sets] == list(shipped_sets())


def test_paths_globs_and_directories_count_from_the_given_place_and_each_file_is_read_once(tmp_path):
    for name in ("a", "b"):
        slo_file(tmp_path / f"{name}.yaml", name)
    slo_file(tmp_path / "c.yml", "c")
    (tmp_path / "notes.txt").write_text("no SLOs")
    sets = load_slo_files(["b.yaml", "*.yaml", ".", str(tmp_path / "a.yaml")], relative_to=tmp_path)
    assert [slo_set.name for slo_set in sets] == ["b", "a", "c"]


def test_a_directory_with_brackets_in_its_name_is_no_pattern(tmp_path):
    odd = tmp_path / "a[1]*"
    odd.mkdir()
    slo_file(odd / "x.yaml", "x")
    assert load_slo_files(["*.yaml"], relative_to=odd)[0].name == "x"
    assert load_slo_files([str(odd / "x.yaml")])[0].name == "x"


def test_two_files_with_one_set_name_are_told_with_both_places(tmp_path):
    one, two = slo_file(tmp_path / "one.yaml", "shop"), slo_file(tmp_path / "two.yaml", "shop")
    said = problems(lambda: load_slo_files([str(one), str(two)]))
    assert f'{two}:3:18: the set name "shop" is taken: the first is at {one}:3 (slo/duplicate-set)' in said


@pytest.mark.parametrize(
    "entry",
    [
        "nowhere.yaml",
        "*.none",
        "builtin:none",
        "",
        " ",
        "a\0b",
        "~nobody-here/x.yaml",
        "x" * 5000,
        "/root/../etc/none.yaml",
    ],
)
def test_an_entry_that_names_nothing_is_a_problem(entry, tmp_path):
    assert "(file/" in problems(lambda: load_slo_files([entry], relative_to=tmp_path))


def test_an_empty_directory_is_a_problem(tmp_path):
    assert "holds no .yaml file" in problems(lambda: load_slo_files(["."], relative_to=tmp_path))


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path):
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    (tmp_path / "dir.yaml").mkdir()
    said = problems(lambda: load_slo_files(["loop.yaml", "dir.yaml"], relative_to=tmp_path))
    assert "loop.yaml" in said
    assert "dir.yaml" in said


def test_a_file_is_read_from_a_pipe():
    reading, writing = os.pipe()
    os.write(writing, b"apiVersion: sloagent/v1\nkind: SLOSet\nmetadata: {name: a}\nslos: []\n")
    os.close(writing)
    assert "slos is empty" in problems(lambda: load_slo_files([f"/dev/fd/{reading}"]))
    os.close(reading)


def test_an_endless_file_is_refused():
    assert "larger than 10 MB" in problems(lambda: load_slo_files(["/dev/zero"]))


def test_problems_of_the_agent_file_and_of_its_sets_are_told_together(tmp_path):
    (tmp_path / "sloagent.yaml").write_text(f"{AGENT}evaluation: {{delay: 30}}\n")
    (tmp_path / "a.yaml").write_text("kind: SLOset\n")
    said = problems(lambda: load_agent(tmp_path / "sloagent.yaml", AgentSettings))
    assert "a.yaml:1:7" in said
    assert "sloagent.yaml:3:21" in said


def test_settings_alone_are_read_without_their_sets(tmp_path):
    (tmp_path / "sloagent.yaml").write_text(AGENT)
    assert load_settings(tmp_path / "sloagent.yaml", AgentSettings).slos == ("a.yaml",)


def test_a_missing_agent_file_names_its_neighbour(tmp_path):
    (tmp_path / "sloagent.yaml").write_text(AGENT)
    said = problems(lambda: load_settings(tmp_path / "slo-agent.yaml", AgentSettings))
    assert 'did you mean "sloagent.yaml"?' in said


def test_parameters_for_no_set_are_a_problem():
    said = problems(lambda: load_slo_files(["builtin:karmada"], parameters={"karmda": {"apiserver": "x"}}))
    assert 'did you mean "karmada"?' in said
