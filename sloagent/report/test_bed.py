"""The test bed as tables: what Prometheus says of it, and what was written into the facts file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sloagent.evaluation import wording
from sloagent.evaluation.consistency import check_scale, flag_differences, version_differences
from sloagent.model.facts import Component, Facts, Machine
from sloagent.report import times
from sloagent.report.escaping import visible
from sloagent.report.grid import Cell, Grid, grid, soft
from sloagent.report.words import Words


def components(facts: Facts, words: Words) -> Grid | None:
    """What was scraped: versions, instances, restarts."""
    found = facts.collected.components
    if not found:
        return None
    columns = [words.say(name) for name in ("component", "version", "instances", "scraped", "restarts")]
    return grid(columns, [_component(one, words) for one in found])


def _component(one: Component, words: Words) -> list[Cell]:
    starts = ", ".join(times.moment(int(start)) for start in one.started[:5])
    built = " · ".join(part for part in (one.commit[:12], one.go_version) if part)
    return [
        Cell(visible(one.job), wide=True),
        Cell(visible(", ".join(one.versions)) or wording.ABSENT, sub=visible(built), wide=True),
        Cell(f"{one.instances:,}"),
        soft(wording.ABSENT) if one.up is None else Cell(wording.percent(one.up), exact=repr(one.up)),
        Cell(f"{len(one.started)}", sub=starts) if one.started else soft(words.say("none")),
    ]


def machines(facts: Facts, words: Words) -> Grid | None:
    """The machines that exporters tell of."""
    found = facts.collected.machines
    if not found:
        return None
    columns = [words.say(name) for name in ("machine", "cores", "memory", "disks", "system")]
    return grid(columns, [_machine(one) for one in found])


def _machine(one: Machine) -> list[Cell]:
    return [
        Cell(visible(one.name), wide=True),
        soft(wording.ABSENT) if one.cores is None else Cell(f"{one.cores:g}"),
        soft(wording.ABSENT)
        if one.memory_bytes is None
        else Cell(wording.quantity(one.memory_bytes, "bytes"), exact=f"{one.memory_bytes:.0f} bytes"),
        Cell("\n".join(_disk(*disk) for disk in one.disks) or wording.ABSENT, wide=True),
        Cell(visible(one.system) or wording.ABSENT, wide=True),
    ]


def _disk(name: str, size_bytes: float) -> str:
    return f"{visible(name)} {wording.quantity(size_bytes, 'bytes')}"


def software(facts: Facts, words: Words) -> Grid | None:
    """Versions that people wrote down."""
    return _pairs(facts.written.software, words)


def hardware(facts: Facts, words: Words) -> Grid | None:
    """Hardware in one line each; what has several lines is told by `attachments`."""
    return _pairs(tuple((n, v) for n, v in facts.written.hardware if "\n" not in v.strip()), words)


def _pairs(pairs: tuple[tuple[str, str], ...], words: Words) -> Grid | None:
    if not pairs:
        return None
    rows = [[Cell(visible(name)), Cell(visible(value), wide=True)] for name, value in pairs]
    return grid([words.say("what"), words.say("which")], rows)


def flags(facts: Facts, baseline: Facts | None, words: Words) -> Grid | None:
    """Flags by component, beside the baseline's where they differ."""
    written = facts.written.flags
    if not written and not (baseline and baseline.written.flags):
        return None
    if baseline is not None and not baseline.written.flags:
        baseline = None  # nobody wrote down what they were: nothing can be said to have changed
    changed = _changes(written, baseline)
    columns = [words.say("component"), words.say("flags")]
    rows = []
    for component in dict.fromkeys([*written, *changed]):
        lines = [f"--{name}={value}" if value else f"--{name}" for name, value in written.get(component, ())]
        cells = [Cell(visible(component)), Cell("\n".join(map(visible, lines)) or wording.ABSENT, wide=True)]
        if baseline is not None:
            told = component in written and component in baseline.written.flags
            cells.append(_changed(changed.get(component, []), words) if told else soft(words.say("not_written")))
        rows.append(cells)
    if baseline is not None:
        columns.append(words.say("against_baseline"))
    return grid(columns, rows, "flags")


def _changes(
    written: Mapping[str, tuple[tuple[str, str], ...]], baseline: Facts | None
) -> dict[str, list[tuple[str, str | None, str | None]]]:
    if baseline is None:
        return {}
    found: dict[str, list[tuple[str, str | None, str | None]]] = {}
    for one in flag_differences(written, baseline.written.flags):
        found.setdefault(one.component, []).append((one.flag, one.baseline, one.current))
    return found


def _changed(changes: list[tuple[str, str | None, str | None]], words: Words) -> Cell:
    if not changes:
        return soft(words.say("unchanged"))
    absent = words.say("not_set")
    return Cell(
        "\n".join(
            visible(f"--{flag}: {absent if before is None else before} → {absent if after is None else after}")
            for flag, before, after in changes
        ),
        wide=True,
    )


def scale(facts: Facts, words: Words) -> Grid | None:
    """How large the test was."""
    found = facts.written.scale
    if not found:
        return None
    rows = [
        [Cell(words.text(one.title) or visible(one.name.replace("_", " ")), wide=True), Cell(f"{one.value:,.15g}")]
        for one in found
    ]
    return grid([words.say("dimension"), words.say("number")], rows)


def scale_checks(facts: Facts, words: Words) -> tuple[str, ...]:
    """Whether the numbers of the scale agree with each other, one sentence each."""
    return tuple(
        words.say("scale_holds" if one.holds else "scale_breaks", **_numbers(one.factors, one.product))
        for one in check_scale(facts.written.scale)
    )


def _numbers(factors: tuple[tuple[str, float], ...], product: tuple[str, float]) -> dict[str, str]:
    said: Callable[[float], str] = lambda number: f"{number:,.15g}"  # noqa: E731 - said twice, next to each other
    return {
        "names": " × ".join(visible(name) for name, _ in factors),
        "numbers": " × ".join(said(value) for _, value in factors),
        "name": visible(product[0]),
        "stated": said(product[1]),
    }


def version_notes(facts: Facts, words: Words) -> tuple[str, ...]:
    """Versions that were written down and are not those that ran, one sentence each."""
    return tuple(
        words.say(
            "version_differs", software=visible(one.software), written=visible(one.written),
            found=words.listed([f"{visible(job)} {visible(version)}" for job, version in one.found[:6]]),
        )
        for one in version_differences(facts)
    )  # fmt: skip


def tools(facts: Facts, words: Words) -> Grid | None:
    """What the test was made with."""
    found = facts.written.tools
    if not found:
        return None
    rows = [[Cell(visible(one.name)), Cell(words.text(one.note) or wording.ABSENT, wide=True)] for one in found]
    return grid([words.say("tool"), words.say("used_for")], rows)


def attachments(facts: Facts, which: str) -> tuple[tuple[str, str], ...]:
    """(name, text) of what is shown folded: hardware of several lines, or the load's files."""
    if which == "hardware":
        return tuple((name, value) for name, value in facts.written.hardware if "\n" in value.strip())
    return tuple((one.name, one.text) for one in facts.written.load)
