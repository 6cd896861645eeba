"""Numbers as people read them, in one place for tables, sentences and reports.

What was written (limits, bucket bounds in a sentence) is shown exactly; what was measured with three significant digits,
and with as many more as it takes not to round a number onto, or over, the limit that it misses.
"""

from __future__ import annotations

from math import floor, inf, isfinite, isnan, log10

from sloagent.evaluation.quantiles import SLACK
from sloagent.model.slo import SLO, LatencySLI, Limit
from sloagent.model.verdict import Outcome, Quantile, RangeVerdict, Share, Verdict

ABSENT = "—"
_MOST_DIGITS = 15
_SECONDS = ((86_400.0 * 2, 86_400.0, "d"), (7200.0, 3600.0, "h"), (120.0, 60.0, "min"), (1.0, 1.0, "s"),
            (1e-3, 1e-3, "ms"), (0.0, 1e-6, "µs"))  # fmt: skip
_BYTES = (*((1024.0**n, 1024.0**n, f"{'KMGTP'[n - 1]}iB") for n in range(5, 0, -1)), (0.0, 1.0, "B"))
_SCALES = {"seconds": _SECONDS, "bytes": _BYTES}
_FIRST = {"en": "(first bucket)", "zh": "（首个桶）"}
_LAST = {"en": "(last bucket)", "zh": "（最后一个桶）"}


def quantity(value: float, unit: str, *, against: float | None = None) -> str:
    """A measured number with its unit: `4.41 s`, `7.9 GiB`, `0.52 cores`, `97.8 %`, `1,204 goroutines`."""
    if unit == "ratio":
        return percent(value, against=against)
    for digits in range(3, _MOST_DIGITS + 1):
        number, scale, name = _scaled(value, unit, digits)
        if against is None or not isfinite(value) or _side(_read(number), against / scale) == _side(value, against):
            break
    return f"{number} {name}".rstrip()


def scale(value: float, unit: str) -> tuple[float, str]:
    """What a value of this size is counted in, and how many base units that is: (0.001, "ms") for 0.25 seconds."""
    if unit == "ratio":
        return 0.01, "%"
    _, factor, name = _scaled(value, unit, 3)
    return factor, name


def exactly(value: float, unit: str) -> str:
    """A written number with its unit, all its digits: `2.048 s`, `8 GiB`, `99.9 %`, `5 min`."""
    if unit == "ratio":
        return f"{_digits(value * 100, 12)} %"
    number, _, name = _scaled(value, unit, 12)
    return f"{number} {name}".rstrip()


def count(number: float, *, against: float | None = None) -> str:
    """A count of events, which is a real number: `103`, `1,204`, `3.2`."""
    return quantity(number, "", against=against)


def per_hour(slope: float, unit: str, *, against: float | None = None) -> str:
    """A growth, given per second: `20 MiB/h`."""
    limit = None if against is None else against * 3600
    if unit == "ratio":
        return f"{quantity(slope * 360_000, '%', against=None if limit is None else limit * 100)}/h"
    return f"{quantity(slope * 3600, unit, against=limit)}/h"


def percent(share: float, *, against: float | None = None) -> str:
    """A share as percent: one digit after the point, more where it takes them to stay off 0, 100 % and `against`."""
    if not isfinite(share):
        return _infinite(share)
    edges = [0.0, 1.0] if against is None else [0.0, 1.0, against]
    text = f"{share * 100:.1f}"
    for places in range(1, 13):
        text = f"{share * 100:.{places}f}"
        if all(abs(share - edge) <= SLACK or _side(float(text), edge * 100) == _side(share, edge) for edge in edges):
            break
    whole = text.rstrip("0").rstrip(".")
    return f"{'0' if whole == '-0' else whole} %"


def shares(share: Share, *, against: float | None = None) -> str:
    """A share, or the interval that it lies in: `97.8 %`, `97.1–97.8 %`."""
    low, high = percent(share.lower, against=against), percent(share.upper, against=against)
    return low if low == high else f"{low.removesuffix(' %')}–{high}"


def bucket(quantile: Quantile, unit: str = "seconds", lang: str = "en", *, lower_bound: bool = False) -> str:
    """The bucket that a percentile lies in: `1.02–2.05 s`, `≤ 5 ms (first bucket)`, `> 2.05 s (last bucket)`.

    That of a lower bound: `≥ 1.02–2.05 s`, `≥ 0–5 ms (first bucket)`.
    """
    if lower_bound and quantile.upper != inf:
        if quantile.lower in (0.0, -inf):
            return f"≥ {'0' if quantile.lower == 0.0 else '-∞'}–{quantity(quantile.upper, unit)} {_FIRST[lang]}"
        return f"≥ {span(quantity(quantile.lower, unit), quantity(quantile.upper, unit))}"
    if quantile.lower == quantile.upper:
        return exactly(quantile.value, unit)
    if quantile.upper == inf:
        return f"> {quantity(quantile.lower, unit)} {_LAST[lang]}"
    if quantile.lower in (0.0, -inf):
        return f"≤ {quantity(quantile.upper, unit)} {_FIRST[lang]}"
    return span(quantity(quantile.lower, unit), quantity(quantile.upper, unit))


def span(low: str, high: str) -> str:
    """From one worded quantity to another, a common unit said once: `25–50 ms`, `800 ms–1 s`."""
    low_number, _, low_unit = low.rpartition(" ")
    return f"{low_number}–{high}" if low_number and high.endswith(f" {low_unit}") else f"{low}–{high}"


def percentile(quantile: Quantile | None, unit: str = "seconds", lang: str = "en", *, lower_bound: bool = False) -> str:
    """A percentile with its bucket: `4.41 s (4–5 s)`. In the first and the last bucket only the bucket is known.

    A lower bound is marked: `≥ 4.41 s (4–5 s)`.
    """
    if quantile is None:
        return ABSENT
    if quantile.lower == quantile.upper:
        return exactly(quantile.value, unit)  # stated by somebody, not read from a histogram
    if quantile.upper == inf or quantile.lower in (0.0, -inf):
        return bucket(quantile, unit, lang, lower_bound=lower_bound)
    return f"{'≥ ' if lower_bound else ''}{quantity(quantile.value, unit)} ({bucket(quantile, unit, lang)})"


def promised_quantile(slo: SLO, verdict: Verdict) -> Quantile | None:
    """The percentile of a latency verdict that its objective names; P99 without objective; None where there is none."""
    return dict(zip(slo.quantiles, verdict.quantiles, strict=False)).get(slo.main_percentile)


def value(slo: SLO, verdict: Verdict, lang: str = "en") -> str:
    """What a verdict measured, as the VALUE column shows it; `—` where it measured nothing."""
    if isinstance(slo.sli, LatencySLI):
        quantile = promised_quantile(slo, verdict)
        return percentile(quantile, slo.unit, lang, lower_bound=bool(verdict.lower_bound))
    if verdict.value is None or verdict.outcome in (Outcome.ERROR, Outcome.NO_DATA):
        return ABSENT
    return quantity(verdict.value, slo.unit, against=_border(verdict.limit))


def objective(slo: SLO, limit: Limit | None = None) -> str:
    """What is promised, as the OBJECTIVE column shows it: `P99 ≤ 1 s`, `≥ 99.9 %`, `≤ 8 GiB, ≤ +20 MiB/h`, `TBD`."""
    if slo.objective is None:
        return "TBD"
    limit = limit or slo.objective.limit
    head = f"P{slo.objective.percentile:g} " if slo.objective.percentile is not None else ""
    parts = []
    if limit.at_most is not None:
        parts.append(f"{head}≤ {exactly(limit.at_most, slo.unit)}")
    if limit.at_least is not None:
        parts.append(f"{head}≥ {exactly(limit.at_least, slo.unit)}")
    if slo.objective.grows_at_most is not None:
        parts.append(f"≤ +{per_hour(slo.objective.grows_at_most, slo.unit)}")
    return ", ".join(parts)


def good_windows(series: RangeVerdict) -> str:
    """The GOOD WINDOWS column: `0 of 4`; `—` where no window was judged."""
    return f"{series.windows.good} of {series.windows.judged}" if series.good_windows else ABSENT


def _border(limit: Limit | None) -> float | None:
    if limit is None:
        return None
    return limit.at_most if limit.at_most is not None else limit.at_least


def _scaled(value: float, unit: str, digits: int) -> tuple[str, float, str]:
    """(number as text, scale, name): the largest unit of which there is at least one, after rounding."""
    base, slash, per = unit.partition("/")
    if not isfinite(value):
        return _infinite(value), 1.0, f"s{slash}{per}" if base == "seconds" else unit
    if (table := _SCALES.get(base)) is None:
        text = _digits(value, digits)
        return text, 1.0, f"{'core' if base == 'cores' and text == '1' else base}{slash}{per}"
    if value == 0:
        return "0", 1.0, f"{'s' if base == 'seconds' else 'B'}{slash}{per}"
    for least, scale, name in table:
        text = _digits(value / scale, digits)
        if abs(_read(text)) * scale >= least * (1 - 1e-12):
            return text, scale, f"{name}{slash}{per}"
    raise AssertionError("the last row of each table takes everything")


def _read(text: str) -> float:
    return float(text.replace(",", ""))


def _digits(number: float, digits: int) -> str:
    """A decimal without exponent, with so many significant digits and at least all those before the point."""
    size = abs(number)
    if size and not 1e-9 <= size < 1e15:
        return f"{number:.{digits}g}"
    places = max(0, digits - 1 - floor(log10(size))) if size else 0
    text = f"{number:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _side(number: float, edge: float) -> int:
    return (number > edge) - (number < edge)


def _infinite(number: float) -> str:
    return "NaN" if isnan(number) else "+∞" if number > 0 else "-∞"
