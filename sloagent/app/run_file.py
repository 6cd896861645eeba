"""The run file, schema `sloagent/run/v1`: everything that a report needs of a run, in one file that can be carried away.

A program writes it as JSON with a hash of its content; a person writes it as YAML or JSON without one. Both become the
same record. What is wrong with a file is a ConfigError with `FILE: place: sentence`.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from sloagent.app import run_file_shape as shape
from sloagent.app.run_file_mistake import MistakeError, explained
from sloagent.app.run_file_reading import read_run, record_of
from sloagent.app.run_file_writing import file_shape
from sloagent.config.problem import printable
from sloagent.errors import ConfigError, SloagentError
from sloagent.model.record import RunRecord
from sloagent.model.run import Run
from sloagent.store import Store

LARGEST_BYTES = 128 * 1024 * 1024
"""Unpacked. A week of a thousand series with four phases has 23 MB, 7 MB packed."""
T = TypeVar("T")

KIND = "run"
"""Of the documents of a store."""
_GZIP = b"\x1f\x8b"
_YAML = (".yaml", ".yml")


class _Form(msgspec.Struct):
    """Which of the two forms a JSON file has."""

    sha256: object = None


class _Head(msgspec.Struct):
    """The run; the rest is not looked at."""

    run: shape.Run


def encode(record: RunRecord) -> bytes:
    """The file of a record, ending with a newline: the same bytes for the same record."""
    file = file_shape(record)
    return _canonical(msgspec.structs.replace(file, sha256=_hash(file))) + b"\n"


def decode(content: bytes, name: str) -> RunRecord:
    """The record in a file's content, packed or not; `name` is the file's for messages. Raises ConfigError."""
    content = _unpacked(content, name)
    stem = name.removesuffix(".gz")
    if stem.endswith(_YAML) or not _is_exported(content, name):
        return _by_hand(content, name)
    file = _decoded(content, shape.File, name)
    if file.sha256 != _hash(file) and not file.written_by_hand:
        raise ConfigError(
            f"{name}: its content is not what was exported: it has the hash {_hash(file)[:12]}…, and the file says"
            f" {printable(file.sha256[:12])}…",
            hint='export the run again; whoever changed a number on purpose writes "written_by_hand": true,'
            " and the report says so",
        )
    try:
        return record_of(file)
    except MistakeError as mistake:
        raise _wrong(name, mistake) from None


def read(path: Path) -> RunRecord:
    """The record in a file. Raises ConfigError."""
    from sloagent.config.files import shown

    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{shown(path)}: {(error.strerror or str(error)).lower()}") from error
    return decode(content, shown(path))


def read_all(paths: Sequence[Path]) -> list[RunRecord]:
    """The records in files, in their order. Raises ConfigError with what is wrong in any of them."""
    records: list[RunRecord] = []
    wrong: list[ConfigError] = []
    for path in paths:
        try:
            records.append(read(path))
        except ConfigError as error:
            wrong.append(error)
    if len(wrong) > 1:
        problems = [problem for error in wrong for problem in error.problems or [_with_hint(error)]]
        raise ConfigError(f"{len(wrong)} files are wrong; nothing was loaded.", problems=problems)
    if wrong:
        raise wrong[0]
    return records


def write(record: RunRecord, path: Path) -> None:
    """Write the file, packed if its name ends with .gz; it appears whole or not at all. Raises SloagentError."""
    content = encode(record)
    if path.name.endswith(".gz"):
        content = gzip.compress(content, mtime=0)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SloagentError(f"{path} cannot be written: {(error.strerror or str(error)).lower()}") from error


def head(content: bytes, name: str) -> Run:
    """The run alone, of content that `encode` made. Raises ConfigError where another version made it."""
    try:
        return read_run(_decoded(content, _Head, name).run)
    except MistakeError as mistake:
        raise _wrong(name, mistake) from None


def imported(store: Store, name: str) -> RunRecord | None:
    """The record of a run that was imported; None where there is none of that name. Raises StoreError."""
    content = store.document(KIND, name)
    return None if content is None else decode(content, f"the imported run {name}")


def _canonical(file: shape.File) -> bytes:
    """Without spaces; fields in the order of the shape, names of labels and the like as `run_file_writing` sorts them."""
    return msgspec.json.encode(file)


def _hash(file: shape.File) -> str:
    return hashlib.sha256(_canonical(msgspec.structs.replace(file, sha256=""))).hexdigest()


def _wrong(name: str, mistake: MistakeError) -> ConfigError:
    hint = f"this sloagent reads {shape.SCHEMA}" if mistake.where == "schema" else ""
    return ConfigError(f"{name}: {printable(str(mistake))}", hint=hint)


def _with_hint(error: ConfigError) -> str:
    return f"{error.message}\n  hint: {error.hint}" if error.hint else error.message


def _unpacked(content: bytes, name: str) -> bytes:
    if content.startswith(_GZIP):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            content = unpacker.decompress(content, LARGEST_BYTES + 1)
        except zlib.error:
            raise ConfigError(f"{name}: it begins like a gzip file and cannot be unpacked") from None
        if len(content) <= LARGEST_BYTES and (not unpacker.eof or unpacker.unused_data):
            raise ConfigError(f"{name}: the gzip file is cut off, or something stands behind its end")
    if len(content) > LARGEST_BYTES:
        raise ConfigError(
            f"{name}: it is larger than {LARGEST_BYTES // 1024**2} MiB, the most that a run file may have"
        )
    return content


def _is_exported(content: bytes, name: str) -> bool:
    """Whether this is JSON with a hash. Raises ConfigError where a file of that name is no JSON."""
    return _decoded(content, _Form, name).sha256 is not None


def _decoded(content: bytes, form: type[T], name: str) -> T:
    """The JSON in a shape. Raises ConfigError."""
    try:
        content.decode("utf-8")  # the decoder looks at no text that it leaves out
        return msgspec.json.decode(content, type=form)
    except msgspec.ValidationError as error:
        raise _wrong(name, explained(str(error))) from None
    except RecursionError:
        raise _wrong(name, MistakeError("it is nested deeper than anything that is exported")) from None
    except UnicodeDecodeError as error:
        line, column = _place(content[: error.start])
        raise ConfigError(f"{name}:{line}:{column}: the byte 0x{content[error.start]:02X} is not UTF-8") from None
    except msgspec.DecodeError as error:
        stumbled = re.search(r"\(byte (\d+)\)$", str(error))
        line, column = _place(content[: int(stumbled[1])] if stumbled else content)
        said = re.sub(r" \(byte \d+\)$", "", str(error)).removeprefix("JSON is malformed: ").lower()
        said = "the file ends too early" if "truncated" in said else said
        hint = "" if content.lstrip().startswith(b"{") else "a file that is written in YAML ends with .yaml"
        raise ConfigError(f"{name}:{line}:{column}: this is not JSON: {said}", hint=hint) from None


def _place(before: bytes) -> tuple[int, int]:
    """Line and column, from 1, of what comes after this."""
    return before.count(b"\n") + 1, len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1


def _by_hand(content: bytes, name: str) -> RunRecord:
    from sloagent.config.reader import parse
    from sloagent.config.to_record import to_record

    return to_record(parse(name, content))
