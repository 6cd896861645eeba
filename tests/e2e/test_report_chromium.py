"""The page in a real browser: it is drawn, nothing in it is refused or fails, and hostile names do nothing."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest

from sloagent.report.content import Report
from sloagent.report.render import render
from tests.chromium import program
from tests.unit.report.hostile import hostile_report
from tests.unit.report.sample import TEMPLATES, report


def browse(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a browser without a screen."""
    return subprocess.run(
        [
            program(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
            "--enable-logging=stderr", f"--user-data-dir={directory / 'profile'}", *arguments,
        ],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def complaints(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What the page's console said; a page without scripts has nothing to say but that something was refused."""
    return re.findall(r".*CONSOLE.*", done.stderr)


def size_of(png: Path) -> tuple[int, int]:
    """Width and height of a PNG, from its header."""
    content = png.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def page_of(one: Report, directory: Path, language: str = "en") -> Path:
    (file,) = render(one, directory, ("html",), templates=TEMPLATES, languages=(language,))
    return file


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_drawn_and_nothing_in_it_is_refused(tmp_path: Path, language: str) -> None:
    page, picture = page_of(report(), tmp_path, language), tmp_path / "page.png"
    done = browse(tmp_path, "--window-size=1200,1600", f"--screenshot={picture}", page.as_uri())
    assert complaints(done) == []
    assert size_of(picture) == (1200, 1600)
    # A blank or unstyled page of this size is a fraction of it.
    assert picture.stat().st_size > 60_000


def test_its_style_is_applied_under_its_own_policy(tmp_path: Path) -> None:
    page = page_of(report(), tmp_path)
    drawn, bare = tmp_path / "drawn.png", tmp_path / "bare.png"
    browse(tmp_path, "--window-size=1200,800", f"--screenshot={drawn}", page.as_uri())
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(page.read_text().replace(":root {", ":root  {", 1))
    done = browse(tmp_path, "--window-size=1200,800", f"--screenshot={bare}", spoilt.as_uri())
    assert "Content Security Policy" in "".join(complaints(done))
    assert drawn.read_bytes() != bare.read_bytes()


def test_hostile_names_are_text_to_the_browser_too(tmp_path: Path) -> None:
    page = page_of(hostile_report(), tmp_path)
    done = browse(tmp_path, "--dump-dom", page.as_uri())
    assert complaints(done) == []
    document = done.stdout
    for own in re.findall(r"(?s)<script[^>]*>.*?</script>", page.read_text()):
        assert own in document
        document = document.replace(own, "", 1)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in document
    assert "<script" not in document
    assert "<img" not in document
    assert "onerror" not in re.sub(r"&lt;img src=x onerror", "", document)


def test_it_prints_to_paper(tmp_path: Path) -> None:
    page, paper = page_of(report(), tmp_path), tmp_path / "report.pdf"
    done = browse(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={paper}", page.as_uri())
    assert complaints(done) == []
    assert paper.read_bytes().startswith(b"%PDF-")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes())) <= 12
