"""The set-up on machines that lack something: it says what is missing, and touches nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("bash", "cat", "dirname", "env", "grep", "id")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A PATH with the plainest tools alone: no apt-get, no sudo, no prometheus."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for tool in TOOLS:
        (directory / tool).symlink_to(shutil.which(tool) or pytest.fail(f"no `{tool}` on PATH"))
    return directory


def run(script: str, *arguments: str, path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(ROOT / "scripts" / script), *arguments],
        env={"PATH": str(path), **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_without_apt_the_missing_programs_are_named_with_their_packages(bare):
    done = run("packages.sh", "demo", path=bare)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "setup: this machine has no apt-get; please install these programs, then type the same command again:\n"
        "         prometheus (Debian package: prometheus)\n"
    )


def test_a_missing_python_is_named_with_the_versions_that_suit(bare):
    done = run("packages.sh", "test", "python", path=bare)
    assert done.returncode == 1
    assert (
        "Python 3.11, 3.12 or 3.13 with venv and ensurepip (Debian packages: python3 and python3-venv)" in done.stderr
    )
    assert "promtool (Debian package: prometheus)" in done.stderr


def test_nothing_is_said_or_done_where_everything_is_there(bare):
    rows = (ROOT / "scripts" / "programs.txt").read_text().splitlines()
    for program in {row.split()[1].split("|")[0] for row in rows if row[:1] != "#"}:
        (bare / program).symlink_to(sys.executable)
    done = run("packages.sh", "test", path=bare)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_python_that_was_asked_for_is_taken(bare):
    assert run("python.sh", path=bare, PYTHON=sys.executable).stdout == f"{sys.executable}\n"


@pytest.mark.parametrize("version", ["3.10.13", "3.14.0"])
def test_a_python_outside_the_supported_versions_is_passed_over(bare, version):
    # What a script sees of an interpreter is its exit code; this one answers as that version would.
    major, minor, _ = version.split(".")
    wrong = bare / "python-of-that-version"
    wrong.write_text(f"#!{sys.executable}\nimport sys\nsys.version_info = ({major}, {minor}, 0)\nexec(sys.argv[2])\n")
    wrong.chmod(0o755)
    done = run("python.sh", path=bare, PYTHON=str(wrong))
    assert (done.returncode, done.stdout) == (1, "")


def test_a_python_without_ensurepip_is_passed_over(bare):
    crippled = bare / "python-without-venv"
    crippled.write_text(f"#!{sys.executable}\nimport sys\nsys.modules['ensurepip'] = None\nexec(sys.argv[2])\n")
    crippled.chmod(0o755)
    done = run("python.sh", path=bare, PYTHON=str(crippled))
    assert (done.returncode, done.stdout) == (1, "")
    assert run("setup.sh", "demo", path=bare, PYTHON=str(crippled)).stderr.startswith(
        f"setup: PYTHON={crippled} is not"
    )
