"""The recording rules of an SLO with `evaluate: recorded`: the answers to its own question, as sloagent reads them."""

from __future__ import annotations

from collections.abc import Iterator

from sloagent.model.slo import SLO, Evaluate, LatencySLI, ValueSLI
from sloagent.sources import promql, recorded
from sloagent.sources.rules.latency import histograms
from sloagent.sources.rules.numbers import is_scalar
from sloagent.sources.rules.rule import Record
from sloagent.sources.rules.text import enclosed


def answers(slo: SLO) -> Iterator[Record]:
    """A rule for each question; none where the metrics themselves are read.

    Of several histograms the ruler itself takes the first that answers. Were each recorded by itself, a rule that fails
    would let the next one speak in its place.
    """
    if slo.evaluate is Evaluate.RAW:
        return
    before = ""
    present = [one.present(slo.window) for one in histograms(slo.sli)] if isinstance(slo.sli, LatencySLI) else [""]
    asked = promql.questions(slo.sli, promql.duration(slo.window))
    for (query, histogram), answering in zip(asked, present, strict=True):
        series = f"vector({query})" if isinstance(slo.sli, ValueSLI) and is_scalar(query) else query
        expression = recorded.marked(f"{enclosed(series)}{before}")
        yield Record(recorded.metric(slo), expression, recorded.labels(slo, histogram))
        before += f"\nunless on () {answering}"
