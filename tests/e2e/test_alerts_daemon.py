"""The daemon's alerts at a real Alertmanager and a webhook: silence, return, reload, and what people ask of them.

A violation is a matter of the time alone, so that it is known to the second when it must be told.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.agent import AgentDirectory, DaemonProcess, wait_until
from tests.alertmanager import Alertmanager
from tests.prometheus import Prometheus, await_first_scrape, scraping_itself
from tests.receiving import Receiving

ENDS_AHEAD_SECONDS = 4
"""Four times the larger of interval and resend, both of a second."""
CONFIG = """
route: {{receiver: told, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: told, webhook_configs: [{{url: '{url}/alertmanager', send_resolved: true}}]}}]
"""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with scraping_itself(tmp_path_factory.mktemp("prometheus") / "data") as server:
        await_first_scrape(server)
        yield server


def violated(begin: int, end: int, name: str = "queue") -> str:
    """An SLO that fails at the slots from `begin` to `end`, both included, and after three in a row is told."""
    query = f"max(0 * up) + (time() >= bool {begin}) * (time() <= bool {end})"
    return f"""
apiVersion: sloagent/v1
kind: SLOSet
metadata: {{name: own}}
defaults: {{interval: 1s, window: 1s, alerts: {{burn_rate: {{enabled: false}}, runbook: 'http://runbook.example.com/queue'}}}}
slos:
  - name: {name}
    sli: {{value: {{query: '{query}', unit: items}}}}
    objective: {{at_most: 0}}
"""


def agent_of(directory: Path, prometheus: Prometheus, slos: str, receivers: str) -> AgentDirectory:
    extra = f"evaluation: {{delay: 500ms}}\nalerts: {{resend: 1s, labels: {{cluster: test}}}}\n{receivers}"
    return AgentDirectory(directory, prometheus.url, slos={"own.yaml": slos}, extra=extra)


def told(receiver: Receiving, path: str, status: str) -> list[tuple[float, dict[str, Any]]]:
    return [(at, alert) for at, alert in receiver.alerts(path) if alert["status"] == status]


def test_a_dead_agent_is_taken_for_recovery_after_four_sendings_and_its_alert_fires_anew_and_says_so(
    prometheus: Prometheus, tmp_path: Path
) -> None:
    begin = int(time.time()) + 4
    with Receiving() as receiver, Alertmanager(tmp_path / "am", config=CONFIG.format(url=receiver.url)) as alertmanager:
        agent = agent_of(
            tmp_path / "agent", prometheus, violated(begin, begin + 600), f"alertmanagers: [{{url: '{alertmanager.url}'}}]\n"
        )  # fmt: skip
        daemon = DaemonProcess(agent).start()
        wait_until(lambda: told(receiver, "/alertmanager", "firing"), 30, "the alert")
        ((at, first),) = told(receiver, "/alertmanager", "firing")
        assert begin + 2 <= at <= begin + 2 + 3
        assert first["labels"] == {
            "alertname": "SLOViolated", "cluster": "test", "set": "own", "severity": "ticket", "slo": "queue",
        }  # fmt: skip
        assert first["annotations"]["runbook_url"] == "http://runbook.example.com/queue"
        wait_until(lambda: time.time() > at + 2 * ENDS_AHEAD_SECONDS, 20, "two lives of an alert")
        assert len(receiver.received) == 1, "it was sent again and again, and kept alive"
        assert daemon.process is not None
        killed = time.time()
        daemon.process.send_signal(signal.SIGKILL)
        daemon.process.wait()
        wait_until(lambda: told(receiver, "/alertmanager", "resolved"), 30, "the end of an alert that nobody resends")
        ((over, _),) = told(receiver, "/alertmanager", "resolved")
        assert killed + ENDS_AHEAD_SECONDS - 2 <= over <= killed + ENDS_AHEAD_SECONDS + 3
        with daemon:
            wait_until(lambda: len(told(receiver, "/alertmanager", "firing")) == 2, 30, "the alert once more")
        _, again = told(receiver, "/alertmanager", "firing")[1]
        assert again["labels"] == first["labels"]
        assert again["startsAt"] == first["startsAt"]
        assert "nothing was told for" in again["annotations"]["description"]


def test_a_webhook_is_told_each_change_once_though_the_agent_is_killed_and_the_webhook_fails(
    prometheus: Prometheus, tmp_path: Path
) -> None:
    begin = int(time.time()) + 3
    end = begin + 12
    with Receiving() as receiver:
        receiver.status = 503
        agent = agent_of(
            tmp_path / "agent", prometheus, violated(begin, end),
            f"webhooks: [{{name: on-call, url: '{receiver.url}/json'}}]\n",
        )  # fmt: skip
        daemon = DaemonProcess(agent).start()
        wait_until(lambda: (daemon.metric("sloagent_alerts_failed_total") or 0) >= 1, 20, "a failed attempt")
        listed = json.loads(agent.command("alerts", "list", "--format", "json").stdout)["alerts"]
        assert [(one["rule"], one["stage"], one["told"]) for one in listed] == [("violated", "firing", {})]
        receiver.status = 200
        wait_until(lambda: receiver.received, 20, "the webhook's word")
        wait_until(lambda: "told on-call, last at" in agent.command("alerts", "list").stdout, 10, "it being remembered")
        for _ in range(3):
            daemon.stop(signal.SIGKILL)
            daemon.start()
        wait_until(lambda: json.loads(daemon.get("/api/v1/alerts"))["unknown"] == [], 20, "its past being looked at")
        assert json.loads(daemon.get("/api/v1/alerts"))["alerts"][0]["slo"] == "queue"
        wait_until(lambda: told(receiver, "/json", "resolved"), 30, "the end")
        wait_until(lambda: time.time() > end + 8, 30, "a few seconds more")
        daemon.stop()
        assert [alert["status"] for _, alert in receiver.alerts("/json")] == ["firing", "resolved"]
        assert "0 firing, 0 pending" in agent.command("alerts", "list").stderr


def test_an_slo_that_a_reload_takes_away_ends_its_alert_and_one_that_stays_keeps_it(
    prometheus: Prometheus, tmp_path: Path
) -> None:
    begin = int(time.time())
    with Receiving() as receiver:
        agent = agent_of(
            tmp_path / "agent", prometheus, violated(begin, begin + 600),
            f"webhooks: [{{name: on-call, url: '{receiver.url}/json'}}]\n",
        )  # fmt: skip
        with DaemonProcess(agent) as daemon:
            wait_until(lambda: told(receiver, "/json", "firing"), 30, "the alert")
            assert daemon.post("/-/reload")[0] == 200
            time_of_reload = time.time()
            wait_until(lambda: time.time() > time_of_reload + 3, 10, "three seconds")
            assert [alert["status"] for _, alert in receiver.alerts("/json")] == ["firing"]
            (agent.directory / "own.yaml").write_text(violated(begin, begin + 600, name="other"))
            assert daemon.post("/-/reload")[0] == 200
            wait_until(lambda: len(receiver.alerts("/json")) >= 3, 20, "the end of one and the beginning of the other")
            said = [(alert["labels"]["slo"], alert["status"]) for _, alert in receiver.alerts("/json")]
            assert said == [("queue", "firing"), ("queue", "resolved"), ("other", "firing")]
            (resolved,) = (alert for _, alert in told(receiver, "/json", "resolved"))
            assert resolved["annotations"]["resolved"] == "its SLO was changed or taken away"


def test_everybody_named_answers_a_test(tmp_path: Path, prometheus: Prometheus) -> None:
    with Receiving() as receiver, Alertmanager(tmp_path / "am", config=CONFIG.format(url=receiver.url)) as alertmanager:
        agent = agent_of(
            tmp_path / "agent", prometheus, violated(0, 1),
            f"alertmanagers: [{{url: '{alertmanager.url}'}}]\n"
            f"webhooks: [{{name: on-call, url: '{receiver.url}/slack', format: slack}}]\n",
        )  # fmt: skip
        done = agent.command("alerts", "test")
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{alertmanager.url}: answered 200 OK\non-call: answered 200 OK\n"
        wait_until(lambda: told(receiver, "/alertmanager", "firing"), 10, "Alertmanager's notification")
        assert told(receiver, "/alertmanager", "firing")[0][1]["labels"]["alertname"] == "SLOTest"
        receiver.status = 500
        done = agent.command("alerts", "test")
        assert done.returncode == 3
        assert "on-call: " in done.stderr
        assert "1 of 2 receivers did not take the test alert" in done.stderr
