"""Prometheus's `relabel_config`: rules that rewrite the labels of an alert, or keep it from being sent."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from functools import lru_cache
from hashlib import md5
from typing import Literal, Self

from pydantic import Field, model_validator

from sloagent.model.slo import Labels
from sloagent.settings import Settings

ANYTHING = "(.*)"
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_NAME_TEMPLATE = re.compile(r"(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+", re.ASCII)
_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")
_WRITES = ("replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal")
_COMPARES = ("keepequal", "dropequal")
_BY_NAME = ("labeldrop", "labelkeep")


class RelabelConfig(Settings):
    """One rule. Its fields, defaults and actions are Prometheus's; the regex has to match the whole text."""

    source_labels: tuple[str, ...] = ()
    separator: str = ";"
    regex: str = ANYTHING
    modulus: int = Field(default=0, ge=0, lt=2**64)
    target_label: str = ""
    replacement: str = "$1"
    action: Literal[
        "replace", "keep", "drop", "keepequal", "dropequal", "hashmod", "labelmap", "labeldrop", "labelkeep",
        "lowercase", "uppercase",
    ] = "replace"  # fmt: skip

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        compiled(self.regex)
        for name in self.source_labels:
            if not _NAME.fullmatch(name):
                raise ValueError(f'source_labels has "{name[:80]}", which is no name of a label')
        if self.action in _WRITES:
            self._check_target()
        if self.action == "hashmod" and self.modulus == 0:
            raise ValueError("the action hashmod needs a modulus of 1 or more")
        if self.action in ("lowercase", "uppercase"):
            self._only("source_labels", "separator", "regex", "modulus", "target_label")
        if self.action == "labelmap" and not _NAME_TEMPLATE.fullmatch(self.replacement):
            raise ValueError(f'the replacement "{self.replacement[:80]}" of a labelmap makes no name of a label')
        if self.action in _COMPARES:
            self._only("source_labels", "target_label")
        if self.action in _BY_NAME:
            self._only("regex")
        return self

    def _check_target(self) -> None:
        if not self.target_label:
            raise ValueError(f"the action {self.action} needs a target_label")
        is_template = self.action == "replace" and "$" in self.target_label
        if not (_NAME_TEMPLATE if is_template else _NAME).fullmatch(self.target_label):
            raise ValueError(f'the target_label "{self.target_label[:80]}" is no name of a label')

    def _only(self, *accepted: str) -> None:
        for name, field in type(self).model_fields.items():
            if name not in (*accepted, "action") and getattr(self, name) != field.default:
                raise ValueError(f"the action {self.action} has no {name}; it takes {', '.join(accepted)}")


def relabelled(labels: Labels, rules: Iterable[RelabelConfig]) -> Labels | None:
    """The labels when all rules have been applied in their order; None where one of them drops the alert."""
    found = _Labels(labels)
    for rule in rules:
        match rule.action:
            case "keep" | "drop" | "keepequal" | "dropequal":
                if not found.are_kept(rule):
                    return None
            case "labelmap" | "labeldrop" | "labelkeep":
                found.rename(rule)
            case _:
                found.write(rule)
    return tuple(sorted(found.values.items()))


class _Labels:
    """Labels under rules."""

    def __init__(self, labels: Labels) -> None:
        self.values = {name: value for name, value in labels if value}

    def are_kept(self, rule: RelabelConfig) -> bool:
        """What a rule says of the whole alert."""
        text = self._source(rule)
        if rule.action in _COMPARES:
            return (self.values.get(rule.target_label, "") == text) == (rule.action == "keepequal")
        return (compiled(rule.regex).fullmatch(text) is not None) == (rule.action == "keep")

    def write(self, rule: RelabelConfig) -> None:
        """Set the label that a rule is about."""
        text = self._source(rule)
        match rule.action:
            case "hashmod":
                digest = md5(text.encode("utf-8", "replace"), usedforsecurity=False).digest()
                self._set(rule.target_label, str(int.from_bytes(digest[8:], "big") % rule.modulus))
            case "lowercase":
                self._set(rule.target_label, "".join(c.lower()[0] for c in text))
            case "uppercase":
                self._set(rule.target_label, "".join(_upper(c) for c in text))
            case _:
                if (match := compiled(rule.regex).fullmatch(text)) is not None:
                    target = _expanded(rule.target_label, match)
                    if _NAME.fullmatch(target):
                        self._set(target, _expanded(rule.replacement, match))

    def rename(self, rule: RelabelConfig) -> None:
        """Copy, drop or keep labels by their names; of two that are copied to one name the last in order counts."""
        for name, value in sorted(self.values.items()):
            match = compiled(rule.regex).fullmatch(name)
            if rule.action == "labelmap":
                if match is not None:
                    self._set(_expanded(rule.replacement, match), value)
            elif (match is None) == (rule.action == "labelkeep"):
                self._set(name, "")

    def _source(self, rule: RelabelConfig) -> str:
        return rule.separator.join(self.values.get(name, "") for name in rule.source_labels)

    def _set(self, name: str, value: str) -> None:
        if value:
            self.values[name] = value
        else:
            self.values.pop(name, None)


@lru_cache(maxsize=1_024)
def compiled(regex: str) -> re.Pattern[str]:
    """The expression of a rule. Raises ValueError for what Prometheus's RE2 does not know, or we cannot do as it does."""
    bare = re.sub(r"\\.", "_", regex, flags=re.DOTALL)
    outside = re.sub(r"\[\^?\]?[^\]]*\]", "_", bare)
    why = ""
    if other := [c for c in re.findall(r"\\(.)", regex) if c.isalnum() and c not in "dDwWsSbBnrtfvaAx"]:
        why = f"\\{other[0]} is not known"
    elif re.search(r"\(\?(?!:|P<\w+>|[ims]+[:)])", outside):
        why = "of what begins with (? only (?:…), (?P<name>…) and the flags i, m, s are known"
    elif re.search(r"[*+?}]\+", outside):
        why = "a repetition is repeated"
    else:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                return re.compile(regex, re.ASCII | re.DOTALL)
        except (re.error, Warning, OverflowError, RecursionError) as error:
            why = str(error)
    raise ValueError(f'the regex "{regex[:80]}" cannot be read: {why}')


def _expanded(template: str, match: re.Match[str]) -> str:
    """The template with what the groups matched for `$1`, `${1}` and `$name`; a group that is not there is empty."""

    def group(found: re.Match[str]) -> str:
        if found[1]:
            return "$"
        name = found[2] or found[3]
        if name.isdecimal() and name == str(int(name)):
            return (match[int(name)] or "") if int(name) <= match.re.groups else ""
        return (match[name] or "") if name in match.re.groupindex else ""

    return _REFERENCE.sub(group, template)


def _upper(letter: str) -> str:
    """As Go maps letters: one to one, so that ß stays what it is."""
    upper = letter.upper()
    return upper if len(upper) == 1 else letter
