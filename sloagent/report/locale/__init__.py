"""The report's own words, one module per language with the same keys."""

from __future__ import annotations

from collections.abc import Mapping

from sloagent.report.locale import en, zh

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": en.WORDS, "zh": zh.WORDS}
