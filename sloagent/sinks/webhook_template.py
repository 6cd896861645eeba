"""A webhook's body from a template of the user's own: Jinja2 in its sandbox, and JSON in the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sloagent.errors import SinkError

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

FIELDS = frozenset({
    "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels", "commonAnnotations",
    "externalURL", "alerts",
})  # fmt: skip
"""What a template knows: the fields of the body that is sent without one."""
LONGEST_BYTES = 1_048_576


class _AnyText(dict[str, str]):
    """Labels or annotations of an example: which of them an alert will have is not known, so that none is missing."""

    def __missing__(self, name: str) -> str:
        return "example"


def check_template(file: Path) -> None:
    """Try the template on two examples, one of them over.

    Raises ValueError, with file and line, where it cannot be read, uses a name that there is not, or makes no JSON.
    """
    import jinja2
    from jinja2 import meta, nodes

    environment = _environment()
    try:
        tree = environment.parse(_text(file))
        unknown = meta.find_undeclared_variables(tree) - FIELDS - environment.globals.keys()
        environment.from_string(tree)
    except jinja2.TemplateSyntaxError as error:
        raise ValueError(f"{file}:{error.lineno}: {error.message}") from None
    for name in tree.find_all(nodes.Name):
        if name.name in unknown and name.ctx == "load":
            known = ", ".join(sorted(FIELDS))
            raise ValueError(f"{file}:{name.lineno}: there is no {name.name}; a template knows {known}")
    for other in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        raise ValueError(f"{file}:{other.lineno}: a template stands for itself; it cannot include or extend another")
    template = load_template(file)
    for message in (_example("firing", "resolved"), _example("resolved")):
        try:
            from_template(template, message)
        except SinkError as error:
            raise ValueError(f"{error.message}{f' ({error.hint})' if error.hint else ''}") from None


def load_template(file: Path) -> Template:
    """The template of a file that `check_template` found right."""
    environment = _environment()
    template = environment.from_string(_text(file))
    template.filename = str(file)
    return template


def from_template(template: Template, fields: Mapping[str, object]) -> bytes:
    """The body for these fields. Raises SinkError, with file and line, where it cannot be made or is not JSON."""
    import jinja2

    pieces: list[str] = []
    size = 0
    try:
        for piece in template.generate(**fields):
            pieces.append(piece)
            size += len(piece)
            if size > LONGEST_BYTES:
                raise SinkError(f"{template.filename}: makes more than {LONGEST_BYTES:,} characters", retryable=False)
    except (jinja2.TemplateError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise SinkError(f"{_place(template, error)}: {error}", retryable=False) from None
    body = "".join(pieces).encode("utf-8", "replace")
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SinkError(
            f"{template.filename}: what the template makes is not JSON: {error}",
            retryable=False, hint="write texts as {{ alert.labels.slo | tojson }}, which quotes them",
        ) from None  # fmt: skip
    return body


def _example(*stages: str) -> dict[str, object]:
    """A body whose texts hold what those of real alerts may hold; an alert for each stage."""
    labels = _AnyText(alertname="SLOViolated", severity="page", set="example", slo="example")
    annotations = _AnyText(
        summary='example/example is violated: verb="GET"',
        description='A text may hold "quotes", \\ and\nseveral lines.',
        resolved='it recovered, and "so" it ended',
    )
    alerts = [
        {
            "status": stage, "labels": labels, "annotations": annotations, "startsAt": "2026-11-22T05:55:00Z",
            "endsAt": "2026-11-22T06:10:00Z" if stage == "resolved" else "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example/graph?g0.expr=up", "fingerprint": "0123456789abcdef",
        }
        for stage in stages
    ]  # fmt: skip
    return {
        "version": "4", "groupKey": '{}:{slo="example"}', "truncatedAlerts": 0, "status": stages[0], "receiver": "example",
        "groupLabels": labels, "commonLabels": labels, "commonAnnotations": annotations, "externalURL": "",
        "alerts": alerts,
    }  # fmt: skip


def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.policies["json.dumps_function"] = partial(json.dumps, default=_not_there)
    return environment


def _not_there(value: object) -> str:
    """Has the undefined say what it is of; json would only say that it cannot write it."""
    raise TypeError(f"{value} cannot be written as JSON")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"the template {file} cannot be read: {(error.strerror or '').lower()}") from None
    except UnicodeDecodeError:
        raise ValueError(f"the template {file} is not text in UTF-8") from None


def _place(template: Template, error: BaseException) -> str:
    """The file and the line of the template at which the error came about."""
    line, step = 0, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == template.filename:
            line = step.tb_lineno
        step = step.tb_next
    return f"{template.filename}:{line}" if line else f"{template.filename}"
