"""Whole sessions at the command line, as text: `*.txt` beside this file, run with the real command.

A session comes first, then the files it begins with, each under `-- name --`:

    # Prose for the reader.
    $ sloagent validate good.yaml
    | what it prints on standard output
    ! what it prints on standard error
    = 2

    -- good.yaml --
    ...

Output is compared exactly; without `= N` the exit status is 0. `$DIR` stands for the directory in which the session
runs. What one command writes, the next one finds. SLOAGENT_GOLDEN=1 writes what the commands do now instead of comparing.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from sloagent.cli import COMMANDS, cli

HERE = Path(__file__).parent
SESSIONS = sorted(HERE.glob("*.txt"))
WRITE = os.environ.get("SLOAGENT_GOLDEN") == "1"


@dataclass
class Step:
    """A line of prose, or a command with what it must print."""

    text: str
    expected: list[str]

    @property
    def is_command(self) -> bool:
        return self.text.startswith("$ ")


def read(text: str) -> tuple[list[Step], dict[str, str]]:
    """The steps of a session and its files."""
    session, *rest = re.split(r"^-- (.+) --\n", text, flags=re.MULTILINE)
    files = dict(zip(rest[::2], rest[1::2], strict=True))
    steps: list[Step] = []
    for line in session.splitlines():
        if line[:1] in ("|", "!", "="):
            assert steps and steps[-1].is_command, f"output without a command: {line}"
            steps[-1].expected.append(line)
        else:
            assert line == "" or line[:1] in ("#", "$"), f"neither prose, command nor output: {line}"
            steps.append(Step(line, []))
    return steps, files


def said(words: list[str], directory: Path) -> list[str]:
    """What a command printed and how it ended, in the notation of the sessions."""
    assert words[0] == "sloagent"
    done = subprocess.run(
        [Path(sys.executable).with_name("sloagent"), *words[1:]],
        cwd=directory, capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
        # Far from UTC, so that local time anywhere would be seen.
        env={"PATH": os.environ["PATH"], "HOME": str(directory), "LC_ALL": "C.UTF-8", "COLUMNS": "110",
             "TZ": "Asia/Shanghai"},
    )  # fmt: skip
    printed: list[str] = []
    for mark, stream in (("|", done.stdout), ("!", done.stderr)):
        text = stream.decode().replace(str(directory), "$DIR")
        assert not text or text.endswith("\n"), f"the last line has no end: {text[-80:]!r}"
        printed += [f"{mark} {line}".rstrip() if line.strip() else mark for line in text.splitlines()]
    assert "Traceback" not in "\n".join(printed), "\n".join(printed)
    return printed + ([f"= {done.returncode}"] if done.returncode else [])


def check(path: Path, directory: Path) -> None:
    text = path.read_text()
    steps, files = read(text)
    for name, content in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(content)
    happened = [
        Step(step.text, said(shlex.split(step.text[2:]), directory) if step.is_command else []) for step in steps
    ]
    if WRITE:
        session = "".join(f"{line}\n" for step in happened for line in (step.text, *step.expected))
        path.write_text(session + text[len(text.split("\n-- ")[0]) + 1 :] if files else session)
        return
    assert any(step.is_command for step in steps)
    for step, now in zip(steps, happened, strict=True):
        assert now.expected == step.expected, step.text


# Tests that run at once are told apart by their class: two of them take half the time.
class TestEverySecond:
    @pytest.mark.parametrize("path", SESSIONS[::2], ids=lambda path: path.stem)
    def test_the_session_goes_as_written(self, path: Path, tmp_path: Path) -> None:
        check(path, tmp_path)


class TestTheOthers:
    @pytest.mark.parametrize("path", SESSIONS[1::2], ids=lambda path: path.stem)
    def test_the_session_goes_as_written(self, path: Path, tmp_path: Path) -> None:
        check(path, tmp_path)


def _every_command() -> list[str]:
    """Each command and subcommand as it is typed."""
    context = click.Context(cli)
    names: list[str] = []
    for name in COMMANDS:
        command = cli.get_command(context, name)
        names.append(name)
        if isinstance(command, click.Group):
            names += [f"{name} {inner}" for inner in command.list_commands(context)]
    return names


def test_the_help_of_every_command_is_in_a_session_and_ends_with_an_example() -> None:
    steps, _ = read((HERE / "help.txt").read_text())
    shown = {step.text: step.expected for step in steps if step.is_command}
    for name in _every_command():
        lines = shown[f"$ sloagent {name} --help"]
        example = " ".join(line[1:].strip() for line in lines[len(lines) - lines[::-1].index("|") :])
        assert example.startswith(f"Example: sloagent {name}"), name
