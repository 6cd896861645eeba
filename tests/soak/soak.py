"""The whole soak: the undisturbed way, the disturbed way, the back-filled way, and what they have to agree on."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.faults import FaultServer
from tests.prometheus import Prometheus
from tests.soak import comparison, history, plan, recorded
from tests.soak.conductor import END_SECONDS, RUN, Conductor
from tests.soak.files import Files
from tests.soak.flatness import flatness, longest_life
from tests.soak.outages import Peer
from tests.soak.world import World

MEMORY_MAY_RISE = 8 * 2**20
"""Bytes over the last half of the longest life."""
POOLS_MAY_RISE = 4.0
"""Descriptors or threads over the last half of the longest life: pools fill up when there is much to do at once."""
SHOWN = 5


@dataclass
class Findings:
    """The lines of the result, and what is wrong."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def say(self, what: str, figures: str) -> None:
        """A line that is a figure and no promise."""
        self.lines.append((what, figures))

    def check(self, what: str, figures: str, *, good: bool, details: list[str] | None = None) -> None:
        """A line that is a promise."""
        self.lines.append((what, f"{figures}  {'ok' if good else 'WRONG'}"))
        if not good:
            self.wrong += [f"{what}: {figures}", *(details or [])[: 2 * SHOWN]]

    def text(self) -> str:
        """The table."""
        width = max(len(what) for what, _ in self.lines)
        table = [f"{what:<{width}}  {figures}" for what, figures in self.lines]
        return "\n".join(
            [*table, *(["", "WRONG:", *self.wrong] if self.wrong else ["", "nothing lost, nothing twice"])]
        )


@dataclass
class Way:
    """One way through the time and what it left."""

    conductor: Conductor
    dump: Path
    report: Path


def soak(scale: plan.Scale, seed: int, directory: Path, cache: Path, say: Callable[[str], None]) -> Findings:
    """Do it all in `directory`; the history is kept in `cache` for the next time."""
    begun = time.monotonic()
    findings = Findings()
    past = history.History(seed, scale.days * 86_400)
    first, final = history.START + 3_640.0, past.end - 3_000.0 + 32.0
    say("generating the history")
    data = cache / f"history-{seed}-{scale.days}d"
    history.make(past, data)
    findings.say(
        "history",
        f"{scale.days} days from {datetime.fromtimestamp(history.START, UTC):%Y-%m-%d}, seed {seed}:"
        f" {history.series_count(past)} series every {history.SCRAPE_SECONDS} s,"
        f" made or found in {time.monotonic() - begun:.0f} s",
    )
    directory.mkdir(parents=True)
    with _peer(data, directory) as peer:
        calm = _way(
            "undisturbed", scale, plan.undisturbed(scale, seed, first, final - END_SECONDS), final, peer, directory, say
        )
        leaps = plan.disturbed(scale, seed, first, final - END_SECONDS)
        rough = _way("disturbed", scale, leaps, final, peer, directory, say)
        again = _back_filled(scale, first, final, peer, directory, say)
    _judge_faults(findings, scale, rough)
    _judge_slots(findings, calm, rough, again, recorded.expected(first, final))
    _judge_flatness(findings, rough)
    _judge_speed(findings, calm, rough, first, final)
    findings.say("wall time", f"{(time.monotonic() - begun) / 60:.1f} min")
    return findings


@contextmanager
def _peer(data: Path, directory: Path) -> Iterator[Peer]:
    shutil.copytree(data, directory / "prometheus")  # so that the cache stays as it was made
    prometheus = Prometheus(directory / "prometheus")
    with prometheus, FaultServer(prometheus.url) as proxy:
        yield Peer(prometheus, proxy, World(directory / "world"))


def _way(
    name: str, scale: plan.Scale, leaps: list[plan.Leap], final: float, peer: Peer, directory: Path,
    say: Callable[[str], None],
) -> Way:  # fmt: skip
    say(f"{name}: {len(leaps)} leaps")
    peer.world.now = history.START + 3_640.0
    place = directory / name
    conductor = Conductor(scale, Files(place, peer.proxy.url, scale), peer, peer.world, say)
    conductor.go(leaps, final)
    say(f"{name}: {conductor.seen.seconds:.0f} s; its dump and report")
    return _left(conductor, place)


def _left(conductor: Conductor, place: Path) -> Way:
    dump, report = conductor.dumped(place / "dump.jsonl"), place / "report"
    conductor.command("report", "--run", RUN, "-o", str(report))
    return Way(conductor, dump, report)


def _back_filled(
    scale: plan.Scale, first: float, final: float, peer: Peer, directory: Path, say: Callable[[str], None]
) -> Path:
    """The dump of a store that was filled by `backfill` alone and then folded by a daemon."""
    say("back-filling a third store")
    place = directory / "back-filled"
    peer.world.now = final
    conductor = Conductor(scale, Files(place, peer.proxy.url, scale), peer, peer.world, say)
    return conductor.back_fill(first, final, place / "dump.jsonl")


def _judge_faults(findings: Findings, scale: plan.Scale, rough: Way) -> None:
    seen = rough.conductor.seen
    for what, counted, wanted in (
        ("kills (SIGKILL)", seen.kills, scale.kills),
        ("outages of Prometheus", seen.outages, scale.outages),
        ("reloads", seen.reloads, scale.reloads),
    ):
        by = ", ".join(f"{count} {name}" for name, count in counted.most_common())
        findings.check(what, f"{sum(counted.values())}: {by}", good=sum(counted.values()) >= wanted)
    findings.check(
        "wrong clocks, set and put back", str(seen.clock_errors), good=seen.clock_errors >= scale.clock_errors
    )
    lives = [agent.lives for agent in rough.conductor.agents]
    findings.check("daemons started", f"the first {lives[0]} times, the second {lives[1]} times", good=min(lives) > 0)


def _judge_slots(findings: Findings, calm: Way, rough: Way, again: Path, expected: dict[str, range]) -> None:
    for name, way in (("undisturbed", calm), ("disturbed", rough)):
        slots = comparison.slots(way.dump, expected)
        wrong = slots.lost + slots.duplicated + slots.unexpected
        findings.check(
            f"slots, {name}",
            f"{slots.expected:,} expected, {slots.recorded:,} recorded, {len(slots.lost)} lost,"
            f" {len(slots.duplicated)} duplicated, {len(slots.unexpected)} that nobody expected",
            good=not wrong, details=wrong,
        )  # fmt: skip
    one, other = comparison.digest(calm.dump), comparison.digest(rough.dump)
    details = comparison.differences(calm.dump, rough.dump) if one != other else []
    size = calm.dump.stat().st_size / 2**20
    findings.check(f"store dump, {size:,.0f} MiB", f"{one[:16]}… and {other[:16]}…", good=one == other, details=details)
    # Alerts know the run that goes on: whoever looks at a past knows when it ended.
    only = comparison.of_kinds("piece", "piece_series", "run", "alert_transition")
    details = comparison.differences(again, rough.dump, keep=only)
    findings.check(
        "slots, verdicts, tiles and sums of a back-filled store", "compared", good=not details, details=details
    )
    names = sorted({*comparison.files(calm.report), *comparison.files(rough.report)})
    for file in names:
        pair = [way.report / file for way in (calm, rough)]
        if not all(path.exists() for path in pair):
            findings.check(f"report, {file}", "is not in both", good=False)
            continue
        one, other = (comparison.digest(path) for path in pair)
        details = comparison.differences(*pair) if one != other else []
        findings.check(f"report, {file}", f"{one[:16]}… and {other[:16]}…", good=one == other, details=details)
    for name, way in (("undisturbed", calm), ("disturbed", rough)):
        try:
            words = way.conductor.command("store", "check").strip()
        except AssertionError as error:
            findings.check(f"store check, {name}", "complains", good=False, details=[str(error)])
        else:
            findings.check(f"store check, {name}", words.splitlines()[-1] if words else "sound", good=True)


def _judge_flatness(findings: Findings, rough: Way) -> None:
    for agent in rough.conductor.agents[:1]:
        life = longest_life(agent.held)
        memory = flatness(life, lambda held: held.memory_bytes / 2**20)
        findings.check(
            "resident memory, MiB",
            f"{memory.early:.1f} at 10 %, {memory.middle:.1f} at 50 %, {memory.late:.1f} at the end of a life of"
            f" {memory.days:.1f} days ({memory.samples} looks); over its last half it rises by"
            f" {memory.rise:+.2f} ± {memory.error:.2f}",
            good=memory.rise - memory.error <= MEMORY_MAY_RISE / 2**20,
        )
        for what, quantity in (("open descriptors", "descriptors"), ("threads", "threads")):
            one = flatness(life, lambda held, name=quantity: float(getattr(held, name)))
            findings.check(
                what,
                f"{one.early:.0f}, {one.middle:.0f}, {one.late:.0f}; over the last half {one.rise:+.2f} ± {one.error:.2f}",
                good=one.rise - one.error <= POOLS_MAY_RISE,
            )
        open_on = ", ".join(f"{count} {kind}" for kind, count in Counter(dict(life[-1].open_on)).most_common())
        findings.say("descriptors at the end", open_on)


def _judge_speed(findings: Findings, calm: Way, rough: Way, first: float, final: float) -> None:
    total = sum(len(slots) for slots in recorded.expected(first, final).values())
    for name, way in (("undisturbed", calm), ("disturbed", rough)):
        seen = way.conductor.seen
        findings.say(
            f"speed, {name}",
            f"{total / seen.seconds:,.0f} slots a second over {seen.leaps} leaps; at most"
            f" {seen.longest_catch_up_seconds:.1f} s to catch up, {seen.deepest_backlog / 3600:.1f} h behind",
        )
    findings.say("faults ended early, lest slots fall out of catch_up", str(rough.conductor.seen.put_right_early))
