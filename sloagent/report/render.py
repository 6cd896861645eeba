"""A report as files: `report.md`, `report.html`, `report.json`. The same report gives the same bytes."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from sloagent.report import escaping
from sloagent.report.content import Report
from sloagent.report.document import text_of
from sloagent.report.locale import LANGUAGES
from sloagent.report.verdicts import Verdict, stacked, unbroken
from sloagent.report.view import view
from sloagent.report.words import Words

FORMATS = ("md", "html", "json")
_MARKS = {
    "fail": "❌", "error": "⛔", "inconclusive": "❔", "warn": "⚠️", "pass": "✅", "no-data": "➖", "measured": "📏",
}  # fmt: skip
_LONGEST = 20_000
"""Characters of any one text. Names are cut far earlier, by the view; this is for queries and a peer's words."""


def render(
    report: Report,
    directory: Path,
    formats: Sequence[str] = FORMATS,
    *,
    templates: Path,
    languages: Sequence[str] = ("en",),
) -> list[Path]:
    """Write the report into `directory` and return the files; each appears whole or not at all.

    The first language's files are `report.md` and `report.html`; those of further ones carry it: `report.zh.md`. There is
    one `report.json`, in both languages. Raises OSError where the directory cannot be written, ValueError for a format
    or language that there is not.
    """
    unknown = [f"format {one!r}" for one in formats if one not in FORMATS]
    unknown += [f"language {one!r}" for one in languages if one not in LANGUAGES]
    if unknown or not languages:
        raise ValueError(f"no such {', '.join(unknown) or 'language'}")
    directory.mkdir(parents=True, exist_ok=True)
    files = []
    for one in dict.fromkeys(formats):
        if one == "json":
            files.append(_written(directory / "report.json", text_of(report)))
            continue
        for number, language in enumerate(dict.fromkeys(languages)):
            name = f"report.{one}" if number == 0 else f"report.{language}.{one}"
            text = html(report, templates, language) if one == "html" else markdown(report, templates, language)
            files.append(_written(directory / name, text))
    return files


def html(report: Report, templates: Path, language: str = "en") -> str:
    """The report as one self-contained page: no script, no request, its style allowed by its hash alone."""
    style = (templates / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    words = Words(language)
    environment = _environment(templates, _for_html)
    environment.filters |= {"stacked": stacked, "unbroken": unbroken}
    return environment.get_template("report.html.j2").render(
        view=view(report, words),
        say=words.say,
        newline=Markup("\n"),
        style=Markup(style),  # noqa: S704 - our own file
        style_hash=digest,
    )


def markdown(report: Report, templates: Path, language: str = "en") -> str:
    """The report as GitHub-flavoured Markdown."""
    words = Words(language)
    environment = _environment(templates, _for_markdown)
    environment.filters |= {"code": _code_block, "mark": _mark, "url": _url}
    return environment.get_template("report.md.j2").render(view=view(report, words), say=words.say)


def _environment(templates: Path, shown: Callable[[object], object]) -> ImmutableSandboxedEnvironment:
    """Every text that a template shows passes through `shown`, and then through HTML's escaping unless that was markup.

    No template can forget to escape.
    """
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(templates), autoescape=True, finalize=shown, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip


def _for_html(value: object) -> object:
    if isinstance(value, str) and not isinstance(value, Markup):
        return escaping.visible(value, _LONGEST)
    return value


def _for_markdown(value: object) -> object:
    if isinstance(value, str) and not isinstance(value, Markup):
        return Markup(escaping.markdown(value, _LONGEST))  # noqa: S704 - escaped for Markdown and HTML
    return value


def _mark(verdict: Verdict) -> str:
    return _MARKS.get(verdict.kind, "")


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


def _written(path: Path, text: str) -> Path:
    """Write beside the target, then rename: a reader sees the old file or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp gives 0600; a report is there to be read by others.
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path
