"""The violations of the recorded run, told to a pair of Alertmanagers by an agent that is killed again and again.

The recording is played thirty times as quick. A receiver of Alertmanager's notifications counts: when each violation was
told, and how often. `SLOAGENT_ALERT_KILLS` kills the agent more often, over a slower run.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
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
        one, other = pair(tmp_path, CONFIG.replace("@URL@", receiver.url))
        with one, other:
            agent = AgentDirectory(
                tmp_path / "agent", server.url, slos={"own.yaml": slo_set()},
                extra=f"evaluation: {{delay: {DELAY}s}}\nalertmanagers: [{{url: '{one.url}'}}, {{url: '{other.url}'}}]\n"
                f"alerts: {{resend: {RESEND}s}}\n",
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
                lambda: len({
                    (series_of(alert), alert["startsAt"])
                    for _, alert in receiver.alerts("/each") if alert["status"] == "resolved"
                }) >= len(told),
                60, "every violation being over",
            )  # fmt: skip
            daemon.stop()
    assert killed == KILLS
    heard = {status: [] for status in ("firing", "resolved")}  # type: dict[str, list[tuple[float, dict[str, Any]]]]
    # None false, none lost, none twice. Where one of a pair takes the other for dead, on a starved machine, both notify:
    # so each is counted by itself, and who was first is kept.
    by_whom: dict[str, Counter[tuple[str, Labels, float]]] = {"firing": Counter(), "resolved": Counter()}
    for one in receiver.received:
        for alert in one.body["alerts"] if one.path == "/each" else ():
            key = (one.body["externalURL"], series_of(alert), second(alert["startsAt"]))
            by_whom[alert["status"]][key] += 1
            if all(
                (series_of(other), other["startsAt"]) != (series_of(alert), alert["startsAt"])
                for _, other in heard[alert["status"]]
            ):
                heard[alert["status"]].append((one.at, alert))
    for status, counted in by_whom.items():
        assert set(counted.values()) == {1}, (status, counted)
        assert {key[1:] for key in counted} == set(told), status
    late = 2 * INTERVAL + GROUP_WAIT + RESTART_SECONDS
    for at, alert in heard["firing"]:
        fired = second(alert["startsAt"])
        assert fired + DELAY <= at <= fired + DELAY + late, (series_of(alert), at - fired)
    for at, alert in heard["resolved"]:
        over = told[series_of(alert), int(second(alert["startsAt"]))]
        assert second(alert["endsAt"]) == over
        assert over + DELAY <= at <= over + DELAY + late + GROUP_INTERVAL, (series_of(alert), at - over)
    waits = sorted(at - second(alert["startsAt"]) for at, alert in heard["firing"])
    both = len({key[1:] for key in by_whom["firing"]}) != len(by_whom["firing"])
    print(
        f"{'told by both: ' if both else ''}{len(told)} violations, {len(wanted) - len(told)} inhibited, {killed} kills:"
        f" told once each, {waits[0]:.1f} to {waits[-1]:.1f} s after their slot, half within {waits[len(waits) // 2]:.1f} s"
    )
    groups = [one for one in receiver.received if one.path == "/grouped"]
    assert len(groups) < len(heard["firing"]) + len(heard["resolved"]), "several in one notification"
    assert {one.body["groupKey"].rpartition(":")[2] for one in groups} == {f'{{set="karmada", slo="{NAME}"}}'}


RESTART_SECONDS = 10.0
"""How long an agent may be away that is killed and started on a busy machine, and one notification more of the other
Alertmanager: they tell each other what was sent."""


def pair(directory: Path, config: str) -> tuple[Alertmanager, Alertmanager]:
    """Two that tell each other what they have sent; the second waits a little, in case the first has sent it."""
    flags = ("--cluster.peer-timeout=2s", "--cluster.gossip-interval=50ms", "--cluster.pushpull-interval=1s")
    one = Alertmanager(directory / "one", config=config, flags=flags)
    return one, Alertmanager(directory / "other", config=config, peers=[one], flags=flags)


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
