"""Outcomes, windows and numbers in words: the cells that several tables of a report share."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sloagent.evaluation import wording
from sloagent.model.verdict import Outcome, RangeVerdict
from sloagent.report.words import Words

_NUMBER_AND_UNIT = re.compile(r"(?<=\d) (?=%|(?:s|ms|µs|min|h|d|B|[KMGTP]iB)\b)")
_NUMBER_AND_BUCKET = re.compile(r"(.+?)\s*[(（](.+)[)）]")


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome: its class and its word."""

    kind: str
    word: str


def verdict_of(outcome: Outcome, words: Words) -> Verdict:
    """The outcome as it is shown."""
    return Verdict(outcome.value.replace("_", "-"), words.say(outcome.value))


def good_windows(series: RangeVerdict | None, words: Words) -> str:
    """`21 of 26`, with undecided ones `21–26 of 26`; a dash where no window could be judged."""
    if series is None or not series.windows.judged:
        return wording.ABSENT
    return words.say("of", good=span(series), judged=f"{series.windows.judged:,}")


def span(series: RangeVerdict) -> str:
    """The number of good windows, an interval where some are undecided."""
    good, undecided = series.windows.good, series.windows.undecided
    return f"{good:,}–{good + undecided:,}" if undecided else f"{good:,}"


def stacked(text: str) -> tuple[str, str]:
    """A number and the bucket that it lies in, as two lines of one cell: `4.41 s (4–5 s)`."""
    found = _NUMBER_AND_BUCKET.fullmatch(text)
    return (found.group(1), found.group(2)) if found else (text, "")


def unbroken(text: str) -> str:
    """The sentence with numbers and their units kept on one line."""
    return _NUMBER_AND_UNIT.sub("\u00a0", text)
