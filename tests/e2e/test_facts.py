"""The facts of a run: asked of a real Prometheus once, then kept, so that later reports say the same without it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sloagent.app import demo_data
from sloagent.app.facts import KIND, facts_of
from sloagent.app.wiring import Agent, open_agent
from sloagent.errors import ConfigError
from sloagent.model.facts import Facts
from sloagent.model.run import Run
from sloagent.model.timerange import TimeRange
from tests.prometheus import Prometheus, free_port

QUIET = datetime(2026, 11, 22, 5, 40, tzinfo=UTC)
HEAD = "apiVersion: sloagent/v1\nkind: Facts\n"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("facts") / "data"
    demo_data.unpack(data)
    with Prometheus(data) as server:
        yield server.url


def run(name: str = "one", minutes: int = 10, *, begins: int = 0, over: bool = True) -> Run:
    start = QUIET + timedelta(minutes=begins)
    return Run(name, start, start + timedelta(minutes=minutes) if over else None)


def told(directory: Path, url: str, of: Run, *, minutes: int = 10) -> Facts:
    """The facts by a process of its own, so to say: an agent that is opened for this alone."""
    with opened(directory, url) as agent:
        if of.name:
            agent.store.save_run(of)
        return facts_of(agent, of, TimeRange(of.start, of.end or of.start + timedelta(minutes=minutes)))


def opened(directory: Path, url: str, *, delay: str = "30s") -> Agent:
    written = directory / "facts.yaml"
    facts = "facts: facts.yaml\n" if written.exists() else ""
    agent = directory / "sloagent.yaml"
    evaluation = f"evaluation: {{query_timeout: 5s, delay: {delay}}}\n"
    agent.write_text(f"prometheus: {{url: '{url}'}}\nslos: ['builtin:karmada']\n{evaluation}{facts}")
    return open_agent(agent)


def kept(directory: Path, url: str) -> list[str]:
    with opened(directory, url) as agent:
        return agent.store.documents(KIND)


def write(directory: Path, limit: int) -> None:
    (directory / "facts.yaml").write_text(f"{HEAD}flags: {{karmada-apiserver: [--max-requests-inflight={limit}]}}\n")


def flag(facts: Facts) -> str:
    ((_, value),) = facts.written.flags["karmada-apiserver"]
    return value


def away() -> str:
    return f"http://127.0.0.1:{free_port()}"


def test_what_was_collected_of_a_run_that_is_over_is_told_again_without_prometheus(tmp_path: Path, url: str) -> None:
    first = told(tmp_path, url, run())
    assert len(first.collected.components) == 20
    assert first.collected.refusals == ()
    assert told(tmp_path, away(), run()) == first


def test_a_run_that_goes_on_and_a_range_without_a_name_are_asked_about_each_time(tmp_path: Path, url: str) -> None:
    for of in (run(over=False), run(name="")):
        assert told(tmp_path, url, of).collected.components
        assert kept(tmp_path, url) == []
        assert told(tmp_path, away(), of).collected.refusals


def test_a_run_whose_last_scrapes_may_still_be_on_their_way_is_asked_about_again(tmp_path: Path, url: str) -> None:
    with opened(tmp_path, url, delay="36500d") as agent:
        of = run()
        assert of.end is not None
        assert facts_of(agent, of, TimeRange(of.start, of.end)).collected.components
        assert agent.store.documents(KIND) == []


def test_facts_that_were_refused_in_part_are_not_kept(tmp_path: Path, url: str) -> None:
    assert told(tmp_path, away(), run()).collected.refusals
    assert kept(tmp_path, url) == []
    assert told(tmp_path, url, run()).collected.refusals == ()
    assert kept(tmp_path, url) == ["one"]


def test_a_run_that_got_another_end_is_asked_about_anew(tmp_path: Path, url: str) -> None:
    longer = told(tmp_path, url, run(minutes=30))
    shorter = told(tmp_path, url, run(minutes=10))
    assert longer.collected.gaps
    assert longer.collected.resolution == shorter.collected.resolution
    assert not shorter.collected.gaps


def test_the_file_speaks_of_the_newest_run_and_an_older_one_keeps_what_was_written_then(
    tmp_path: Path, url: str
) -> None:
    write(tmp_path, 2000)
    assert flag(told(tmp_path, url, run("old"))) == "2000"
    write(tmp_path, 2001)
    assert flag(told(tmp_path, url, run("old"))) == "2001"
    assert flag(told(tmp_path, url, run("new", begins=10))) == "2001"
    write(tmp_path, 3000)
    assert flag(told(tmp_path, url, run("new", begins=10))) == "3000"
    assert flag(told(tmp_path, url, run("old"))) == "2001"
    (tmp_path / "facts.yaml").unlink()
    assert flag(told(tmp_path, url, run("new", begins=10))) == "3000"


def test_a_mistake_in_the_facts_file_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "facts.yaml").write_text(f"{HEAD}sofware: {{Karmada: v1.3.0}}\n")
    with pytest.raises(ConfigError) as caught:
        told(tmp_path, away(), run())
    assert 'did you mean "software"?' in caught.value.problems[0]


def test_a_document_that_another_version_kept_is_no_mistake(tmp_path: Path, url: str) -> None:
    with opened(tmp_path, url) as agent:
        agent.store.save_document(KIND, "one", b'{"facts": 7}')
    assert told(tmp_path, url, run()).collected.components
    assert told(tmp_path, away(), run()).collected.components
