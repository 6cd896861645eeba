"""SLO sets as OpenSLO documents: what can be said, what is refused, and the text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sloagent.app.rules_export import Export
from sloagent.config.openslo import writing
from sloagent.model.slo import SLO, Text
from sloagent.sources.rules.rule import Compiled, Refused


def export(slos: Iterable[SLO]) -> Export:
    """The SLOs that OpenSLO can say, each without rules, and those that it cannot."""
    compiled, refused = [], []
    for slo in slos:
        reason = writing.refusal(slo)
        if reason:
            refused.append(Refused(slo, reason))
        else:
            compiled.append(Compiled(slo, (), writing.said(slo).left_out))
    return Export(tuple(compiled), tuple(refused))


def documents(made: Export, titles: Mapping[str, Text]) -> list[dict[str, object]]:
    """The documents of the sets, each a service with its SLOs; `titles` are those of the sets."""
    found: list[dict[str, object]] = []
    for name in dict.fromkeys(one.slo.set for one in made.compiled):
        found.append(writing.service(name, titles[name]))
        found += [writing.said(one.slo).document for one in made.compiled if one.slo.set == name]
    return found
