"""The arithmetic of distribution: what watches showed becomes latencies, losses and counts. No input or output, no clock.

A template that comes while everything is watched is expected in each cluster of its first placement. Each expectation
ends in exactly one way: timed, lost with a reason, or it is still pending. What else arrives in a member is told apart:
moved there by a later placement, made again after it was deleted, there before the probe began.
"""

from __future__ import annotations

from collections.abc import Callable

from sloagent.probes.karmada.underway import Early, Underway
from sloagent.probes.karmada.words import Lost, Other, Stage, Tally
from sloagent.probes.objects import Bare, Binding
from sloagent.probes.seen import Change, Doubt, Seen

TEMPLATE_UID = "resourcetemplate.karmada.io/uid"
BINDING_ID = "resourcebinding.karmada.io/permanent-id"
WORK_NAMESPACE = "karmada-es-"
HELD_SECONDS = 600.0
"""For so long after its time a template without a placement is kept while placements are not watched."""
EARLY_SECONDS = 60.0
"""For so long what is seen of a template waits for the template to be shown."""
ORDER_SECONDS = 0.02
"""What follows from a template cannot come before it: by more than this, and the template was shown late."""


class Ledger:
    """Takes what watches show, in the order of showing; tells `tally`. `timeout` is in seconds."""

    def __init__(
        self, tally: Tally, *, timeout: float, watched: Callable[[str], bool], placements_watched: Callable[[], bool]
    ) -> None:
        """`watched` says whether a member is watched without a gap at this moment, the other whether bindings are."""
        self._tally = tally
        self._timeout = timeout
        self._watched = watched
        self._placements_watched = placements_watched
        self._templates: dict[str, Underway] = {}
        self._open: dict[str, Underway] = {}
        self._existed: dict[str, int] = {}
        self._gone: dict[str, float] = {}
        self._early: dict[str, Early] = {}
        self._bindings: dict[str, tuple[str, str]] = {}
        """Template and permanent id of each binding, by its uid; only of templates that came while the probe watched."""
        self._by_binding_id: dict[str, str] = {}
        self._modes: dict[str, str] = {}

    def template(self, seen: Seen[Bare]) -> None:
        """A template came, changed or went."""
        if seen.change is Change.DELETED:
            self._template_went(seen)
        elif seen.uid in self._templates or seen.uid in self._existed:
            assert seen.object is not None
            self._template_changed(seen.uid, seen.object.metadata.generation)
        elif seen.object is not None:
            self._template_came(seen, seen.object.metadata.generation)

    def binding(self, seen: Seen[Binding]) -> None:
        """A binding came, changed or went."""
        if seen.object is None or seen.change is Change.DELETED:
            _, known_as = self._bindings.pop(seen.uid, ("", ""))
            self._by_binding_id.pop(known_as, None)
            return
        uid = seen.object.spec.resource.uid
        template = self._templates.get(uid)
        if template is None:
            if (early := self._early_of(uid, seen)) is not None:
                early.bindings.append(seen)
            return
        if seen.uid not in self._bindings:
            known_as = seen.object.metadata.labels.get(BINDING_ID, "")
            self._bindings[seen.uid] = (uid, known_as)
            self._by_binding_id[known_as] = uid
        if seen.doubt in (Doubt.GAP, Doubt.EXISTED):
            template.unsure = True
        if template.binding_at is None:
            template.binding_at = seen.at
            self._stage(Stage.BINDING, template.at, seen.at, template.doubt or seen.doubt)
        placement = frozenset(one.name for one in seen.object.spec.clusters or ())
        if template.placement is not None:
            for member in sorted(template.waiting - placement):
                self._lose(uid, template, member, Lost.UNSCHEDULED)
        elif placement:
            self._placed(uid, template, placement, seen)

    def work(self, seen: Seen[Bare]) -> None:
        """A work came; what else happens to works does not matter here."""
        if seen.change is not Change.ADDED or seen.object is None or seen.doubt is Doubt.EXISTED:
            return
        metadata = seen.object.metadata
        template = self._templates.get(self._by_binding_id.get(metadata.labels.get(BINDING_ID, ""), ""))
        member = metadata.namespace.removeprefix(WORK_NAMESPACE)
        if template is None or member == metadata.namespace or member in template.works or not template.open:
            return
        if not seen.doubt:
            template.works[member] = seen.at
        if template.scheduled_at is not None:
            self._stage(Stage.WORK, template.scheduled_at, seen.at, seen.doubt)

    def member(self, name: str, seen: Seen[Bare]) -> None:
        """An object came, changed or went in a member."""
        if seen.object is None or seen.change is Change.DELETED:
            return
        uid = seen.object.metadata.annotations.get(TEMPLATE_UID)
        if uid is None:  # no object of Karmada's
            return
        template = self._templates.get(uid)
        came = seen.change is Change.ADDED
        if template is None:
            self._without_template(uid, name, seen)
        elif name in template.arrived:
            if came and seen.doubt is not Doubt.EXISTED:
                self._tally.other(name, Other.RECREATED)
        else:
            template.arrived[name] = (seen.at, seen.doubt)
            if template.placement is not None:
                self._arrived(uid, template, name)

    def joined(self, member: str, mode: str) -> None:
        """A cluster is a member now, in mode `Push` or `Pull`."""
        self._modes[member] = mode

    def left(self, member: str) -> None:
        """A cluster is leaving or gone: what is on its way there is not awaited any more."""
        for uid, template in list(self._open.items()):
            if member in template.waiting:
                self._lose(uid, template, member, Lost.LEFT)

    def look_at_clock(self, now: float) -> None:
        """Give up what has not come in time."""
        for uid, template in list(self._open.items()):  # oldest first
            if now - template.at < self._timeout:
                break
            if template.placement is not None or self._placements_watched():
                self._give_up(uid, template)
            elif now - template.at >= self._timeout + HELD_SECONDS:  # until then its binding may be listed yet
                self._give_up_unwatched(uid, template)
        for uid, early in list(self._early.items()):
            if now - early.since < EARLY_SECONDS:
                break
            del self._early[uid]
            for member in early.arrived:
                self._tally.other(member, Other.UNKNOWN)
        for uid, since in list(self._gone.items()):
            if now - since < self._timeout:
                break
            del self._gone[uid]

    @property
    def unplaced(self) -> int:
        """How many templates have no placement yet."""
        return sum(template.placement is None for template in self._open.values())

    def _template_came(self, seen: Seen[Bare], generation: int) -> None:
        early = self._early.pop(seen.uid, None)
        if seen.doubt is Doubt.EXISTED:
            self._existed[seen.uid] = generation
            return
        template = Underway(seen.at, seen.doubt, generation)
        self._templates[seen.uid] = self._open[seen.uid] = template
        if early is not None:
            if not template.doubt and early.since < seen.at - ORDER_SECONDS:
                template.doubt = Doubt.LATE
            template.arrived.update(early.arrived)
            for binding in early.bindings:
                self.binding(binding)

    def _template_went(self, seen: Seen[Bare]) -> None:
        self._existed.pop(seen.uid, None)
        template = self._templates.pop(seen.uid, None)
        self._gone[seen.uid] = seen.at
        if template is None:
            return
        if template.open:
            self._tally.template("withdrawn")
        for member in sorted(template.waiting):
            self._lose(seen.uid, template, member, Lost.WITHDRAWN)
        self._open.pop(seen.uid, None)

    def _template_changed(self, uid: str, generation: int) -> None:
        template = self._templates.get(uid)
        before = template.generation if template else self._existed[uid]
        if generation != before:
            self._tally.template("updated")
            if template:
                template.generation = generation
            else:
                self._existed[uid] = generation

    def _placed(self, uid: str, template: Underway, placement: frozenset[str], seen: Seen[Binding]) -> None:
        template.scheduled_at = seen.at
        self._tally.template("placed")
        assert template.binding_at is not None
        self._stage(Stage.SCHEDULED, template.binding_at, seen.at, seen.doubt)
        self._expect(template, placement)
        for member in list(template.arrived):
            self._arrived(uid, template, member)
        if not template.open:
            self._open.pop(uid, None)

    def _expect(self, template: Underway, placement: frozenset[str]) -> None:
        template.placement = placement
        for member in sorted(placement):
            template.waiting.add(member)
            self._tally.expected(member)
            self._tally.pending(member, +1)

    def _arrived(self, uid: str, template: Underway, member: str) -> None:
        """An arrival after the placement is known: at once, or when it becomes known."""
        at, doubt = template.arrived[member]
        if member not in template.waiting:
            if member in template.given_up or not template.placement:
                self._tally.other(member, Other.AFTER_TIMEOUT)
            elif member not in template.placement and doubt is not Doubt.EXISTED:
                self._tally.other(member, Other.MOVED)
            return
        reason = template.untimed(at, doubt)
        if reason:
            self._lose(uid, template, member, reason)
            return
        work = template.works.get(member)
        self._settle(uid, template, member)
        self._tally.timed(uid, member, self._modes.get(member, ""), at - template.at)
        if work is None:  # not shown, or when it came is in doubt
            self._tally.stage_untimed(Stage.MEMBER)
        else:
            self._stage(Stage.MEMBER, work, at, Doubt.NONE)

    def _without_template(self, uid: str, name: str, seen: Seen[Bare]) -> None:
        if uid in self._existed:
            if seen.change is Change.ADDED and seen.doubt is not Doubt.EXISTED:
                self._tally.other(name, Other.EXISTED)
        elif seen.change is Change.ADDED and (early := self._early_of(uid, seen)) is not None:
            early.arrived.setdefault(name, (seen.at, seen.doubt))

    def _early_of(self, uid: str, seen: Seen[Bare] | Seen[Binding]) -> Early | None:
        """Where to keep what is seen of a template that may still be shown; None where it will not be."""
        if seen.doubt is Doubt.EXISTED or uid in self._existed or uid in self._gone:
            return None
        return self._early.setdefault(uid, Early(seen.at))

    def _give_up(self, uid: str, template: Underway) -> None:
        if template.placement is None:
            self._tally.template("never_placed" if template.binding_at is not None else "unclaimed")
            template.placement = frozenset()
        for member in sorted(template.waiting):
            self._lose(uid, template, member, Lost.TIMEOUT if self._watched(member) else Lost.UNWATCHED)
        self._open.pop(uid, None)

    def _give_up_unwatched(self, uid: str, template: Underway) -> None:
        """Where it was placed nobody saw; where it arrived it was expected."""
        self._tally.template("unwatched")
        self._expect(template, frozenset(template.arrived))
        for member in sorted(template.waiting):
            self._lose(uid, template, member, Lost.PLACEMENT)
        template.placement = frozenset()
        self._open.pop(uid, None)

    def _lose(self, uid: str, template: Underway, member: str, reason: str) -> None:
        template.given_up.add(member)
        self._settle(uid, template, member)
        self._tally.lost(uid, member, reason)

    def _settle(self, uid: str, template: Underway, member: str) -> None:
        template.waiting.discard(member)
        self._tally.pending(member, -1)
        if not template.open:
            self._open.pop(uid, None)
            template.works.clear()

    def _stage(self, stage: Stage, begin: float, end: float, doubt: Doubt) -> None:
        if doubt or end < begin:
            self._tally.stage_untimed(stage)
        else:
            self._tally.stage(stage, end - begin)
