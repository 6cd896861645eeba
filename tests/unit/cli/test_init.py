from __future__ import annotations

import pytest
from click.testing import CliRunner

from sloagent.cli.init import command
from sloagent.cli.validate import command as validate
from sloagent.errors import ConfigError


@pytest.fixture(autouse=True)
def _inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def init(*arguments: str):
    return CliRunner().invoke(command, arguments)


def test_the_starter_files_are_well_written_and_say_what_is_next(tmp_path):
    answer = init()
    assert answer.exit_code == 0
    assert "Next: set prometheus.url in sloagent.yaml" in answer.stdout
    checked = CliRunner().invoke(validate, ["sloagent.yaml"])
    assert (checked.exit_code, checked.stdout) == (0, "4 SLOs in 2 files are well written.\n")
    assert {path.name for path in tmp_path.iterdir()} == {"sloagent.yaml", "my-slos.yaml"}


def test_every_commented_line_of_the_starter_is_well_written_too(tmp_path):
    init()
    file = tmp_path / "sloagent.yaml"
    lines = file.read_text().splitlines()
    blocks = ("# parameters:", "#   karmada:", "#     apiserver", "# evaluation:", "#   delay:", "#   catch_up")
    blocks += ("#   max_queries", "# web:")
    entries = ("  # - builtin:", "  # retention:", "  # authorization:")

    def uncommented(line: str) -> str:
        if line.startswith(blocks):
            return line[2:]
        return line.replace("# ", "", 1) if line.startswith(entries) else line

    opened = [uncommented(line) for line in lines]
    assert sum(one != two for one, two in zip(lines, opened, strict=True)) == len(blocks) + len(entries) + 2
    file.write_text("\n".join(opened))
    assert CliRunner().invoke(validate, ["sloagent.yaml"]).exit_code == 0


@pytest.mark.parametrize("present", ["sloagent.yaml", "my-slos.yaml"])
def test_nothing_is_overwritten_and_nothing_half_written(tmp_path, present):
    (tmp_path / present).write_text("mine")
    answer = init()
    assert isinstance(answer.exception, ConfigError)
    assert answer.exception.message == f"{present} exists already; nothing was written"
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(present, "mine")]


def test_a_directory_or_another_name_is_accepted(tmp_path):
    (tmp_path / "conf").mkdir()
    assert init("conf").exit_code == 0
    assert init("conf/other.yaml").exception.message == "conf/my-slos.yaml exists already; nothing was written"
    assert (tmp_path / "conf" / "sloagent.yaml").exists()


@pytest.mark.parametrize("path", ["nowhere/sloagent.yaml", "my-slos.yaml"])
def test_a_place_that_cannot_be_is_told(path):
    answer = init(path)
    assert isinstance(answer.exception, ConfigError)
    assert answer.exception.hint


def test_help_ends_with_an_example():
    assert init("--help").stdout.rstrip().splitlines()[-1].strip().startswith("Example: sloagent init")
