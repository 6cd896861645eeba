"""A report as files: Markdown with its pictures beside it, one page of HTML, JSON. The same report gives the same bytes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sloagent.report import templating
from sloagent.report.charts.page import scripts
from sloagent.report.charts.picture import png
from sloagent.report.content import Report
from sloagent.report.document import text_of
from sloagent.report.figures import Pictures
from sloagent.report.locale import LANGUAGES
from sloagent.report.view import View, view
from sloagent.report.words import Words

FORMATS = ("md", "html", "json", "github", "png")
_TEXTS = {"md": "report.md", "html": "report.html", "github": "summary.md"}


@dataclass(frozen=True, slots=True)
class Templates:
    """Where templates are: those that ship, and a user's own, each of which stands in for the shipped one of its name."""

    shipped: Path
    own: Path | None = None


def render(
    report: Report,
    directory: Path,
    formats: Sequence[str] = ("md", "html", "json"),
    *,
    templates: Templates,
    languages: Sequence[str] = ("en",),
) -> list[Path]:
    """Write the report into `directory` and return the files; each appears whole or not at all.

    The first language's files are `report.md` and `report.html`; those of further ones carry it: `report.zh.md`. The
    pictures of the Markdown lie in `assets/`, as SVG and, with the format `png`, as PNG too. There is one `report.json`,
    in both languages. Raises OSError where the directory cannot be written, ValueError for a format or language that
    there is not, TemplateError for a template of the user's that is wrong or takes too much.
    """
    unknown = [f"format {one!r}" for one in formats if one not in FORMATS]
    unknown += [f"language {one!r}" for one in languages if one not in LANGUAGES]
    if unknown or not languages:
        raise ValueError(f"no such {', '.join(unknown) or 'language'}")
    directory.mkdir(parents=True, exist_ok=True)
    files = []
    wanted = tuple(dict.fromkeys(formats))
    if "json" in wanted:
        files.append(written(directory / "report.json", text_of(report)))
    texts = [one for one in wanted if one in _TEXTS]
    with ThreadPoolExecutor(1) as beside:
        if "html" in wanted and any(one.lines for one in report.record.slos):
            beside.submit(scripts)  # Vega is put together in a process of its own, while charts are drawn here
        for place, language in enumerate(dict.fromkeys(languages)):
            if texts or "png" in wanted:
                files += _in_language(report, directory, wanted, templates, language, first=place == 0)
    return files


def _in_language(
    report: Report, directory: Path, wanted: Sequence[str], templates: Templates, language: str, *, first: bool
) -> list[Path]:
    pictures = Pictures(report, Words(language))
    suffix = "" if first else f".{language}"
    shown = view(report, Words(language), pictures)
    files = []
    for one in wanted:
        if one in _TEXTS:
            name = Path(_TEXTS[one])
            target = directory / f"{name.stem}{suffix}{name.suffix}"
            files.append(written(target, text(shown, pictures, one, templates, language, suffix)))
    if pictures.drawn and ("md" in wanted or "png" in wanted):
        assets = directory / "assets"
        assets.mkdir(exist_ok=True)
        for figure in pictures.drawn:
            files.append(written(assets / f"{figure.id}{suffix}.svg", figure.picture))
            if "png" in wanted:
                files.append(written(assets / f"{figure.id}{suffix}.png", png(figure.picture)))
    return files


def text(shown: View, pictures: Pictures, form: str, templates: Templates, language: str, suffix: str = "") -> str:
    """A report in words as one text: `md`, `html` or `github`. Raises TemplateError."""
    page = templating.Page(
        form, shown, language, suffix,
        scripts=scripts() if form == "html" and any(figure.data for figure in pictures.drawn) else (),
        data=tuple((figure.id, figure.data) for figure in pictures.drawn if figure.data) if form == "html" else (),
    )  # fmt: skip
    if templates.own is None:
        return templating.rendered(page, (templates.shipped,))
    from sloagent.report import child

    return child.rendered(page, (templates.own, templates.shipped))


def written(path: Path, content: str | bytes) -> Path:
    """Write beside the target, then rename: a reader sees the old file or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        # mkstemp gives 0600; a report is there to be read by others.
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path
