"""The project itself: its one door, its locks, and that it speaks of nothing but itself."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TARGETS = re.findall(r"^([a-z][a-z0-9-]*):", MAKEFILE, re.MULTILINE)


def tracked() -> list[Path]:
    """Every file of the repository that git knows, or would know with the next `git add`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def pinned(lock: Path) -> dict[str, str]:
    """Name and version of each package of a lock."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", lock.read_text(), re.MULTILINE))


def normal(requirement: str) -> str:
    """The name of a requirement as locks write it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement).group()).lower()


# ---- make --------------------------------------------------------------------------------------------------------


def test_make_alone_says_what_every_target_does():
    printed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    explained = dict(re.findall(r"^  make ([\w-]+) +(\S.+)$", printed, re.MULTILINE))
    assert set(explained) == set(TARGETS)
    assert all(len(sentence) > 10 for sentence in explained.values())


def test_make_has_the_targets_that_the_documents_speak_of():
    assert {"demo", "test", "check", "e2e", "bench", "golden", "dev", "clean"} <= set(TARGETS)
    assert set(re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE).group(1).split()) == set(TARGETS)


@pytest.mark.parametrize("target", [target for target in TARGETS if target not in ("help", "clean", "lock")])
def test_a_target_sets_the_machine_up_before_it_does_anything(target):
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE).group(1).splitlines()
    assert recipe[0].startswith("\t@scripts/setup.sh ")
    assert len(recipe) <= 5


def test_every_script_that_is_called_exists_and_may_be_run():
    callers = [ROOT / "Makefile", ROOT / ".ci" / "run", *(ROOT / "scripts").glob("*.sh")]
    called = {name for path in callers for name in re.findall(r"scripts/[\w-]+\.(?:sh|py|txt)", path.read_text())}
    for name in called:
        assert (ROOT / name).is_file(), name
        assert not name.endswith(".sh") or (ROOT / name).stat().st_mode & 0o111, name


@pytest.mark.parametrize("script", [".ci/run", *(f"scripts/{p.name}" for p in (ROOT / "scripts").glob("*.sh"))])
def test_a_shell_script_parses_and_stops_at_the_first_failure(script):
    subprocess.run(["bash", "-n", script], cwd=ROOT, check=True)
    assert re.search(r"^set -(euo pipefail|u)$", (ROOT / script).read_text(), re.MULTILINE)


def test_ci_types_what_people_type():
    assert "make --no-print-directory test" in (ROOT / ".ci" / "run").read_text()


def test_every_listed_program_is_started_somewhere():
    sources = [*(ROOT / "sloagent").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
    text = "".join(path.read_text() for path in sources)
    rows = [row.split() for row in (ROOT / "scripts" / "programs.txt").read_text().splitlines() if row[:1] != "#"]
    assert {row[0] for row in rows} == {"demo", "test"}
    for _, program, _ in rows:
        assert any(f'"{name}"' in text for name in program.split("|")), program


def test_no_test_starts_a_program_that_the_set_up_does_not_bring():
    listed = {
        name
        for row in (ROOT / "scripts" / "programs.txt").read_text().splitlines()
        if row[:1] != "#"
        for name in row.split()[1].split("|")
    }
    of_every_machine = {"bash", "make", "sh"}
    started: dict[str, str] = {}
    for path in (ROOT / "tests").rglob("*.py"):
        for call in [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]:
            name = ast.unparse(call.func)
            first = call.args[0] if call.args else None
            if isinstance(first, ast.List) and first.elts:
                first = first.elts[0]
            if name in ("subprocess.run", "subprocess.Popen", "shutil.which") and isinstance(first, ast.Constant):
                started[str(first.value)] = path.name
    assert "prometheus" in started
    assert {name: where for name, where in started.items() if name not in listed | of_every_machine} == {}


# ---- locks -------------------------------------------------------------------------------------------------------


def test_there_is_a_lock_for_each_purpose():
    assert [lock.stem for lock in LOCKS] == ["build", "dev", "fuzz", "kubernetes", "postgres", "report", "runtime"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_holds_names_versions_and_hashes_only(lock):
    for line in lock.read_text().splitlines()[1:]:
        assert re.fullmatch(r"[a-z0-9-]+==[\w.+]+( ; [^\\/@:]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line), line


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_no_package_has_two_versions(lock):
    newest = pinned(ROOT / "requirements" / "dev.lock")
    if lock.stem == "fuzz":  # beside .venv, for there is no wheel of it for every machine
        assert pinned(lock).keys().isdisjoint(newest)
    else:
        assert pinned(lock).items() <= newest.items()


def test_the_locks_hold_everything_that_the_project_asks_for():
    runtime = {normal(requirement) for requirement in PROJECT["project"]["dependencies"]}
    extras = PROJECT["project"]["optional-dependencies"]
    groups = dict(PROJECT["dependency-groups"])
    build = {normal(requirement) for requirement in PROJECT["build-system"]["requires"]}
    assert runtime <= set(pinned(ROOT / "requirements" / "runtime.lock"))
    for extra, asked in extras.items():
        assert runtime | {normal(one) for one in asked} <= set(pinned(ROOT / "requirements" / f"{extra}.lock")), extra
    assert build <= set(pinned(ROOT / "requirements" / "build.lock"))
    assert {normal(r) for r in groups.pop("fuzz")} == set(pinned(ROOT / "requirements" / "fuzz.lock"))
    assert {normal(r) for group in groups.values() for r in group} <= set(pinned(ROOT / "requirements" / "dev.lock"))


def test_every_package_that_is_not_plain_python_is_locked_for_both_architectures_or_as_source():
    text = (ROOT / "requirements" / "dev.lock").read_text()
    hashes = {
        block.split("==")[0]: block.count("--hash=") for block in re.split(r"\n(?=[a-z])", text.split("\n", 1)[1])
    }
    for compiled in ("pydantic-core", "msgspec", "pyyaml", "regex", "markupsafe", "psycopg-binary", "promql-parser"):
        assert hashes[compiled] > 10, compiled


# ---- the repository ----------------------------------------------------------------------------------------------


def test_the_project_speaks_of_itself_alone():
    # Written in pieces, so that this list does not find itself.
    foreign = re.compile(
        "|".join(
            [
                r"(?<![\w.$})-])/" + "work/",
                r"\.\./" + "shared",
                r"py" + r"pi\.org",
                "python" + "hosted",
                r"deb\." + "debian",
                r"registry\." + "npm",
                r"snapshot\." + "debian",
            ]
        )
    )
    found = []
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content[:8192]:
            found += [
                f"{path.relative_to(ROOT)}: {m.group()}" for m in foreign.finditer(content.decode(errors="replace"))
            ]
    assert found == []


def test_modules_stay_small():
    lengths = {path: len(path.read_text().splitlines()) for path in (ROOT / "sloagent").rglob("*.py")}
    assert {str(path.relative_to(ROOT)): length for path, length in lengths.items() if length > 300} == {}


def test_nothing_is_left_to_do_in_what_is_committed():
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|Not" + r"ImplementedError)\b")
    marked = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix in (".py", ".sh", ".yaml", ".md") and marks.search(path.read_text(errors="replace"))
    ]
    assert marked == []


def test_the_licence_is_apache_2():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert PROJECT["project"]["license"] == "Apache-2.0"


def test_the_wheel_takes_its_shipped_files_from_where_they_are():
    included = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    shipped = {path.removeprefix("sloagent/_shipped/").partition("/")[0] for path in included.values()}
    assert shipped == {"rules", "reports", "demo"}
    for source in included:
        assert (ROOT / source).is_file() or any((ROOT / source).iterdir()), source
    # Of the reports all but the examples, which are no template.
    reports = {path.name for path in (ROOT / "reports").iterdir()} - {"examples"}
    assert {source.removeprefix("reports/") for source in included if source.startswith("reports/")} == reports
