"""Takes the pictures of docs/report/ from the example report of the recorded run: wide, narrow, dark, Chinese, paper.

.venv/bin/python scripts/screenshots.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.chromium import launched  # noqa: E402 - a script runs from anywhere

RUN = ROOT / "reports" / "examples" / "recorded" / "run.json.gz"
PICTURES = ROOT / "docs" / "report"
SHOTS = (
    ("desktop", "en", 1280, 800, "light", "", ""),
    ("dark", "en", 1280, 800, "dark", "", ""),
    ("phone", "en", 390, 844, "light", "", ""),
    ("phone-charts", "en", 390, 844, "dark", "", "#api-call-latency"),
    ("charts", "en", 1280, 1100, "light", "", "#api-call-latency"),
    ("chinese", "zh", 1280, 800, "light", "", ""),
    ("paper", "en", 794, 1123, "light", "print", ""),
)
"""(name, language, width, height, colours, media, what stands at the top)."""


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        for language in ("en", "zh"):
            command = [
                sys.executable,
                "-m",
                "sloagent",
                "report",
                "--run",
                str(RUN),
                "--format",
                "html",
                "--lang",
                language,
            ]
            subprocess.run([*command, "-o", f"{scratch}/{language}"], check=True, cwd=scratch)
        browser = launched(playwright)
        for name, language, width, height, colours, media, top in SHOTS:
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=colours)
            page = context.new_page()
            if media:
                page.emulate_media(media=media)
            page.goto((Path(scratch) / language / "report.html").as_uri())
            if top:
                page.locator(top).scroll_into_view_if_needed()
                page.evaluate("top => document.querySelector(top).scrollIntoView()", top)
            page.wait_for_timeout(1_500)
            page.screenshot(path=PICTURES / f"{name}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
