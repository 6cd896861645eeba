"""No template can show a text unescaped, or reach anything but what it is given."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from jinja2 import TemplateError

from sloagent.report import templating
from sloagent.report.view import View
from tests.unit.report.sample import FSYNC, TEMPLATES, report
from tests.unit.report.showing import told

HOSTILE = "<img src=x onerror=alert(1)>|`[a](javascript:b)\n# c"
HTML = "&lt;img src=x onerror=alert(1)&gt;|`[a](javascript:b)\\n# c"
MARKDOWN = r"&lt;img src=x onerror=alert(1)&gt;&#124;\`\[a\](javascript:b)\\n\# c"
NAMES = {"html": "report.html.j2", "md": "report.md.j2", "github": "summary.md.j2"}


@pytest.fixture(scope="module")
def view() -> View:
    return dataclasses.replace(told(report(FSYNC)), title=HOSTILE)


def rendered(view: View, directory: Path, template: str, form: str = "html", **files: str) -> str:
    for name, text in {NAMES[form]: template, **files}.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    return templating.rendered(templating.Page(form, view, "en"), (directory, TEMPLATES.shipped))


@pytest.mark.parametrize(
    "template",
    [
        "{{ view.title }}",
        "{% autoescape false %}{{ view.title }}{% endautoescape %}",
        "{{ view.title | e }}",
        "{{ view.title | escape }}",
        "{% set kept %}{{ view.title }}{% endset %}{{ kept }}",
        "{% macro shown(text) %}{{ text }}{% endmacro %}{{ shown(view.title) }}",
        "{{ '%s' | format(view.title) }}",
        "{{ '{}'.format(view.title) }}",
        "{{ [view.title] | join }}",
        "{% for part in [view.title] %}{{ part }}{% endfor %}",
        "{% filter trim %}{{ view.title }}{% endfilter %}",
    ],
)
@pytest.mark.parametrize(("form", "shown"), [("html", HTML), ("md", MARKDOWN), ("github", MARKDOWN)])
def test_a_text_is_escaped_however_it_is_shown(
    view: View, tmp_path: Path, template: str, form: str, shown: str
) -> None:
    assert rendered(view, tmp_path, template, form) == shown


@pytest.mark.parametrize(
    "template", ["{{ [view.title] }}", "{{ {view.title: 1} }}", "{{ view.labels + ((view.title,),) }}"]
)
@pytest.mark.parametrize("form", NAMES)
def test_what_is_no_text_is_escaped_too(view: View, tmp_path: Path, template: str, form: str) -> None:
    text = rendered(view, tmp_path, template, form)
    assert "<img" not in text
    if form != "html":
        assert "[a](" not in text.replace(r"\[a\](", "")
        assert "|" not in text


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ view.title | safe }}", "No filter named 'safe'"),
        ("{{ view.title | tojson }}", "No filter named 'tojson'"),
        ("{{ view.title | forceescape }}", "No filter named 'forceescape'"),
        ("{{ view.title | urlize }}", "No filter named 'urlize'"),
        ("{{ {'a': view.title} | xmlattr }}", "No filter named 'xmlattr'"),
        ("{{ ''.__class__ }}", "unsafe"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "unsafe"),
        ("{{ cycler.__init__.__globals__ }}", "unsafe"),
        ("{{ view.__class__ }}", "unsafe"),
        ("{{ say.__func__.__globals__ }}", "unsafe"),
        ("{{ '{0.__class__}'.format(view) }}", "unsafe"),
        ("{{ '{v.__class__.__init__.__globals__}'.format_map({'v': view}) }}", "unsafe"),
        ("{{ view | attr('__class__') }}", "unsafe"),
        ("{{ view.sections.append(1) }}", "append"),
        ("{{ config }}", "undefined"),
        ("{% include '/etc/passwd' %}", "/etc/passwd"),
        ("{% include '../report.css' %}", "report.css"),
        ("{% include 'blocks/../../sloagent/errors.py' %}", "errors.py"),
        ("{% extends '/etc/hostname' %}", "hostname"),
        ("{% import '/etc/passwd' as p %}", "/etc/passwd"),
    ],
)
@pytest.mark.parametrize("form", ["html", "md"])
def test_what_could_reach_out_of_a_template_is_an_error(
    view: View, tmp_path: Path, template: str, said: str, form: str
) -> None:
    with pytest.raises(TemplateError, match=re.escape(said)):
        rendered(view, tmp_path, template, form)


def test_a_link_out_of_the_directory_through_a_name_finds_nothing(view: View, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    inner = tmp_path / "templates"
    inner.mkdir()
    with pytest.raises(TemplateError):
        rendered(view, inner, "{% include '../secret.txt' %}")


def test_a_template_of_the_users_stands_in_for_the_shipped_one_of_its_name_and_no_other(
    view: View, tmp_path: Path
) -> None:
    shipped = templating.rendered(templating.Page("md", view, "en"), (TEMPLATES.shipped,))
    block = tmp_path / "blocks" / "statements.md.j2"
    block.parent.mkdir()
    block.write_text("OURS: {{ block.statements[0].text }}\n")
    own = templating.rendered(templating.Page("md", view, "en"), (tmp_path, TEMPLATES.shipped))
    before, _, after = shipped.partition("All 1 SLOs were met.\n")
    assert "OURS: All 1 SLOs were met." in own
    changed = set(own.split("\n")) ^ set(shipped.split("\n"))
    assert {line for line in own.split("\n") if line in changed} == {"OURS: All 1 SLOs were met."}
    assert len(before) > 100
    assert len(after) > 100


def test_a_style_of_the_users_is_allowed_by_its_own_hash(view: View, tmp_path: Path) -> None:
    (tmp_path / "report.css").write_text("body { color: teal }\n")
    page = templating.rendered(templating.Page("html", view, "en"), (tmp_path, TEMPLATES.shipped))
    assert "color: teal" in page
    shipped = templating.rendered(templating.Page("html", view, "en"), (TEMPLATES.shipped,))
    hashes = [text.split("style-src 'sha256-")[1].split("'")[0] for text in (page, shipped)]
    assert hashes[0] != hashes[1]


def test_nothing_ends_a_block_of_code(view: View, tmp_path: Path) -> None:
    text = rendered(view, tmp_path, "{{ '```\n~~~\n`````\n<b>' | code('sh') }}\n", "md")
    assert text.split("\n") == ["``````sh", "```", "~~~", "`````", "<b>", "``````", ""]


def test_an_address_cannot_end_the_link_that_it_stands_in(view: View, tmp_path: Path) -> None:
    text = rendered(view, tmp_path, "(<{{ 'http://x/?q=>)\n[a](b) \\\\ |' | url }}>)", "md")
    assert text.count(">") == 1
    assert "\n" not in text
    assert "|" not in text
