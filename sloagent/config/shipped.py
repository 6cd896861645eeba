"""The SLO sets that ship with the product: `rules/` in a checkout, inside the package once it is installed."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import sloagent


def shipped_sets() -> dict[str, Path]:
    """The shipped SLO sets, name to file, sorted by name."""
    return {path.stem: path for path in sorted(shipped_directory("rules").glob("*.yaml"))}


def shipped_directory(name: str) -> Path:
    """The directory of shipped files, such as `rules`: of the installed package, else of the checkout."""
    installed = Path(str(resources.files(sloagent))) / "_shipped" / name
    return installed if installed.is_dir() else Path(sloagent.__file__).parent.parent / name
