"""What exported rules go by where an SLO says nothing of it: plain data, in one place."""

from __future__ import annotations

from dataclasses import dataclass

MINUTE, HOUR, DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class BurnPair:
    """A burn rate that is told where it is exceeded over both windows. Seconds."""

    factor: float
    long: int
    short: int
    severity: str


@dataclass(frozen=True, slots=True)
class Terms:
    """When alerts fire, how severe they are, and over how many days a budget is reckoned."""

    violated_after: int = 3
    """So many evaluations in a row must fail; as many must not before the alert ends."""
    no_data_after: int = 10
    """So many evaluations in a row must find nothing, or nothing that decides."""
    violated_severity: str = "ticket"
    no_data_severity: str = "ticket"
    undecided_severity: str = "info"
    burn: tuple[BurnPair, ...] = (
        BurnPair(14.4, HOUR, 5 * MINUTE, "page"),
        BurnPair(6.0, 6 * HOUR, 30 * MINUTE, "page"),
        BurnPair(3.0, DAY, 2 * HOUR, "ticket"),
        BurnPair(1.0, 3 * DAY, 6 * HOUR, "ticket"),
    )
    """Google's SRE Workbook, "Alerting on SLOs", multiwindow and multi-burn-rate, with the pair of a day as Sloth has it."""
    period_days: int = 30
    runbook: str = ""


STANDARD = Terms()
