"""What the recording says of itself: phases, arrivals and registrations, in seconds since its first line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

PATH = Path(__file__).resolve().parent.parent / "data" / "watch" / "truth.json"


class Phase(NamedTuple):
    """A stretch of the recording."""

    name: str
    start: float
    end: float
    what: str


class Arrival(NamedTuple):
    """A Deployment (`uid` is the template's) in a member. `kind` is `initial`, or `again` when it came there once more.

    `create_done` and `member_seen` are the ground truth's, `template` and `first_arrival` the times of ADDED events.
    """

    namespace: str
    name: str
    uid: str
    member: str
    kind: str
    phase: str
    create_done: float
    template: float
    member_seen: float
    first_arrival: float


class Registration(NamedTuple):
    """A cluster's object, until it was Ready."""

    cluster: str
    mode: str
    phase: str
    object: float
    ready: float


class Unregistration(NamedTuple):
    """A cluster's deletion, until it was gone."""

    cluster: str
    mode: str
    deletion: float
    gone: float


class Truth(NamedTuple):
    """All of it."""

    phases: list[Phase]
    distribution: list[Arrival]
    registration: list[Registration]
    unregistration: list[Unregistration]


def recorded_truth(path: Path = PATH) -> Truth:
    """Read truth.json."""
    read = json.loads(path.read_text())
    fields, *rows = read["distribution"]
    return Truth(
        [Phase(**phase) for phase in read["phases"]],
        [Arrival(**dict(zip(fields, row, strict=True))) for row in rows],
        [Registration(**one) for one in read["registration"]],
        [Unregistration(**one) for one in read["unregistration"]],
    )
