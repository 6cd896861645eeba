"""The facts about the test bed of a run: written by people, collected from Prometheus, and kept once the run is over."""

from __future__ import annotations

import time
from dataclasses import dataclass

import msgspec

from sloagent.app.wiring import Agent
from sloagent.config.load import load_facts
from sloagent.model.facts import Facts, Written
from sloagent.model.run import Run
from sloagent.model.timerange import TimeRange

KIND = "facts"
"""Of the store's documents."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Facts as they lie in the store, with what they are facts of."""

    source: str
    start: float
    end: float
    facts: Facts


def facts_of(agent: Agent, run: Run, span: TimeRange) -> Facts:
    """What is known of the test bed over the span of the run.

    Collected facts of a run that is over, and whose last scrapes have arrived, are kept if nothing was refused, so that
    later reports say the same without Prometheus. The facts file speaks of the newest run: one with a later run beside
    it keeps the written facts that were kept with it. Raises ConfigError, StoreError.
    """
    start, end = span.start.timestamp(), span.end.timestamp()
    kept = _kept(agent, run.name) if run.name else None
    if kept is not None and (kept.source, kept.start, kept.end) == (agent.source.name, start, end):
        collected = kept.facts.collected
    else:
        collected = agent.source.collect(start, end)
    facts = Facts(collected, _written(agent, run, kept))
    now = Kept(agent.source.name, start, end, facts)
    is_over = run.end is not None and time.time() >= end + agent.settings.evaluation.delay
    if run.name and is_over and not collected.refusals and now != kept:
        agent.store.save_document(KIND, run.name, msgspec.json.encode(now))
    return facts


def _kept(agent: Agent, name: str) -> Kept | None:
    content = agent.store.document(KIND, name)
    try:
        return None if content is None else msgspec.json.decode(content, type=Kept)
    except msgspec.DecodeError:  # of another version of sloagent: what was collected can be asked for again
        return None


def _written(agent: Agent, run: Run, kept: Kept | None) -> Written:
    if kept is not None and any(other.start > run.start for other in agent.store.runs()):
        return kept.facts.written
    if agent.settings.facts is not None:
        return load_facts(agent.configuration.parent / agent.settings.facts)
    return kept.facts.written if kept is not None else Written()
