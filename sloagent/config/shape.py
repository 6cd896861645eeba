"""The shape of a settings class, walked: which class stands at a path, and every field there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from sloagent.config.document import Path
from sloagent.settings import Settings


def class_at(settings: type[Settings], path: Path) -> type[Settings] | None:
    """The settings class whose fields are written at `path`, or None where there is none."""
    annotation: Any = settings
    for step in path:
        if _is_settings(annotation):
            field = annotation.model_fields.get(step)
            if field is None:
                return None
            annotation = _bare(field.annotation)
        else:
            annotation = _inner(annotation)
    return annotation if _is_settings(annotation) else None


def fields(settings: type[Settings], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every field with its dotted name, outer ones first; `[]` marks entries of a list, `<name>` those of a mapping."""
    for name, field in settings.model_fields.items():
        full = f"{above}.{name}" if above else name
        yield full, field
        annotation = _bare(field.annotation)
        while not _is_settings(annotation) and (inner := _inner(annotation)) is not None:
            full += ".<name>" if _is_mapping(annotation) else "[]"
            annotation = inner
        if _is_settings(annotation):
            yield from fields(annotation, full)


def homes(settings: type[Settings], name: str) -> list[str]:
    """The blocks that have a field of this name, dotted; the top is an empty string."""
    return [full.rpartition(".")[0] for full, _ in fields(settings) if full.rpartition(".")[2] == name]


def is_of(field: FieldInfo, kind: Any) -> bool:  # noqa: ANN401
    """Whether the field holds a `Duration` or a `ByteSize` (the `kind` asked for), or one of them or None."""
    return kind in get_args(field.annotation) or kind.__metadata__[0] in field.metadata


def _is_settings(annotation: Any) -> bool:  # noqa: ANN401
    return isinstance(annotation, type) and issubclass(annotation, Settings)


def _is_mapping(annotation: Any) -> bool:  # noqa: ANN401
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _inner(annotation: Any) -> Any:  # noqa: ANN401
    """What a list or a mapping holds; None for anything else."""
    origin = get_origin(annotation)
    if _is_mapping(annotation):
        return _bare(get_args(annotation)[1])
    if origin in (tuple, list):
        return _bare(get_args(annotation)[0])
    return None


def _bare(annotation: Any) -> Any:  # noqa: ANN401
    """The annotation without `Annotated` and `None`."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType):
            members = [member for member in get_args(annotation) if member is not NoneType]
            annotation = next((member for member in members if _is_settings(_bare(member))), members[0])
        else:
            return annotation
