"""What exported rules record of an SLI, and how it is read: each time the answer to the SLI's own question, whole.

What a rule records is what the question gives, so what is read of it is judged as if it had been asked. `sloagent_sli`
holds a hash of what is measured: what an older export has recorded of another question is never read for this one.
"""

from __future__ import annotations

import hashlib
import json

from sloagent.errors import SourceError
from sloagent.model.samples import Kind
from sloagent.model.slo import SLO, Evaluate, LatencySLI, RatioSLI, ValueSLI
from sloagent.model.timerange import at
from sloagent.sources import promql

LABELS = SET, NAME, SLI, HISTOGRAM = "sloagent_set", "sloagent_slo", "sloagent_sli", "sloagent_histogram"
"""The labels by which it is found. No SLI has any of them, so that its own labels stay what they are."""
MARK, EVALUATED = "sloagent_rule", "evaluated"
"""The label of the one series beside an answer that says that its rule was evaluated."""


def questions(slo: SLO) -> tuple[tuple[str, str], ...]:
    """The queries of an SLO at a slot, in the order to ask, each with the histogram's name or ""."""
    asked = promql.questions(slo.sli, promql.duration(slo.window))
    if slo.evaluate is Evaluate.RAW:
        return asked
    return tuple((_answer(slo, histogram), histogram) for _, histogram in asked)


def metric(slo: SLO) -> str:
    """The metric that holds an SLO's answers: the rates of buckets, of a ratio's two sides, or values."""
    match slo.sli:
        case LatencySLI():
            return f"sloagent:sli_bucket:sum_rate{promql.duration(slo.window)}"
        case RatioSLI():
            return f"sloagent:sli_side:rate{promql.duration(slo.window)}"
        case ValueSLI():
            return "sloagent:sli_value:last"


def labels(slo: SLO, histogram: str) -> tuple[tuple[str, str], ...]:
    """The labels that a rule adds to an answer."""
    found = ((SET, slo.set), (NAME, slo.name), (SLI, _identity(slo)))
    return (*found, (HISTOGRAM, histogram)) if histogram else found


def evaluated(slo: SLO) -> str:
    """A query that gives a series where every rule of an SLO was evaluated in the last interval, whatever it found.

    Without it an empty answer says nothing: perhaps there was nothing to record, perhaps nobody did.
    """
    asked = promql.questions(slo.sli, promql.duration(slo.window))
    return " and on () ".join(f"group({_newest(slo, histogram, EVALUATED)})" for _, histogram in asked)


def not_recorded(slo: SLO, slot: int) -> SourceError:
    """That no rule was evaluated in the interval before a slot. It may be late: the slot is asked for again."""
    when = f"{at(slot - slo.interval):%Y-%m-%d %H:%M:%S} and {at(slot):%H:%M:%S} UTC"
    return SourceError(
        f"no rule recorded it between {when}: the ruler does not run or is late, or has other rules than "
        "`sloagent rules export` writes of this SLO now",
        kind=Kind.NOT_RECORDED, retryable=True,
    )  # fmt: skip


def marked(expression: str) -> str:
    """The expression of a rule, with a series beside its answer that says that it was evaluated."""
    return f'{expression}\nor\nlabel_replace(vector(1), "{MARK}", "{EVALUATED}", "", "")'


def _answer(slo: SLO, histogram: str) -> str:
    """Each group holds one series, so that `max` only takes the labels away that the rule added."""
    return f"max without ({', '.join(LABELS)}) ({_newest(slo, histogram, '')})"


def _newest(slo: SLO, histogram: str, mark: str) -> str:
    """What the newest evaluation gave, if it is no older than an interval: a ruler that died says nothing."""
    chosen = ", ".join(f'{name}="{value}"' for name, value in (*labels(slo, histogram), (MARK, mark)))
    return f"last_over_time({metric(slo)}{{{chosen}}}[{promql.duration(slo.interval)}])"


def _identity(slo: SLO) -> str:
    """A hash of what is asked: another SLI or window has another. 16 hex characters of SHA-256 over canonical JSON."""
    content = slo.content()
    text = json.dumps([content["kind"], content["sli"], slo.window], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
