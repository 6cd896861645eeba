"""How long a cluster takes from its object's creation to Ready, and from its deletion to its end. Pure but for `tally`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sloagent.probes.objects import Cluster
from sloagent.probes.seen import Change, Doubt, Seen


class RegistrationTally(Protocol):
    """Who counts."""

    def registered(self, mode: str, seconds: float) -> None:
        """From the object's appearance to Ready."""

    def unregistered(self, mode: str, seconds: float) -> None:
        """From the deletion to the object's end."""

    def untimed(self, what: str, reason: str) -> None:
        """A `registration` or `unregistration` of which not both ends were seen, and why."""

    def members(self, registering: int, ready: int, leaving: int) -> None:
        """How many clusters are in which state now."""


@dataclass(slots=True)
class _Member:
    mode: str
    ready: bool
    came_at: float
    came_in_doubt: Doubt
    leaves_at: float | None = None
    leaves_in_doubt: Doubt = Doubt.NONE


class Registrations:
    """Takes what a watch of Cluster objects shows; a cluster that comes back under its old name is another one."""

    def __init__(self, tally: RegistrationTally) -> None:
        self._tally = tally
        self._members: dict[str, _Member] = {}

    def cluster(self, seen: Seen[Cluster]) -> None:
        """A Cluster object came, changed or went."""
        if seen.change is Change.DELETED:
            self._went(seen)
        elif seen.object is not None:
            self._is(seen, seen.object)
        leaving = sum(member.leaves_at is not None for member in self._members.values())
        ready = sum(member.ready and member.leaves_at is None for member in self._members.values())
        self._tally.members(len(self._members) - leaving - ready, ready, leaving)

    def _is(self, seen: Seen[Cluster], cluster: Cluster) -> None:
        member = self._members.get(seen.uid)
        if member is None:
            ready = cluster.ready and seen.doubt is Doubt.EXISTED  # it was before; there is nothing to time
            member = self._members[seen.uid] = _Member(cluster.spec.sync_mode, ready, seen.at, seen.doubt)
        if not member.ready and cluster.ready:
            member.ready = True
            if doubt := member.came_in_doubt or seen.doubt:
                self._tally.untimed("registration", doubt)
            else:
                self._tally.registered(member.mode, seen.at - member.came_at)
        if cluster.metadata.deletion_timestamp and member.leaves_at is None:
            member.leaves_at, member.leaves_in_doubt = seen.at, seen.doubt

    def _went(self, seen: Seen[Cluster]) -> None:
        member = self._members.pop(seen.uid, None)
        if member is None:
            return
        if not member.ready:
            self._tally.untimed("registration", "left")
        if member.leaves_at is None:  # it had no finalizer, or its deletion was not shown
            self._tally.untimed("unregistration", "deletion_unseen")
        elif doubt := member.leaves_in_doubt or seen.doubt:
            self._tally.untimed("unregistration", doubt)
        else:
            self._tally.unregistered(member.mode, seen.at - member.leaves_at)
