"""A report definition: title and sections, in the order in which they are read, and which SLOs go where."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sloagent.model.slo import Text
from sloagent.settings import Settings


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


class Section(Settings):
    """A heading of the report and the `section:` names of the SLOs whose results stand under it."""

    name: str
    title: Words
    takes: list[str] = Field(min_length=1)
    note: Words | None = None


class Definition(Settings):
    """The whole file."""

    apiVersion: Literal["sloagent/v1"]  # noqa: N815 - the field's name in the file
    kind: Literal["ReportDefinition"]
    metadata: Metadata
    title: Words
    sections: list[Section]
    other: Words = Words(en="Further results", zh="其他结果")
    """The heading of what no section takes."""
