"""Refusals for good as log lines: a slot that is recorded as an error, because asking again would not help, is said."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from sloagent.model.slo import SLO
from sloagent.model.timerange import at
from sloagent.model.verdict import Cause, SlotVerdict

log = logging.getLogger("sloagent")


class LogSink:
    """One line when an SLO begins to be refused, or is for another reason, and one when it is answered again."""

    def __init__(self) -> None:
        self._refused: dict[tuple[str, str], str] = {}
        """By set and SLO, the kind of refusal that was said last."""
        self._lock = threading.Lock()

    def tell(self, slots: Sequence[SlotVerdict]) -> None:
        """Say what has changed, SLO by SLO; pending slots are said where they are asked for."""
        with self._lock:
            by_slo: dict[SLO, list[SlotVerdict]] = {}
            for slot in slots:
                if not slot.pending:
                    by_slo.setdefault(slot.slo, []).append(slot)
            for slo, judged in by_slo.items():
                self._tell(slo, sorted(judged, key=lambda slot: slot.slot))

    def _tell(self, slo: SLO, judged: Sequence[SlotVerdict]) -> None:
        key = (slo.set, slo.name)
        kinds: dict[str, list[SlotVerdict]] = {}
        for slot in judged:
            if slot.cause is Cause.REFUSED:
                kinds.setdefault(slot.kind, []).append(slot)
        for kind, refused in kinds.items():
            if self._refused.get(key) != kind:
                log.warning("%s/%s is an error %s: %s", *key, _when(refused), refused[-1].detail)
                self._refused[key] = kind
        if judged[-1].cause is not Cause.REFUSED and self._refused.pop(key, ""):
            log.info("%s/%s is answered again, at %s", *key, _clock(judged[-1].slot))


def _when(refused: Sequence[SlotVerdict]) -> str:
    if len(refused) == 1:
        return f"at {_clock(refused[0].slot)}"
    return f"at {len(refused)} slots from {_clock(refused[0].slot)} to {_clock(refused[-1].slot)}"


def _clock(slot: int) -> str:
    return f"{at(slot):%Y-%m-%d %H:%M:%S} UTC"
