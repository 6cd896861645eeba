"""Goes through the leaps: moves the world's time on, does what the plan says, waits until all that is due is recorded."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sloagent.model.run import Exclusion, Run
from sloagent.model.run import Phase as Part
from sloagent.model.timerange import TimeRange
from sloagent.store.sqlite import SQLiteStore
from tests.agent import wait_until
from tests.soak.agents import AgentProcess
from tests.soak.files import AWAY, Files
from tests.soak.mishaps import CREEP_SECONDS, Mishaps, Seen, pass_time
from tests.soak.outages import Outage, Peer
from tests.soak.plan import Leap, Scale
from tests.soak.recorded import DELAY_SECONDS, INTERVALS, WITH_PIECES, Recorded, newest
from tests.soak.world import Phase, World

PATIENCE_SECONDS = 0.4
"""Real time for the daemons to try what cannot succeed at the moment."""
CATCH_UP_PATIENCE_SECONDS = 120.0
END_SECONDS = 632.0
"""From the last leap to the final moment: house-keeping comes by in between, and no slot falls due soon after it."""
RUN = "soak"


class Conductor:
    """One way through the time, over one store."""

    def __init__(self, scale: Scale, files: Files, peer: Peer, world: World, say: Callable[[str], None]) -> None:
        self.seen = Seen()
        self._scale, self._files, self._peer, self._world, self._say = scale, files, peer, world, say
        files.write()
        self.agents = [AgentProcess(number, files.directory, world) for number in range(2)]
        self._recorded = Recorded(files.directory / "sloagent.db")
        self._outage: Outage | None = None
        self._mishaps = Mishaps(self.agents, files, world, self.seen)
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
        return self.dumped(dump)

    def dumped(self, file: Path) -> Path:
        """The file, with the dump of the store in it."""
        with file.open("wb") as out:
            subprocess.run(self.agents[0].command("store", "dump"), stdout=out, check=True, timeout=600)
        return file

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
        armed = self._mishaps.arm(leap.kills)
        self._world.now = max(leap.to, self._world.now + CREEP_SECONDS)
        self.seen.deepest_backlog = max(self.seen.deepest_backlog, self._world.now - self._whole_until)
        for kill in sorted(leap.kills, key=lambda kill: kill is not armed):
            self._mishaps.kill(kill, armed=kill is armed)
        for reload in leap.reloads:
            self._mishaps.reload(reload)
        if following - self._whole_until > 0.6 * self._scale.catch_up_hours * 3600:
            self.seen.put_right_early += self._put_right()
        self._settle()
        self._end(leap)

    def _begin(self, leap: Leap) -> None:
        for number in list(self._mishaps.down):
            self._mishaps.down[number] -= 1
            if self._mishaps.down[number] <= 0:
                del self._mishaps.down[number]
        for number, agent in enumerate(self.agents):
            if number >= leap.agents and agent.alive:
                agent.slate.error = 0.0
                agent.stop()
            elif number < leap.agents and not agent.alive and number not in self._mishaps.down:
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
        faults = int(self._outage is not None) + len(self._mishaps.down) + sum(bool(a.slate.error) for a in self.agents)
        if self._outage is not None:
            self._outage.end()
            self._outage = None
        for agent in self.agents:
            agent.slate.error = 0.0
        self._mishaps.down.clear()
        if not self.agents[0].alive:
            self.agents[0].start()
        return faults

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
            pass_time(self._world)
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
