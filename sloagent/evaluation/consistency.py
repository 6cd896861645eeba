"""Whether facts about a test bed agree: the numbers of its scale, flags with an earlier run's, versions with what ran."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isclose

from sloagent.model.facts import Facts, Quantity

PER = "_per_"
Flags = Mapping[str, tuple[tuple[str, str], ...]]
"""By component: (flag without dashes, value)."""
_VERSION = re.compile(r"\bv?(\d+(?:\.\d+)+[^\s,;()]*)")


@dataclass(frozen=True, slots=True)
class ScaleCheck:
    """Two numbers whose product is a third one: `namespaces_per_cluster` × `pods_per_namespace` = `pods_per_cluster`."""

    factors: tuple[tuple[str, float], ...]
    product: tuple[str, float]
    """As it is written, whether right or not."""
    holds: bool


@dataclass(frozen=True, slots=True)
class FlagDifference:
    """A flag of a component that is not what it was. None: it was, or is, not set."""

    component: str
    flag: str
    baseline: str | None
    current: str | None


@dataclass(frozen=True, slots=True)
class VersionDifference:
    """A version that was written down and that no component has which tells its own."""

    software: str
    written: str
    found: tuple[tuple[str, str], ...]
    """(job, version), sorted."""


def check_scale(scale: Sequence[Quantity]) -> tuple[ScaleCheck, ...]:
    """Every relation between numbers of the scale that their names state, in the order of the first factor.

    `A_per_B` times the number of Bs is A; times `Bs_per_C` it is `A_per_C`. Relations whose numbers are not all written
    are left out.
    """
    numbers = {quantity.name: quantity.value for quantity in scale}
    return tuple(
        ScaleCheck(
            ((many, numbers[many]), (each, numbers[each])),
            (product, numbers[product]),
            isclose(numbers[many] * numbers[each], numbers[product], rel_tol=1e-9),
        )
        for many in numbers
        for each in numbers
        if (product := _product(many, each)) in numbers
    )


def _product(many: str, each: str) -> str:
    """What `many` (`clusters`, `namespaces_per_cluster`) times `each` (`pods_per_cluster`) is; empty if nothing."""
    what, per, one = each.partition(PER)
    counted, per_outer, outer = many.partition(PER)
    return what + per_outer + outer if per and counted in _plurals(one) else ""


def _plurals(noun: str) -> set[str]:
    return {f"{noun}s", f"{noun}es", f"{noun.removesuffix('y')}ies"}


def flag_differences(current: Flags, baseline: Flags) -> tuple[FlagDifference, ...]:
    """Flags that were added, removed or changed, by component and name. A flag set twice has both values."""
    found = []
    for component in sorted({*current, *baseline}):
        now, before = _values(current.get(component, ())), _values(baseline.get(component, ()))
        found += [
            FlagDifference(component, flag, before.get(flag), now.get(flag))
            for flag in sorted({*now, *before})
            if now.get(flag) != before.get(flag)
        ]
    return tuple(found)


def _values(flags: Sequence[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for flag, value in flags:
        values[flag] = f"{values[flag]}, {value}" if flag in values else value
    return values


def version_differences(facts: Facts) -> tuple[VersionDifference, ...]:
    """Versions in `software` that are not among those that the components of this name say they have.

    The first word of the entry names the software. A shorter version agrees with a longer one: `1.36` with `v1.36.2`.
    """
    return tuple(_version_differences(facts))


def _version_differences(facts: Facts) -> Iterator[VersionDifference]:
    for name, text in facts.written.software:
        software, written = name.partition(" ")[0].lower(), _VERSION.search(text)
        found = sorted(
            (component.job, version)
            for component in facts.collected.components
            if component.software == software
            for version in component.versions
        )
        if written and found and not any(_agrees(written[1], version) for _, version in found):
            yield VersionDifference(name, text, tuple(found))


def _agrees(written: str, found: str) -> bool:
    version = found.removeprefix("v")
    return version == written or version.startswith(tuple(written + mark for mark in ".-+"))
