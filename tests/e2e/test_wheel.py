"""The wheel outside the checkout: locked packages, no development tools, shipped files found by name."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the locked hatchling of this environment."""
    directory = tmp_path_factory.mktemp("wheel")
    run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            str(directory),
            ".",
        ],
        cwd=ROOT,
    )
    (built,) = directory.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a fresh environment's programs, with the wheel and the locked runtime packages in it."""
    environment = tmp_path_factory.mktemp("installed") / "venv"
    run([sys.executable, "-m", "venv", str(environment)])
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
    run([*pip, "--require-hashes", "--requirement", str(ROOT / "requirements" / "runtime.lock")])
    run([*pip, "--no-deps", "--no-index", str(wheel)])
    return environment / "bin"


def run(command: list[str], *, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run it with nothing of this environment or checkout in sight; fails with its words."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(command, cwd=cwd or Path("/"), capture_output=True, text=True, env=surroundings, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


def test_the_wheel_carries_every_shipped_file(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    for name, source in {"rules": "rules", "reports": "reports", "demo": "deploy/demo"}.items():
        files = [path for path in (ROOT / source).rglob("*") if path.is_file() and "examples" not in path.parts]
        assert files, source
        missing = {f"sloagent/_shipped/{name}/{path.relative_to(ROOT / source)}" for path in files} - inside
        assert missing == set()
    assert "sloagent/py.typed" in inside
    assert not any(name.startswith("tests/") for name in inside)


def test_every_command_explains_itself_without_development_packages(installed):
    from sloagent.cli import COMMANDS

    listed = run([str(installed / "sloagent"), "--help"]).stdout
    for command in COMMANDS:
        assert command in listed
        assert "sloagent" in run([str(installed / "sloagent"), command, "--help"]).stdout


def test_nothing_is_missing_in_the_environment(installed):
    assert "No broken requirements" in run([str(installed / "python"), "-m", "pip", "check"]).stdout


def test_the_shipped_sets_are_found_by_name_far_from_the_checkout(installed, tmp_path):
    configuration = tmp_path / "sloagent.yaml"
    configuration.write_text(
        "prometheus: {url: 'http://127.0.0.1:9'}\n"
        "slos: ['builtin:kubernetes', 'builtin:karmada', 'builtin:karmada-search']\n"
    )
    run([str(installed / "sloagent"), "validate", str(configuration)], cwd=tmp_path)
    code = "import sloagent, sys; sys.exit(not sloagent.__file__.startswith(sys.prefix))"
    run([str(installed / "python"), "-c", code], cwd=tmp_path)


def test_a_report_without_its_extra_says_what_to_install_and_with_it_the_demo_runs_from_the_wheel(installed, tmp_path):
    demo = [str(installed / "sloagent"), "demo", "--directory", str(tmp_path / "demo")]
    bare = subprocess.run(demo, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert bare.returncode == 2
    assert "api-mutating-latency" in bare.stdout
    assert "pip install 'sloagent[report]'" in bare.stderr
    assert "Traceback" not in bare.stderr
    pip = [str(installed / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
    run([*pip, "--require-hashes", "--requirement", str(ROOT / "requirements" / "report.lock")])
    done = run(demo, cwd=tmp_path)
    assert "api-mutating-latency" in done.stdout
    assert {"report.html", "report.zh.html", "report.md", "report.zh.md", "report.json", "assets"} == {
        path.name for path in (tmp_path / "demo" / "report").iterdir()
    }
