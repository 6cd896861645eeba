"""The recorded run that ships with the product: where it lies, how it is unpacked, and its phases."""

from __future__ import annotations

import json
import lzma
import tarfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from sloagent.errors import SloagentError
from sloagent.model.run import Phase
from sloagent.model.timerange import TimeRange

ARCHIVE = "recording.tar.xz"
PHASES = "phases.json"
FACTS = "facts.yaml"
_PACKAGE = Path(__file__).resolve().parent.parent
PLACES = (_PACKAGE / "_shipped" / "demo", _PACKAGE.parent / "deploy" / "demo")
"""In an installed wheel, and in a checkout."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded: from the start of the first phase to the end of the last, and the phases in order."""

    start: datetime
    end: datetime
    phases: tuple[Phase, ...]


def shipped() -> Path:
    """The directory of the shipped recording. Raises SloagentError where this installation has none."""
    for place in PLACES:
        if all((place / name).is_file() for name in (ARCHIVE, PHASES, FACTS)):
            return place
    raise SloagentError(
        "the recorded run is not in this installation: looked in " + " and ".join(str(place) for place in PLACES),
        hint="install the wheel of sloagent again, or run from a whole checkout",
    )


def unpack(directory: Path) -> Recording:
    """Write the recording's TSDB blocks into `directory`, which Prometheus then takes as its storage path.

    Files of the same names are replaced. Raises SloagentError where the recording is missing or damaged, or
    where the directory cannot be written.
    """
    place = shipped()
    try:
        _extract(place / ARCHIVE, directory)
        return _recording(place / PHASES)
    except OSError as refused:
        raise SloagentError(
            f"the recorded run cannot be unpacked into {directory}: {refused}",
            hint="name a directory that can be written",
        ) from refused
    except (tarfile.TarError, lzma.LZMAError, EOFError, ValueError, KeyError) as damaged:
        raise SloagentError(
            f"the recorded run in {place} is damaged: {damaged}",
            hint="install sloagent again, or check the file out again",
        ) from damaged


def _extract(archive: Path, directory: Path) -> None:
    """Regular files alone, and only to below `directory`."""
    with tarfile.open(archive, "r:xz") as packed:
        for entry in packed:
            name = PurePosixPath(entry.name)
            content = packed.extractfile(entry) if entry.isreg() else None
            if content is None or name.is_absolute() or ".." in name.parts:
                raise ValueError(f"{entry.name} is no plain file")
            target = directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())


def _recording(path: Path) -> Recording:
    phases = tuple(
        Phase(written["name"], TimeRange(_time(written["start"]), _time(written["end"])), written["what"])
        for written in json.loads(path.read_text())
    )
    return Recording(phases[0].range.start, phases[-1].range.end, phases)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
