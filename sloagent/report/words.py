"""The choice of language: the report's own words, and texts and reasons in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sloagent.evaluation.reasons import reason
from sloagent.model.slo import SLO, Text
from sloagent.model.verdict import RangeSummary, RangeVerdict, Verdict
from sloagent.report.locale import LANGUAGES


@dataclass(frozen=True, slots=True)
class Words:
    """A language. `Words("en")`; raises KeyError for one that there is not."""

    language: str

    def __post_init__(self) -> None:
        """Refuse a language that there is not."""
        LANGUAGES[self.language]

    def say(self, key: str, **numbers: object) -> str:
        """The words of a key, filled in."""
        words = LANGUAGES[self.language][key]
        return words.format(**numbers) if numbers else words

    def text(self, text: Text) -> str:
        """A text in this language; in English where it was not translated."""
        return text.zh if self.language == "zh" and text.zh else text.en

    def title(self, slo: SLO) -> str:
        """An SLO's title, else its name."""
        return self.text(slo.title) or slo.name

    def reason(self, slo: SLO, verdict: Verdict | RangeVerdict | RangeSummary) -> str:
        """Why a verdict is what it is."""
        return reason(slo, verdict, self.language)

    def listed(self, names: Sequence[str]) -> str:
        """Names as a list in a sentence."""
        return ("、" if self.language == "zh" else ", ").join(names)

    @property
    def between(self) -> str:
        """What stands between two clauses."""
        return "；" if self.language == "zh" else "; "

    @property
    def after_sentence(self) -> str:
        """What stands between two sentences."""
        return "" if self.language == "zh" else " "
