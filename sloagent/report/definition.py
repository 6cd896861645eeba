"""A report definition: what stands in the report, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sloagent.model.slo import Text
from sloagent.settings import Settings

Table = Literal[
    "verdicts", "attention", "timeline", "phases", "promises", "background", "tools", "topology", "components",
    "machines", "software", "hardware", "flags", "scale", "load", "comparison", "groups", "records", "growth",
    "cluster-days", "relaxed", "quality", "conclusion", "reading", "configuration",
]  # fmt: skip
"""What a block can show. Where a run has nothing for it the block is left out, and a section without blocks, too."""


class Words(Settings):
    """A text for people in English and, if given, in Chinese."""

    en: str = Field(min_length=1)
    zh: str = ""

    @property
    def text(self) -> Text:
        """The same as the model has it."""
        return Text(self.en, self.zh)


class Metadata(Settings):
    """The definition's name."""

    name: str


class ChartSpec(Settings):
    """A picture of one SLO over time, or of several side by side."""

    slo: str = ""
    """`name` or `set/name`."""
    slos: list[str] = Field(default_factory=list)
    """For `kind: stages`."""
    kind: Literal["lines", "stacked", "stages"] = "lines"
    title: Words | None = None
    percentiles: list[Annotated[float, Field(gt=0, le=100)]] = Field(default_factory=list)
    """Of a latency; without it the promised one of each series, or all of an SLO with one series."""

    @model_validator(mode="after")
    def _names_what_it_draws(self) -> Self:
        if self.kind == "stages" and (not self.slos or self.slo):
            raise ValueError("a chart of stages needs `slos:`, the names of the SLOs that it draws, and no `slo:`")
        if self.kind != "stages" and (not self.slo or self.slos):
            raise ValueError("a chart needs `slo:`, the name of the SLO that it draws; `slos:` is for `kind: stages`")
        return self


class Block(Settings):
    """One thing in a section: a text, a table, the results of SLOs, or a chart. Exactly one of the four."""

    prose: Words | None = None
    show: Table | None = None
    results: list[str] = Field(default_factory=list)
    """The `section:` names of the SLOs whose results stand here."""
    chart: ChartSpec | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if sum((self.prose is not None, self.show is not None, bool(self.results), self.chart is not None)) != 1:
            raise ValueError("a block holds one of `prose`, `show`, `results` and `chart`")
        return self


class Section(Settings):
    """A heading and what stands under it."""

    name: str
    title: Words
    blocks: list[Block] = Field(min_length=1)


class Group(Settings):
    """A part of one run that is compared with another part of it: a phase, or the series with these labels."""

    title: Words
    phase: str = ""
    labels: Mapping[str, str] = {}

    @model_validator(mode="after")
    def _selects_something(self) -> Self:
        if bool(self.phase) == bool(self.labels):
            raise ValueError("a group is selected by `phase` or by `labels`")
        return self


class Groups(Settings):
    """Control group against test group, in one run."""

    control: Group
    test: Group


class Comparison(Settings):
    """What a comparison is held to."""

    tolerance: float = Field(default=0.05, gt=0, lt=1)
    level: float = Field(default=0.01, gt=0, lt=0.5)
    noise: float = Field(default=0.03, ge=0, lt=1)


class Definition(Settings):
    """The whole file."""

    apiVersion: Literal["sloagent/v1"]  # noqa: N815 - the field's name in the file
    kind: Literal["ReportDefinition"]
    metadata: Metadata
    title: Words
    sections: list[Section]
    other: Words = Words(en="Further results", zh="其他结果")
    """The heading of the results that no section takes."""
    comparison: Comparison = Comparison()
    groups: Groups | None = None
