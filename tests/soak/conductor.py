"""Goes through the leaps: moves the world's time on, does what the plan says, waits until all that is due is recorded."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from sloagent.model.run import Exclusion, Run
from sloagent.model.run import Phase as Part
from sloagent.model.timerange import TimeRange
from sloagent.store.sqlite import SQLiteStore
from tests.agent import wait_until
from tests.soak.agents import AgentProcess
from tests.soak.files import AWAY, Files
from tests.soak.outages import Outage, Peer
from tests.soak.plan import BAD, Kill, Leap, Reload, Scale
from tests.soak.recorded import DELAY_SECONDS, INTERVALS, WITH_PIECES, Recorded, newest
from tests.soak.world import Phase, World

POLL_SECONDS = 0.04
CREEP_SECONDS = 1.0
"""The world's time goes on by so much at each look, so that what is done every few seconds is done."""
PATIENCE_SECONDS = 0.5
"""Real time for the daemons to try what cannot succeed at the moment."""
CATCH_UP_PATIENCE_SECONDS = 120.0
DEATH_SECONDS = 1.0
"""Real time for a daemon to come to its deadly place."""
SOMETHING_DUE_SECONDS = 61.0
"""Of the world's time: after it there is work, in the midst of which a daemon is killed."""
END_SECONDS = 632.0
"""From the last leap to the final moment: house-keeping comes by in between, and no slot falls due soon after it."""
RUN = "soak"


@dataclass
class Seen:
    """What happened."""

    kills: Counter[str] = field(default_factory=Counter)
    """By what was being done."""
    outages: Counter[str] = field(default_factory=Counter)
    clock_errors: int = 0
    reloads: Counter[str] = field(default_factory=Counter)
    leaps: int = 0
    longest_catch_up_seconds: float = 0.0
    """Real time."""
    deepest_backlog: float = 0.0
    """Seconds of the world's time between what was recorded whole and what was due."""
    put_right_early: int = 0
    """Faults ended before their time, because slots were about to fall out of `catch_up`."""
    seconds: float = 0.0


class Conductor:
    """One way through the time, over one store."""

    def __init__(self, scale: Scale, files: Files, peer: Peer, world: World, say: Callable[[str], None]) -> None:
        self.seen = Seen()
        self._scale, self._files, self._peer, self._world, self._say = scale, files, peer, world, say
        files.write()
        self.agents = [AgentProcess(number, files.directory, world) for number in range(2)]
        self._recorded = Recorded(files.directory / "sloagent.db")
        self._outage: Outage | None = None
        self._down: dict[int, int] = {}
        """Agent to leaps until it is started again."""
        self._whole_until = world.now

    def go(self, leaps: list[Leap], final: float) -> None:
        """Through all leaps, to the end with everything in order, and what belongs to the end."""
        begun = time.monotonic()
        first = self._world.now
        try:
            run = self._begin_run(first, leaps[-1].to)
            self.agents[0].start()
            for number, leap in enumerate(leaps):
                self._leap(leap, leaps[number + 1].to if number + 1 < len(leaps) else leap.to)
                if number % max(1, len(leaps) // 20) == 0:
                    done = (self._world.now - first) / (final - first)
                    self._say(f"{100 * done:3.0f} % of the time, {sum(self.seen.kills.values())} kills")
            self._put_right()
            self._settle()
            self._finish(run, final)
        finally:
            for agent in self.agents:
                agent.end()
            if self._outage is not None:
                self._outage.end()
        self.seen.seconds = time.monotonic() - begun

    def back_fill(self, first: float, final: float, dump: Path) -> Path:
        """The store filled by `backfill` alone, then folded by a daemon that starts at the final moment; its dump."""

        def at(moment: float) -> str:
            return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")

        self._world.now = final
        self._save(self._begin_run(first, final - END_SECONDS))
        slowest = max(INTERVALS.values())
        self.command("backfill", "--from", at(newest(first, slowest)), "--to", at(final - DELAY_SECONDS))
        agent = self.agents[0]
        kept_since = final - _days(self._scale.full_rows)
        try:
            agent.start()
            wait_until(
                lambda: agent.slate.rounds > 0 and self._recorded.oldest_full_row() >= kept_since,
                CATCH_UP_PATIENCE_SECONDS, "the back-filled rows being folded",
            )  # fmt: skip
            agent.stop()
        finally:
            agent.end()
        dump.write_text(self.command("store", "dump"))
        return dump

    def command(self, *words: str) -> str:
        """What a command prints; AssertionError unless it ends with 0."""
        done = subprocess.run(self.agents[0].command(*words), capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def _begin_run(self, first: float, last: float) -> Run:
        """A run from the first hour to the last, with three phases and an excluded stretch; it is not stopped yet."""

        def at(share: float) -> datetime:
            return datetime.fromtimestamp(first + share * (last - first), UTC).replace(second=0, microsecond=0)

        def between(begin: float, end: float) -> TimeRange:
            return TimeRange(at(begin), at(end))

        run = Run(
            RUN, at(0.01), at(0.99), (("mode", "soak"),),
            (
                Part("warm-up", between(0.02, 0.1)), Part("load", between(0.3, 0.6)),
                Part("cool-down", between(0.85, 0.95)),
            ),
            (Exclusion(between(0.7, 0.705), "somebody was at work"),),
        )  # fmt: skip
        self._save(replace(run, end=None))
        return run

    def _save(self, run: Run) -> None:
        store = SQLiteStore(self._files.directory / "sloagent.db")
        store.save_run(run)
        store.close()

    def _leap(self, leap: Leap, following: float) -> None:
        self.seen.leaps += 1
        self._begin(leap)
        armed = self._arm(leap.kills)
        self._world.now = max(leap.to, self._world.now + CREEP_SECONDS)
        self.seen.deepest_backlog = max(self.seen.deepest_backlog, self._world.now - self._whole_until)
        for kill in sorted(leap.kills, key=lambda kill: kill is not armed):
            self._kill(kill, armed=kill is armed)
        for reload in leap.reloads:
            self._reload(reload)
        if following - self._whole_until > 0.6 * self._scale.catch_up_hours * 3600:
            self.seen.put_right_early += self._put_right()
        self._settle()
        self._end(leap)

    def _begin(self, leap: Leap) -> None:
        for number in list(self._down):
            self._down[number] -= 1
            if self._down[number] <= 0:
                del self._down[number]
        for number, agent in enumerate(self.agents):
            if number >= leap.agents and agent.alive:
                agent.slate.error = 0.0
                agent.stop()
            elif number < leap.agents and not agent.alive and number not in self._down:
                agent.start()
        if leap.outage:
            self._outage = Outage(leap.outage, self._peer)
            self._outage.begin()
            self.seen.outages[leap.outage] += 1
        if leap.clock is not None and leap.clock.agent < leap.agents:
            self.agents[leap.clock.agent].slate.error = leap.clock.seconds
            self.seen.clock_errors += 1

    def _end(self, leap: Leap) -> None:
        if leap.outage_ends and self._outage is not None:
            self._outage.end()
            self._outage = None
        if leap.clock_ends:
            for agent in self.agents:
                agent.slate.error = 0.0

    def _put_right(self) -> int:
        """End every fault; returns how many there were."""
        faults = int(self._outage is not None) + len(self._down) + sum(bool(a.slate.error) for a in self.agents)
        if self._outage is not None:
            self._outage.end()
            self._outage = None
        for agent in self.agents:
            agent.slate.error = 0.0
        self._down.clear()
        if not self.agents[0].alive:
            self.agents[0].start()
        return faults

    def _arm(self, kills: list[Kill]) -> Kill | None:
        """Prepare the first kill that is to happen at a place in the code."""
        for kill in kills:
            agent = self.agents[kill.agent]
            if kill.phase is not None and agent.alive and kill.phase not in (Phase.STARTING, Phase.RELOADING):
                agent.slate.arm(kill.phase, kill.countdown)
                return kill
        return None

    def _kill(self, kill: Kill, *, armed: bool) -> None:
        agent = self.agents[kill.agent]
        if not agent.alive and not (armed and agent.has_killed_itself()):
            self._down.pop(kill.agent, None)
            agent.start()
        if armed or self._provoke(kill, agent):
            deadline = time.monotonic() + DEATH_SECONDS
            while not agent.has_killed_itself() and time.monotonic() < deadline:
                self._pass_time()
        if not agent.has_killed_itself():
            if kill.phase is not Phase.STARTING:
                self._world.now += SOMETHING_DUE_SECONDS
            time.sleep(kill.after_seconds)
        if agent.has_killed_itself():
            assert kill.phase is not None
            self.seen.kills[f"{kill.phase.name.lower()} (at a chosen place)"] += 1
        else:
            self.seen.kills[" + ".join(phase.name.lower() for phase in agent.kill())] += 1
        if kill.down_for:
            self._down[kill.agent] = kill.down_for
        else:
            agent.start()

    def _provoke(self, kill: Kill, agent: AgentProcess) -> bool:
        """Have the daemon come to its deadly place, where that takes more than time; whether it was made to."""
        match kill.phase:
            case Phase.RELOADING:
                agent.slate.arm(kill.phase, 1)
                agent.signal_reload()
            case Phase.STARTING:
                self.seen.kills[" + ".join(phase.name.lower() for phase in agent.kill())] += 1
                agent.launch()
                return False
            case _:
                return False
        return True

    def _reload(self, reload: Reload) -> None:
        agent = self.agents[reload.agent]
        if not agent.alive:
            self._down.pop(reload.agent, None)
            agent.start()
        bad = reload.kind in BAD
        if bad:
            self._files.spoil(reload.kind)
        else:
            if reload.kind != "unchanged":
                (self._files.changes.discard if reload.back else self._files.changes.add)(reload.kind)
            self._files.write()
        way = "SIGHUP" if reload.by_signal else "POST"
        if reload.by_signal:
            words = "the old configuration stays in force" if bad else "configuration reloaded"
            said = agent.log.read_text().count(words)
            agent.signal_reload()
            wait_until(lambda: agent.log.read_text().count(words) > said, 30, f"a reload: {reload}")
        else:
            status = agent.post_reload()
            assert status == (400 if bad else 200), f"{reload} was answered with {status}: {agent.tail()}"
        if bad:
            self._files.write()
        kind = "bad" if bad else "unchanged" if reload.kind == "unchanged" else "changed" if not reload.back else "back"
        self.seen.reloads[f"{kind} by {way}"] += 1

    def _settle(self) -> None:
        """Wait until everything due is recorded; where that cannot be, let the daemons try for a moment."""
        begun = time.monotonic()
        blocked = self._blocked()
        patience = PATIENCE_SECONDS if blocked else CATCH_UP_PATIENCE_SECONDS
        without = {AWAY} if "without an SLO" in self._files.changes else set()
        while time.monotonic() - begun < patience:
            moment = self._world.now
            if self._recorded.lacking(self._whole_until, moment, without) == 0:
                if not without:
                    self._whole_until = moment
                break
            self._pass_time()
        else:
            assert blocked, f"what was due is not recorded after {patience:g} s: {self._state()}"
        self.seen.longest_catch_up_seconds = max(self.seen.longest_catch_up_seconds, time.monotonic() - begun)
        for agent in self.agents:
            if agent.alive:
                agent.measure()

    def _blocked(self) -> bool:
        if self._outage is not None and self._outage.blocking:
            return True
        return not any(agent.alive and agent.slate.error == 0.0 for agent in self.agents)

    def _state(self) -> str:
        lacking = self._recorded.lacking(self._whole_until, self._world.now)
        at = datetime.fromtimestamp(self._world.now, UTC)
        tails = "\n".join(agent.tail() for agent in self.agents if agent.log.exists())
        return f"{lacking} slots lacking at {at:%Y-%m-%d %H:%M:%S}\n{tails}"

    def _pass_time(self) -> None:
        time.sleep(POLL_SECONDS)
        self._world.now += CREEP_SECONDS

    def _finish(self, run: Run, final: float) -> None:
        """The run is stopped; at the final moment, the same in every way, all is recorded, folded and cut."""
        for agent in self.agents[1:]:
            if agent.alive:
                agent.stop()
        for agent in self.agents:
            agent.slate.error = 0.0
        self._files.changes.clear()
        self._files.write()
        assert self._world.now < final - 300, f"the world's time was moved on too far: {self._world.now - final:g} s"
        self._save(run)
        agent = self.agents[0]
        rounds = agent.slate.rounds
        self._world.now = final
        kept_since = final - _days(self._scale.full_rows)

        def over() -> bool:
            if self._world.now < final + 25:
                self._world.now += 0.25
            return (
                agent.slate.rounds != rounds
                and self._recorded.lacking(self._whole_until, self._world.now) == 0
                and self._recorded.oldest_full_row() >= kept_since
                and set(self._recorded.hours_with_pieces()) == set(WITH_PIECES)
                and agent.slate.doing() == [Phase.IDLE]
            )

        wait_until(over, CATCH_UP_PATIENCE_SECONDS, "the end, with everything recorded, folded and cut")
        agent.measure()
        agent.stop()


def _days(text: str) -> float:
    return float(text[:-1]) * {"d": 86_400, "h": 3_600}[text[-1]]
