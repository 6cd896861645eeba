"""Which files an entry names: a path, a glob, a directory, or the name of a set that ships."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from sloagent.config.problem import closest, spelling_hint
from sloagent.config.shipped import shipped_sets

BUILTIN = "builtin:"
MOST_FILES = 1_000
"""That one entry may name: a glob from the wrong place finds every file of a disk."""
YAML_ENDINGS = (".yaml", ".yml")


def files_of(entry: str, directory: Path) -> list[Path] | tuple[str, str, str]:
    """The files that an entry names, or a finding (problem id, summary, hint) where it names none."""
    if entry.startswith(BUILTIN):
        sets, name = shipped_sets(), entry.removeprefix(BUILTIN)
        if name in sets:
            return [sets[name]]
        hint = spelling_hint(name, sets, what="shipped are")
        return (
            "file/builtin",
            f'no SLO set named "{name}" ships with sloagent',
            f"{hint} (shipped: {', '.join(sets)})" if hint.endswith("?") else hint,
        )
    if "\0" in entry or not entry.strip():
        return "file/missing", "this is no name of a file", "write a path, a glob or builtin:name"
    try:
        path = directory / Path(entry).expanduser()
        if path.is_dir():
            children = (child for child in path.iterdir() if child.suffix in YAML_ENDINGS and child.is_file())
            return _some(entry, children) or (
                "file/missing",
                f"the directory {entry} holds no .yaml file",
                "name another one, or a file",
            )
        if path.exists():
            return [path]
    except (OSError, RuntimeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
        return "file/missing", f'"{entry}" cannot be read: {reason.lower()}', ""
    if not glob.has_magic(entry):
        return "file/missing", f'there is no file "{entry}"', neighbour(path)
    # Path.glob takes no absolute patterns.
    found = (directory / match for match in glob.iglob(entry, root_dir=directory, recursive=True))  # noqa: PTH207
    matches = _some(entry, (match for match in found if match.is_file()))
    return matches or ("file/missing", f'no file matches "{entry}"', f"it was looked for in {shown(directory)}")


def _some(entry: str, paths: Iterable[Path]) -> list[Path] | tuple[str, str, str]:
    """The paths, sorted, or a finding where there are too many."""
    found = list(islice(paths, MOST_FILES + 1))
    if len(found) > MOST_FILES:
        return "file/number", f'"{entry}" names more than {MOST_FILES:,} files', "name them more closely"
    return sorted(found)


def not_there(path: Path, name: str) -> tuple[str, str, str] | None:
    """The finding (problem id, summary, hint) of a file that is not there or cannot be looked at; None: it is there."""
    try:
        if path.exists():
            return None
    except OSError as error:
        return "file/missing", f'"{name}" cannot be read: {(error.strerror or str(error)).lower()}', ""
    return "file/missing", f'there is no file "{name}"', neighbour(path)


def neighbour(path: Path) -> str:
    """A hint to a file of nearly this name in the same directory."""
    try:
        names = [child.name for child in path.parent.iterdir() if child.suffix in YAML_ENDINGS]
    except OSError:
        return f"there is no directory {shown(path.parent)} either" if not path.parent.exists() else ""
    stem = closest(path.stem, [Path(name).stem for name in names])
    near = [name for name in names if Path(name).stem == stem] or sorted(names)[:5]
    return (
        (f'did you mean "{near[0]}"?' if stem else f"there are {', '.join(near)}")
        if names
        else "`sloagent init` writes a commented example"
    )


def shown(path: Path) -> str:
    """The path as short as it can be told: from here where it lies below, else in full."""
    absolute = path.absolute()
    try:
        return str(absolute.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
