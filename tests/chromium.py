"""The Chromium of this machine, for the tests, the benchmarks and the pictures of the documentation."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # who runs the program itself needs no playwright
    from playwright.sync_api import Browser, Playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def program() -> str:
    """The path of the program; a missing one is a failure, not a skip."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise AssertionError("no `chromium` on PATH: run `make test`, which installs it")
    return found


def launched(playwright: Playwright) -> Browser:
    """A browser that asks nobody for anything."""
    return playwright.chromium.launch(
        executable_path=program(), args=["--no-sandbox", "--disable-background-networking"]
    )
