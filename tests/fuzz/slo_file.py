"""An SLO file: whatever it holds, a set of SLOs that can be asked and kept, or problems with a place in the file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from random import Random

import promql_parser

from sloagent.config.document import LINE_BREAK, Document
from sloagent.config.problem import Problem, count_line, in_order, render
from sloagent.config.promql import _with_plain_quotes
from sloagent.config.reader import parse
from sloagent.config.to_model import to_model
from sloagent.model.slo import SLO
from sloagent.sources.promql import duration, questions
from sloagent.store.spec import slo_from, spec_text
from tests.fuzz import mutation
from tests.fuzz.target import Target, expect

ROOT = Path(__file__).resolve().parents[2]
PATH = "fuzzed.yaml"


def check(content: bytes) -> None:
    """Read the file twice; problems must have a place, and SLOs must be such that they can be asked and kept."""
    loaded = to_model(parse(PATH, content), {})
    expect((loaded.slo_set is None) == bool(loaded.problems), "a file either gives a set or has problems")
    check_problems(loaded.document, loaded.problems)
    again = to_model(parse(PATH, content), {})
    expect(loaded.slo_set == again.slo_set, "the same file gives another set")
    expect(loaded.problems == again.problems, "the same file has other problems")
    if loaded.slo_set is not None:
        names = [slo.name for slo in loaded.slo_set.slos]
        expect(len(names) == len(set(names)), "two SLOs have one name")
        for slo in loaded.slo_set.slos:
            check_slo(slo)


def check_problems(document: Document, problems: Iterable[Problem]) -> None:
    """Each problem has a place inside the file, and its text steers no terminal."""
    lines = LINE_BREAK.split(document.text)
    ordered = in_order(problems)
    for problem in ordered:
        expect(problem.summary, "a problem says nothing")
        expect(problem.path == document.path, f"a problem of another file: {problem.path}")
        expect(0 <= problem.line <= max(len(lines), 1), f"line {problem.line} of {len(lines)}")
        if problem.line:
            width = len(lines[problem.line - 1])
            expect(1 <= problem.column <= width + 1, f"column {problem.column} of {width}: {problem.summary}")
        text = render(problem)
        expect("pydantic" not in text, "a problem speaks of the library that found it")
        expect(text.replace("\n", "").isprintable() or _is_only_space(text), f"unprintable: {text!r}")
    expect(count_line(ordered), "nothing is counted")


def _is_only_space(text: str) -> bool:
    """Whether what is not printable are kinds of space, which move no cursor; isprintable knows only the plain one."""
    return (
        all(c.isprintable() or c.isspace() or not c.isascii() for c in re.sub(r"\n", "", text)) and "\x1b" not in text
    )


def check_slo(slo: SLO) -> None:
    """The times fit, the limits are numbers, the queries are PromQL, and the store gives back what it is given."""
    expect(slo.interval >= 1 and slo.window >= 1 and slo.window % slo.interval == 0, f"{slo.window}/{slo.interval}")
    expect(0 <= slo.min_events < math.inf, f"min_events {slo.min_events}")
    if slo.objective is not None:
        promise = slo.objective
        limits = [promise.limit, *(override.limit for override in promise.overrides)]
        numbers = [n for limit in limits for n in (limit.at_most, limit.at_least, limit.warn_at) if n is not None]
        expect(all(map(math.isfinite, numbers)), f"limits {numbers}")
        expect(promise.percentile is None or 0 < promise.percentile <= 100, f"percentile {promise.percentile}")
        expect(0 < promise.windows_at_least <= 1, f"windows_at_least {promise.windows_at_least}")
        expect(promise.grows_at_most is None or math.isfinite(promise.grows_at_most), f"{promise.grows_at_most}")
        expect(any(numbers) or numbers or promise.grows_at_most is not None, "an objective without any limit")
    for query, _ in questions(slo.sli, duration(slo.window)):
        promql_parser.parse(_with_plain_quotes(query))
    text = spec_text(slo)
    json.loads(text, parse_constant=_no_constant)
    back = slo_from(slo.set, slo.name, text)
    expect(back.fingerprint() == slo.fingerprint(), "the store would give another SLO back")
    expect((back.sli, back.objective) == (slo.sli, slo.objective), "the store would give another promise back")
    text.encode("utf-8")


def _no_constant(name: str) -> None:
    raise AssertionError(f"the specification holds {name}")


@cache
def seeds() -> tuple[bytes, ...]:
    """The files of the tests, and of each shipped set a file for every SLO in it."""
    files = [path.read_bytes() for path in sorted((ROOT / "tests" / "data" / "slo").glob("*/*.yaml"))]
    for path in sorted((ROOT / "rules").glob("*.yaml")):
        head, *slos = re.split(r"(?m)^(?=  - name:)", path.read_text())
        files += [f"{head}{slo}".encode() for slo in slos]
    return tuple(files)


def mutate(content: bytes, random: Random) -> bytes:
    """The file with lines, names and values changed, sometimes bytes."""
    return mutation.of_bytes(content, random) if random.random() < 0.2 else mutation.of_yaml(content, random, seeds())


TARGET = Target("slo_file", check, mutate, seeds)
