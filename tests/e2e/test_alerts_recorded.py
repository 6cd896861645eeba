"""The violations of the recorded run, told to Alertmanagers by an agent that is killed again and again.

There is one by itself and a pair. The recording is played thirty times as quick. A receiver of their notifications counts:
when each violation was told, and how often. `SLOAGENT_ALERT_KILLS` kills the agent more often, over a slower run.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any

import yaml

from sloagent.config.load import load_slo_files
from sloagent.evaluation.judge import judge
from sloagent.model.slo import SLO, Labels
from sloagent.model.verdict import Outcome
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from tests.agent import AgentDirectory, DaemonProcess, wait_until
from tests.alertmanager import Alertmanager
from tests.compressed import recorded_from
from tests.prometheus import Prometheus
from tests.receiving import Receiving

KILLS = int(os.environ.get("SLOAGENT_ALERT_KILLS", "8"))
INTERVAL = 2 if KILLS <= 16 else 8
"""What a recorded minute takes, in seconds."""
DELAY, RESEND = 1, 10
GROUP_WAIT, GROUP_INTERVAL = 1, 2
PEER_TIMEOUT = 1
"""Apart from a multiple of the group interval: where they are equal, the second of a pair compares what it saw one interval
ago with what the first has just sent, and says once more that an alert fires that is over."""
AFTER = 3
SHIPPED = Path(__file__).resolve().parents[2] / "rules" / "karmada.yaml"
NAME = "api-mutating-latency"
CONFIG = f"""
route:
  receiver: nobody
  routes:
    - {{receiver: each, group_by: ['...'], continue: true, matchers: [slo="{NAME}"]}}
    - {{receiver: grouped, group_by: [set, slo], matchers: [slo="{NAME}"]}}
  group_wait: {GROUP_WAIT}s
  group_interval: {GROUP_INTERVAL}s
  repeat_interval: 1h
inhibit_rules:
  - {{source_matchers: [slo="maintenance"], target_matchers: [verb="DELETE"]}}
receivers:
  - {{name: nobody}}
  - {{name: each, webhook_configs: [{{url: '@URL@/each', send_resolved: true}}]}}
  - {{name: grouped, webhook_configs: [{{url: '@URL@/grouped', send_resolved: true}}]}}
"""


def slo_set() -> str:
    """The shipped SLO at the quick interval, and one that is violated all the time and silences DELETE."""
    shipped = yaml.safe_load(SHIPPED.read_text())
    (slo,) = (slo for slo in shipped["slos"] if slo["name"] == NAME)
    slo["alerts"] = {"burn_rate": {"enabled": False}}
    always = {
        "name": "maintenance", "sli": {"value": {"query": "vector(1)", "unit": "count"}}, "objective": {"at_most": 0},
        "alerts": {"violated": {"after": 1}, "burn_rate": {"enabled": False}},
    }  # fmt: skip
    defaults = {"interval": f"{INTERVAL}s", "window": f"{5 * INTERVAL}s"}
    return yaml.safe_dump({**shipped, "defaults": defaults, "slos": [slo, always]}, allow_unicode=True)


def what_must_be_told(slo: SLO, server: Prometheus, slots: range) -> dict[tuple[Labels, int], int]:
    """By series and the slot at which it must fire, that at which it must be over.

    Worked out from the verdicts without the code that does it: three in a row fail, three do not.
    """
    source = PrometheusSource(PrometheusSettings(url=server.url))
    judged = [judge(slo, slot, source.at(slo, slot)) for slot in slots]
    source.close()
    rows: dict[Labels, list[tuple[int, bool]]] = {}
    for slot in judged:
        for verdict in slot.verdicts:
            if verdict.outcome in (Outcome.PASS, Outcome.WARN, Outcome.FAIL):
                rows.setdefault(verdict.labels, []).append((slot.slot, verdict.outcome is Outcome.FAIL))
    found: dict[tuple[Labels, int], int] = {}
    for labels, row in rows.items():
        fired: int | None = None
        for place in range(AFTER - 1, len(row)):
            last = [bad for _, bad in row[place - AFTER + 1 : place + 1]]
            if fired is None and all(last):
                fired = row[place][0]
            elif fired is not None and not any(last):
                found[labels, fired] = row[place][0]
                fired = None
        assert fired is None, "the recording ends well"
    return found


def series_of(alert: Mapping[str, Any]) -> Labels:
    ours = ("alertname", "severity", "set", "slo")
    return tuple(sorted((name, value) for name, value in alert["labels"].items() if name not in ours))


def second(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def test_each_violation_is_told_once_in_time_whatever_happens_to_the_agent(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(slo_set())
    (loaded,) = load_slo_files([str(tmp_path / "own.yaml")])
    slo = next(one for one in loaded.slos if one.name == NAME)
    selector = f"apiserver_request_sli_duration_seconds_bucket{{{slo.sli.where}}}"  # type: ignore[union-attr]
    start = (int(time.time()) + 15) // INTERVAL * INTERVAL
    end = recorded_from(start, INTERVAL, [selector], tmp_path / "data")
    with Receiving() as receiver, Prometheus(tmp_path / "data") as server:
        alone, one, other = alertmanagers(tmp_path, CONFIG.replace("@URL@", receiver.url))
        with alone, one, other:
            urls = ", ".join(f"{{url: '{each.url}'}}" for each in (alone, one, other))
            agent = AgentDirectory(
                tmp_path / "agent", server.url, slos={"own.yaml": slo_set()},
                extra=f"evaluation: {{delay: {DELAY}s}}\nalertmanagers: [{urls}]\nalerts: {{resend: {RESEND}s}}\n",
            )  # fmt: skip
            daemon = DaemonProcess(agent)
            daemon.start()
            killed = live_through(daemon, end)
            wanted = what_must_be_told(
                slo, server, range(start + 5 * INTERVAL, end // INTERVAL * INTERVAL + 1, INTERVAL)
            )
            told = {key: over for key, over in wanted.items() if ("verb", "DELETE") not in key[0]}
            assert len(told) >= 10, "there is something to tell"
            assert len(wanted) - len(told) >= 2, "and something to be silent about"
            wait_until(
                lambda: all(
                    heard(receiver, whose, told)["resolved"].keys() >= told.keys() for whose in ((alone,), (one, other))
                ),
                60, "every violation being over",
            )  # fmt: skip
            daemon.stop()
    assert killed == KILLS
    by_one, by_pair = heard(receiver, (alone,), told), heard(receiver, (one, other), told)
    # None false, none lost, none twice.
    for status, found in by_one.items():
        assert {key: len(times) for key, times in found.items()} == dict.fromkeys(told, 1), status
    # An agent that dies while it tells may have told one of the pair only: that one says that it is over, and the other,
    # which heard nothing, that it fires. No client can help that.
    apart = told_apart(told, by_pair, one, other)
    for status, found in by_pair.items():
        assert found.keys() == told.keys(), status
        assert {key: times for key, times in found.items() if key not in apart and len(times) != 1} == {}, status
    late = 2 * INTERVAL + GROUP_WAIT + RESTART_SECONDS
    for whole in (by_one, by_pair):
        for (series, fired), times in whole["firing"].items():
            assert fired + DELAY <= times[0].at <= fired + DELAY + late, (series, times[0].at - fired)
        for key, times in whole["resolved"].items():
            assert times[0].ends == told[key]
            assert told[key] + DELAY <= times[0].at <= told[key] + DELAY + late + GROUP_INTERVAL, (key, times[0])
    waits = sorted(times[0].at - fired for (_, fired), times in by_one["firing"].items())
    twice = sum(len(times) > 1 for times in by_pair["firing"].values())
    print(
        f"{len(told)} violations, {len(wanted) - len(told)} inhibited, {killed} kills: told once each, {waits[0]:.1f} to"
        f" {waits[-1]:.1f} s after their slot, half within {waits[len(waits) // 2]:.1f} s;"
        f" {len(apart)} told to the pair apart, and {twice} told by it twice"
    )
    groups = [sent for sent in receiver.received if sent.path == "/grouped" and sent.body["externalURL"] == alone.url]
    assert len(groups) < 2 * len(told), "several in one notification"
    assert {sent.body["groupKey"].rpartition(":")[2] for sent in groups} == {f'{{set="karmada", slo="{NAME}"}}'}


@dataclass(frozen=True)
class Notified:
    """An alert in a notification."""

    at: float
    ends: float
    fingerprint: str


def heard(
    receiver: Receiving, whose: Sequence[Alertmanager], told: Mapping[tuple[Labels, int], int]
) -> dict[str, dict[tuple[Labels, int], list[Notified]]]:
    """By status, series and beginning: what these Alertmanagers notified of alerts that stand alone.

    Where a slot is judged late, after an agent was killed, a violation may be told to have begun with a later one, and
    that is mended: when it is over, at the latest.
    """
    found: dict[str, dict[tuple[Labels, int], list[Notified]]] = {"firing": {}, "resolved": {}}
    ours = {each.url for each in whose}
    for sent in list(receiver.received):
        for alert in sent.body["alerts"] if sent.path == "/each" and sent.body["externalURL"] in ours else ():
            series, begun = series_of(alert), int(second(alert["startsAt"]))
            if alert["status"] == "firing":
                (begun,) = begun_by(told, series, begun) or (begun,)
            key = (series, begun)
            found[alert["status"]].setdefault(key, []).append(
                Notified(sent.at, second(alert["endsAt"]), alert["fingerprint"])
            )
    return found


def begun_by(told: Mapping[tuple[Labels, int], int], series: Labels, moment: int) -> list[int]:
    """The violations of a series that go on at a moment, by the slot at which they must fire."""
    return [fired for (whose, fired), over in told.items() if whose == series and fired <= moment < over]


def told_apart(
    told: Mapping[tuple[Labels, int], int],
    by_pair: Mapping[str, Mapping[tuple[Labels, int], Sequence[Notified]]],
    one: Alertmanager,
    other: Alertmanager,
) -> set[tuple[Labels, int]]:
    """The violations of whose beginning or end the members of a pair heard at different times, by what they log."""
    found = set()
    for (series, fired), over in told.items():
        mark = f"[{by_pair['firing'][series, fired][0].fingerprint[:7]}]"
        for since, what in ((fired, "[active]"), (over, "[resolved]")):
            first, second = (
                min((at for at in each.logged(mark + what) if at >= since), default=inf) for each in (one, other)
            )
            if abs(first - second) > PEER_TIMEOUT / 2:
                found.add((series, fired))
    return found


RESTART_SECONDS = 10.0
"""How long an agent may be away that is killed and started on a busy machine."""


def alertmanagers(directory: Path, config: str) -> tuple[Alertmanager, Alertmanager, Alertmanager]:
    """One alone, and two that tell each other what they have sent: the second waits a little, in case the first has."""
    flags = (
        f"--cluster.peer-timeout={PEER_TIMEOUT}s",
        "--cluster.gossip-interval=50ms",
        "--cluster.pushpull-interval=1s",
        "--log.level=debug",
    )
    one = Alertmanager(directory / "one", config=config, flags=flags)
    other = Alertmanager(directory / "other", config=config, peers=[one], flags=flags)
    return Alertmanager(directory / "alone", config=config), one, other


def live_through(daemon: DaemonProcess, end: int) -> int:
    """Kill the agent at random moments and start it again, until the recording has ended."""
    chance = random.Random(20261128)
    begin = time.time()
    moments = sorted(chance.uniform(begin + 3, end - 3) for _ in range(KILLS))
    killed = 0
    for moment in moments:
        wait_until(lambda moment=moment: time.time() >= moment, end - begin + 60, "the next moment")  # type: ignore[misc]
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGKILL)
        daemon.process.wait()
        daemon.start()
        killed += 1
    return killed
