"""By which rules an SLO is watched that says nothing of it: plain data, in one place."""

from __future__ import annotations

from sloagent.model.alert import Alerts, Burning, BurnPair, Regressing, Repeated, Severity
from sloagent.model.comparison import Terms

MINUTE, HOUR, DAY = 60, 3_600, 86_400

PERIOD_SECONDS = 30 * DAY
"""Over which an error budget is reckoned where nothing else is said, and for which `BURN_PAIRS` are made."""

BURN_PAIRS = (
    BurnPair(14.4, HOUR, 5 * MINUTE, Severity.PAGE),
    BurnPair(6.0, 6 * HOUR, 30 * MINUTE, Severity.PAGE),
    BurnPair(3.0, DAY, 2 * HOUR, Severity.TICKET),
    BurnPair(1.0, 3 * DAY, 6 * HOUR, Severity.TICKET),
)
"""Google's SRE Workbook, "Alerting on SLOs", multiwindow and multi-burn-rate, with the pair of a day as Sloth has it."""

STANDARD_ALERTS = Alerts(
    violated=Repeated(after=3, severity=Severity.TICKET, over_after=3),
    burn_rate=Burning(BURN_PAIRS),
    regression=Regressing(window=30 * MINUTE, terms=Terms(), severity=Severity.TICKET),
    leak=Severity.TICKET,
    no_data=Repeated(after=10, severity=Severity.TICKET),
    cannot_evaluate=Repeated(after=10, severity=Severity.INFO),
)
