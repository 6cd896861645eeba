"""A report in which every text that comes from outside is hostile: labels, names, notes, facts, a peer's words."""

from __future__ import annotations

import dataclasses

from sloagent.evaluation.judge import judge
from sloagent.model.distribution import Distribution
from sloagent.model.facts import Attachment, Collected, Component, Facts, Machine, Quantity, Tool, Written
from sloagent.model.record import Part, Peer, RunRecord, SLORecord, Stated
from sloagent.model.run import Exclusion, Phase, Run
from sloagent.model.samples import Kind, Refusal
from sloagent.model.slo import SLO, Labels, SLOSet, Text
from sloagent.model.tally import Tally
from sloagent.model.timerange import TimeRange
from sloagent.report.content import Report, content
from sloagent.report.definition import Definition
from tests.unit.report.sample import (
    BOUNDS,
    FSYNC,
    HOSTILE,
    MEMORY,
    REGISTRATION,
    SEARCH,
    START,
    WHOLE,
    definition,
    minute,
    question,
    slo_record,
    slot_at,
    slot_verdict,
)

BAD = HOSTILE["closing"] + HOSTILE["direction"] + HOSTILE["bar"]
WORSE = HOSTILE["closing"] + HOSTILE["backtick"] + HOSTILE["bar"] + HOSTILE["newline"]


def hostile_report() -> Report:
    """The report of such a run, beside such a baseline, with groups and records."""
    return content(hostile_record(), hostile_definition(), hostile_record(slower=1.5))


def hostile_record(slower: float = 1.0) -> RunRecord:
    """The run."""
    labels = [((("component", text),)) for text in HOSTILE.values()]
    slots = [slot_verdict(MEMORY, slot_at(i), dict.fromkeys(labels, 2.0**33 * 1.5)) for i in range(1, 29)]
    told = dataclasses.replace(slots[0], warnings=tuple(HOSTILE.values()))
    refused = judge(SEARCH, slot_at(1), Refusal(question(SEARCH), Kind.BAD_DATA, "".join(HOSTILE.values()), final=True))
    run = Run(
        BAD, START, minute(28), (("note", BAD),), (Phase(BAD, WHOLE, BAD),), (Exclusion(TimeRange(START, START), BAD),)
    )
    records = [
        dataclasses.replace(slo_record(MEMORY, [told, *slots[1:]]), trouble=WORSE, means=dict.fromkeys(labels, (1.0,))),
        slo_record(SEARCH, [refused]),
        counted(dataclasses.replace(FSYNC, note=Text(WORSE, WORSE), title=Text(BAD)), slower),
        stated(REGISTRATION),
    ]
    return RunRecord(
        run, WHOLE, (SLOSet("hostile", Text(BAD), (MEMORY, SEARCH, FSYNC, REGISTRATION)),),
        tuple(dataclasses.replace(one, phases=one.phases[:1]) for one in records),
        Peer(BAD, "http://127.0.0.1:9090", BAD), hostile_facts(), configuration=WORSE, version=BAD,
    )  # fmt: skip


def counted(slo: SLO, slower: float) -> SLORecord:
    """Every hostile text as a label of both groups, with a thousand events each."""
    events = Distribution(BOUNDS, tuple(min(1000.0, 1000.0 * bound / slower) for bound in BOUNDS))
    series = {labels: events for group in ("control", "test") for labels in _of_group(group)}
    return SLORecord(slo, Part(0, 0, Tally(), series))


def stated(slo: SLO) -> SLORecord:
    """Numbers that somebody wrote down for each hostile text."""
    numbers = {labels: Stated({50.0: 0.1, 90.0: 0.2, 99.0: 0.3}, mean=0.1) for labels in _of_group("control")}
    return SLORecord(slo, Part(0, 0, Tally(), None), stated=numbers | dict.fromkeys(_of_group("test"), Stated()))


def _of_group(group: str) -> list[Labels]:
    return [(("group", group), ("name", text)) for text in HOSTILE.values()]


def hostile_definition() -> Definition:
    """The shipped definition with hostile words, and with what it does not show: groups and records."""
    written = definition().model_dump()
    for section in written["sections"]:
        section["title"] = {"en": BAD, "zh": BAD}
    written["title"] = {"en": BAD, "zh": BAD}
    more = [{"prose": {"en": WORSE, "zh": WORSE}}, {"show": "groups"}, {"show": "records"}]
    written["sections"].append({"name": "more", "title": {"en": BAD, "zh": BAD}, "blocks": more})
    written["groups"] = {
        name: {"title": {"en": BAD, "zh": BAD}, "labels": {"group": name}} for name in ("control", "test")
    }
    return Definition.model_validate(written)


def hostile_facts() -> Facts:
    """Facts in which every text is hostile."""
    text = Text(WORSE, WORSE)
    noon = START.timestamp() + 360
    return Facts(
        Collected(
            components=(
                Component(WORSE, WORSE, (WORSE,), WORSE, WORSE, 1, 0.5, (noon,), ((int(noon), int(noon) + 60),), 2),
            ),
            machines=(Machine(WORSE, 2.0, 1e9, WORSE),), kubernetes=((WORSE, WORSE),), refusals=((WORSE, WORSE),),
        ),
        Written(
            software=((WORSE, WORSE),), hardware=((WORSE, BAD), (BAD, WORSE)), topology=text,
            scale=(
                Quantity(BAD, 1.0, text), Quantity("nodes", 2.0), Quantity(f"{BAD}_per_node", 3.0), Quantity(BAD, 7.0),
            ),
            flags={WORSE: ((WORSE, WORSE),)}, tools=(Tool(WORSE, text),), load=(Attachment(WORSE, WORSE),),
            background=text, conclusion=text,
        ),
    )  # fmt: skip
