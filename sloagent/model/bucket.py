"""How the bound of a histogram's bucket is written in the label `le`."""

from __future__ import annotations

import json
from decimal import Decimal


def spellings(bound: float) -> tuple[str, ...]:
    """How a bucket bound may be written in the label `le`.

    Plain, and with `.0`: Go's client writes `1`, with OpenMetrics `1.0`, as do Python, Java and, whatever it scraped,
    Prometheus 3. With an exponent where Go (from 1e+06, below 0.0001), Python and Rust or Java (from 1.0E7, below 0.001)
    do it.
    """
    plain = format(Decimal(repr(bound)), "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    found = [plain] if "." in plain else [plain, f"{plain}.0"]
    mantissa, _, exponent = f"{Decimal(repr(bound)).normalize():e}".partition("e")
    power = int(exponent or 0)
    if not -3 <= power < 6:
        sign = "-" if power < 0 else "+"
        fraction = mantissa if "." in mantissa else f"{mantissa}.0"
        found += [f"{mantissa}e{sign}{abs(power):02d}", f"{mantissa}e{power}", f"{fraction}E{power}"]
    return tuple(dict.fromkeys(found))


def bound_matcher(bound: float) -> str:
    """The PromQL matcher of the bucket with this bound, in each of its spellings."""
    escaped = (spelling.replace(".", "\\.").replace("+", "\\+") for spelling in spellings(bound))
    return f"le=~{json.dumps('|'.join(escaped))}"
