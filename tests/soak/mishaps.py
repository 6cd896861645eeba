"""What is done to the daemons at a leap: kills and reloads."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.agent import wait_until
from tests.soak.agents import AgentProcess
from tests.soak.files import Files
from tests.soak.plan import BAD, Kill, Reload
from tests.soak.world import Phase, World

POLL_SECONDS = 0.04
CREEP_SECONDS = 1.0
"""The world's time goes on by so much at each look, so that what is done every few seconds is done."""
DEATH_SECONDS = 1.0
"""Real time for a daemon to come to its deadly place."""
SOMETHING_DUE_SECONDS = 61.0
"""Of the world's time: after it there is work, in the midst of which a daemon is killed."""
WORK_SECONDS = 0.3
"""Real time for a daemon to begin with what fell due."""


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


def pass_time(world: World) -> None:
    """A moment of real time, and of the world's."""
    time.sleep(POLL_SECONDS)
    world.now += CREEP_SECONDS


class Mishaps:
    """Kills and reloads of the daemons over one store."""

    def __init__(self, agents: Sequence[AgentProcess], files: Files, world: World, seen: Seen) -> None:
        self._agents, self._files, self._world, self.seen = agents, files, world, seen
        self.down: dict[int, int] = {}
        """Agent to leaps until it is started again."""

    def arm(self, kills: list[Kill]) -> Kill | None:
        """Prepare the first kill that is to happen at a place in the code."""
        for kill in kills:
            agent = self._agents[kill.agent]
            if kill.phase is not None and agent.alive and kill.phase not in (Phase.STARTING, Phase.RELOADING):
                agent.slate.arm(kill.phase, kill.countdown)
                return kill
        return None

    def kill(self, kill: Kill, *, armed: bool) -> None:
        """One SIGKILL, and the start after it."""
        agent = self._agents[kill.agent]
        if not agent.alive and not (armed and agent.has_killed_itself()):
            self.down.pop(kill.agent, None)
            agent.start()
        if armed or self._provoke(kill, agent):
            deadline = time.monotonic() + DEATH_SECONDS
            while not agent.has_killed_itself() and time.monotonic() < deadline:
                pass_time(self._world)
        if not agent.has_killed_itself():
            self._wait_for_work(kill, agent)
        if agent.has_killed_itself():
            assert kill.phase is not None
            self.seen.kills[f"{kill.phase.name.lower()} (at a chosen place)"] += 1
        else:
            self.seen.kills[" + ".join(phase.name.lower() for phase in agent.kill())] += 1
        if kill.down_for:
            self.down[kill.agent] = kill.down_for
        else:
            agent.start()

    def _wait_for_work(self, kill: Kill, agent: AgentProcess) -> None:
        """Let something fall due and the daemon begin with it; where it has nothing to do, a moment in which it is idle."""
        if kill.phase is not Phase.STARTING:
            self._world.now += SOMETHING_DUE_SECONDS
            deadline = time.monotonic() + WORK_SECONDS
            while agent.slate.doing() == [Phase.IDLE] and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(kill.after_seconds / 10)
        else:
            time.sleep(kill.after_seconds)

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

    def reload(self, reload: Reload) -> None:
        """One SIGHUP or POST; AssertionError unless it is taken, or a bad file refused, as it should be."""
        agent = self._agents[reload.agent]
        if not agent.alive:
            self.down.pop(reload.agent, None)
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
