"""From a report in words to text, through templates in which nothing can be shown unescaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from sloagent.report import escaping
from sloagent.report.charts.palette import dark_rules
from sloagent.report.verdicts import unbroken
from sloagent.report.view import View
from sloagent.report.words import Words

_MARKS = {
    "fail": "❌", "error": "⛔", "inconclusive": "❔", "warn": "⚠️", "pass": "✅", "no-data": "➖", "measured": "📏",
    "better": "🟢",
}  # fmt: skip
_LONGEST = 20_000
"""Characters of any one text. Names are cut far earlier; this is for queries, a peer's words and attached files."""
_UNSAFE = ("safe", "tojson", "xmlattr", "urlize", "forceescape")
"""Jinja's own filters that would declare a text to be markup."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one text is made of."""

    form: str
    """`html`, `md` or `github`."""
    view: View
    language: str
    suffix: str = ""
    """Before the ending of a picture's file: empty, or of a further language."""
    scripts: tuple[str, ...] = ()
    """Of the page, each allowed by its hash alone."""
    data: tuple[tuple[str, str], ...] = ()
    """(id of a figure, JSON that a script may read)."""


def rendered(page: Page, directories: Sequence[Path]) -> str:
    """The text of a page; a template is taken from the first directory that has it. Raises jinja2.TemplateError."""
    return _html(page, directories) if page.form == "html" else _markdown(page, directories)


def _html(page: Page, directories: Sequence[Path]) -> str:
    """One self-contained page: no request, its style and its scripts allowed by their hashes alone."""
    style = next(path for one in directories if (path := one / "report.css").is_file()).read_text(encoding="utf-8")
    style += dark_rules()
    environment = _environment(directories, _for_html)
    environment.filters |= {"unbroken": unbroken}
    return environment.get_template("report.html.j2").render(
        view=page.view,
        say=Words(page.language).say,
        newline=Markup("\n"),
        style=Markup(style),  # noqa: S704 - a file of the installation or of the user's, for the page of the same
        style_hash=_digest(style),
        scripts=[Markup(script) for script in page.scripts],  # noqa: S704 - our own
        script_hashes=[_digest(script) for script in page.scripts],
        charts_data=[{"id": name, "data": Markup(data)} for name, data in page.data],  # noqa: S704 - escaped JSON
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _markdown(page: Page, directories: Sequence[Path]) -> str:
    """GitHub-flavoured Markdown."""
    environment = _environment(directories, _for_markdown)
    environment.filters |= {"code": _code_block, "mark": _mark, "url": _url}
    name = "report.md.j2" if page.form == "md" else "summary.md.j2"
    return environment.get_template(name).render(view=page.view, say=Words(page.language).say, suffix=page.suffix)


def _environment(directories: Sequence[Path], shown: Callable[[object], object]) -> ImmutableSandboxedEnvironment:
    """Every text that a template shows passes through `shown`, which gives markup: no template can forget to escape."""
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(directories), autoescape=True, finalize=shown, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    for name in _UNSAFE:
        environment.filters.pop(name, None)
    environment.filters |= {"e": shown, "escape": shown}
    return environment


def _for_html(value: object) -> object:
    return value if isinstance(value, Markup) else escape(escaping.visible(str(value), _LONGEST))


def _for_markdown(value: object) -> object:
    if isinstance(value, Markup):
        return value
    return Markup(escaping.markdown(str(value), _LONGEST))  # noqa: S704 - escaped for Markdown and HTML


def _mark(kind: str) -> str:
    return _MARKS.get(kind, "")


def _url(address: str) -> Markup:
    """An address between angle brackets: nothing in it ends them."""
    return Markup(quote(address, safe=":/?#[]@!$&'()*+,;=%"))  # noqa: S704 - quoted


def _code_block(text: str, language: str = "") -> Markup:
    """A fenced block that nothing inside can end."""
    lines = [escaping.visible(line, _LONGEST) for line in text.split("\n")]
    fence = "`" * max(3, 1 + _longest_run(text))
    return Markup("\n".join([fence + language, *lines, fence]))  # noqa: S704 - fenced


def _longest_run(text: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest
