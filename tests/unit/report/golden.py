"""Golden files: whole texts, compared byte by byte. SLOAGENT_GOLDEN=1 writes them; read the diff."""

from __future__ import annotations

import os
from pathlib import Path

DIRECTORY = Path(__file__).parents[2] / "data" / "golden"


def compare(name: str, text: str) -> None:
    """Fail where the file of that name, under tests/data/golden, holds another text."""
    path = DIRECTORY / name
    if os.environ.get("SLOAGENT_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    assert path.is_file(), f"{path} is missing: write it with SLOAGENT_GOLDEN=1"
    assert text == path.read_bytes().decode()
