"""Templates of a user's: in a process of their own that ends in time, takes bounded memory and says where a mistake is."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sloagent.errors import ConfigError
from sloagent.report import child
from sloagent.report.child import TemplateError
from sloagent.report.render import Templates, render
from tests.unit.report.hostile import hostile_report
from tests.unit.report.sample import FSYNC, TEMPLATES, report
from tests.unit.report.showing import markdown

SLOAGENT = Path(sys.executable).parent / "sloagent"


def rendered(directory: Path, form: str = "md", **files: str) -> str:
    """The report's text of this form, by templates of the user's."""
    own = directory / "own"
    for name, text in files.items():
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    (file,) = [
        path
        for path in render(report(FSYNC), directory / "out", (form,), templates=Templates(TEMPLATES.shipped, own))
        if path.parent.name == "out"
    ]
    return file.read_text()


def refused(directory: Path, **files: str) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        rendered(directory, **files)
    assert isinstance(caught.value, ConfigError)
    assert "Traceback" not in caught.value.message
    assert "\n" not in caught.value.message
    assert not list((directory / "out").glob("report.*")), "a report was written all the same"
    return caught.value


def test_templates_of_the_users_change_what_they_change_and_nothing_else(tmp_path: Path) -> None:
    own = rendered(tmp_path, **{"blocks/statements.md.j2": "OURS: {{ block.statements[0].text }}\n"})
    assert [line for line in own.split("\n") if line.startswith("OURS")] == ["OURS: All 1 SLOs were met."]
    shipped = set(markdown(report(FSYNC)).split("\n"))
    assert {line for line in own.split("\n") if line not in shipped} == {"OURS: All 1 SLOs were met."}


def test_the_child_gives_the_same_bytes_as_the_shipped_templates_give_here(tmp_path: Path) -> None:
    hostile = hostile_report()
    for number, templates in enumerate((TEMPLATES, Templates(TEMPLATES.shipped, tmp_path / "empty"))):
        (tmp_path / "empty").mkdir(exist_ok=True)
        render(hostile, tmp_path / str(number), ("md", "html", "github"), templates=templates, languages=("en", "zh"))
    for file in sorted((tmp_path / "0").glob("*.*")):
        assert file.read_bytes() == (tmp_path / "1" / file.name).read_bytes(), file.name


ENDLESS = "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}"


def test_a_loop_without_an_end_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "MOST_SECONDS", 3)
    begin = time.monotonic()
    error = refused(tmp_path, **{"report.md.j2": ENDLESS})
    assert time.monotonic() - begin < 10
    assert "took more than 3 s" in error.message
    assert "loop" in error.hint


@pytest.mark.parametrize(
    "large",
    [
        "{{ ('x' * 10**10) | length }}",
        "{{ (range(100000) | list) * 100000 }}",
        "{% set ns = namespace(x='x' * 1000000) %}{% for a in range(1000) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
        "{{ 'x' * 700000000 }}",
    ],
)
def test_a_template_that_takes_too_much_memory_ends_and_we_do_not_pay_for_it(tmp_path: Path, large: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    error = refused(tmp_path, **{"report.md.j2": large})
    assert "1024 MiB of memory" in error.message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1100 * 1024


def test_a_text_that_is_too_long_is_refused(tmp_path: Path) -> None:
    many = "{% for a in range(90000) %}" + "x" * 1000 + "{% endfor %}"
    assert "more than 64 MiB" in refused(tmp_path, **{"report.md.j2": many}).message


@pytest.mark.parametrize(
    ("name", "text", "line", "said"),
    [
        ("report.md.j2", "fine\n{% if %}\n", 2, "Expected an expression"),
        ("report.md.j2", "fine\n\n{{ view.titel }}\n", 3, "has no attribute 'titel'"),
        ("blocks/tables.md.j2", "{{ nothing }}\n", 1, "'nothing' is undefined"),
        ("blocks/tables.md.j2", "{% for x in block.grids %}\n{{ x | unheard }}\n{% endfor %}\n", 2, "No filter named"),
        ("report.md.j2", "\n{{ 1 / 0 }}\n", 2, "ZeroDivisionError"),
        ("report.md.j2", "{{ ''.__class__ }}\n", 1, "unsafe"),
        ("report.md.j2", "\n\n{{ say('unheard of') }}\n", 3, "unheard of"),
        ("report.md.j2", "\n{% include 'blocks/none.md.j2' %}\n", 2, "no template is named blocks/none.md.j2"),
        ("report.md.j2", "\n{% include '/etc/passwd' %}\n", 2, "no template is named /etc/passwd"),
    ],
)
def test_a_mistake_is_told_with_the_file_and_the_line_of_the_template(
    tmp_path: Path, name: str, text: str, line: int, said: str
) -> None:
    error = refused(tmp_path, **{name: text})
    assert f"{tmp_path / 'own' / name}:{line}: " in error.message
    assert said in error.message


def test_a_template_that_is_no_utf_8_is_told_in_a_sentence(tmp_path: Path) -> None:
    assert "codec can't decode" in refused(tmp_path, **{"report.md.j2": "caf\udce9"}).message


def test_what_lies_where_the_user_is_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jinja2.py").write_text("raise SystemExit('imported from here')\n")
    (tmp_path / "resource.py").write_text("raise SystemExit('imported from here')\n")
    monkeypatch.chdir(tmp_path)
    assert rendered(tmp_path, **{"report.md.j2": "{{ view.answer }}"}) == "All 1 SLOs were met."


def test_the_command_says_what_is_wrong_with_a_template_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "report.html.j2").write_text("{% if %}")
    (tmp_path / "sloagent.yaml").write_text(
        "prometheus: {url: 'http://127.0.0.1:1'}\nslos: ['builtin:karmada']\nreport: {templates: own, directory: out}\n"
    )
    run = TEMPLATES.shipped / "examples" / "karmada-1.3" / "run.yaml"
    command = [str(SLOAGENT), "report", "--run", str(run), "--format", "html"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "own/report.html.j2:1: Expected an expression" in done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "report.html").exists()
    (tmp_path / "own" / "report.html.j2").write_text("<h1>{{ view.title }}</h1>")
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    assert (tmp_path / "out" / "report.html").read_text() == "<h1>Karmada control plane · karmada-1.3</h1>"
