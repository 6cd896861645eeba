"""The daemon's /metrics as Prometheus's own tools see it: promtool has no complaint, and a real Prometheus scrapes it."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

from tests.agent import AgentDirectory, DaemonProcess, wait_until
from tests.prometheus import Prometheus

ODD = 'a"b\\c|<script>名字'
SLOS = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: live}
defaults: {interval: 1s, window: 10s}
slos:
  - name: latency
    sli: {latency: {histogram: prometheus_http_request_duration_seconds, by: [handler, job]}}
    objective: {percentile: 99, at_most: 400ms}
  - name: ratio
    sli:
      ratio: {good: 'sum by (code) (rate(prometheus_http_requests_total[$window]))',
              total: 'sum by (code) (rate(prometheus_http_requests_total[$window]))'}
    objective: {at_least: 99%}
  - name: value
    sli: {value: {query: 'label_replace(max(up{job="prometheus"}), "pod", ODD, "", "")', unit: ratio}}
    objective: {at_least: 100%}
  - name: nothing
    sli: {value: {query: max(no_such_metric), unit: bytes}}
    objective: {at_most: 1GiB}
  - name: refused
    sli: {value: {query: 'max(mad_over_time(up[5s]))', unit: ratio}}
    objective: {at_most: 100%}
  - name: not-promised-yet
    sli: {latency: {histogram: prometheus_http_request_duration_seconds}}
    objective: tbd
""".replace("ODD", json.dumps(ODD, ensure_ascii=False))
SCRAPES = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - {{job_name: prometheus, static_configs: [{{targets: ['127.0.0.1:{prometheus}']}}]}}
  - {{job_name: sloagent, static_configs: [{{targets: ['127.0.0.1:{sloagent}']}}]}}
"""


def ask(server: Prometheus, query: str) -> list[dict]:
    body = urllib.parse.urlencode({"query": query}).encode()
    with urllib.request.urlopen(f"{server.url}/api/v1/query", body, timeout=10) as answer:
        return json.load(answer)["data"]["result"]


def outcomes(daemon: DaemonProcess, slo: str) -> set[str]:
    """The outcomes that any series of the SLO has now."""
    lines = [line for line in daemon.get("/metrics").splitlines() if line.startswith("sloagent_slo_outcome{")]
    return {
        outcome
        for line in lines
        if f'slo="{slo}"' in line and line.endswith(" 1.0")
        for outcome in re.findall(r'outcome="(\w+)"', line)
    }


def test_promtool_has_no_complaint_and_prometheus_reads_every_family(tmp_path: Path) -> None:
    server = Prometheus(tmp_path / "data")
    agent = AgentDirectory(
        tmp_path / "agent",
        server.url,
        slos={"live.yaml": SLOS},
        extra="evaluation: {delay: 500ms}\nalerts: {period: 1h}\n",
    )
    server._config.write_text(SCRAPES.format(prometheus=server.port, sloagent=agent.port))
    with server, DaemonProcess(agent) as daemon:
        for name, outcome in {
            "latency": "pass", "ratio": "pass", "value": "pass", "nothing": "no_data", "refused": "error",
            "not-promised-yet": "measured",
        }.items():  # fmt: skip
            wait_until(lambda name=name, outcome=outcome: outcome in outcomes(daemon, name), what=f"{name}: {outcome}")
        standing = ("sloagent_slo_burn_rate{", "sloagent_slo_error_budget_remaining_ratio{", "sloagent_alerts{")
        wait_until(
            lambda: all(name in daemon.get("/metrics") for name in standing), what="how budgets and alerts stand"
        )
        page = daemon.get("/metrics")
        checked = subprocess.run(
            ["promtool", "check", "metrics"], input=page, capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")

        families = {line.split()[2] for line in page.splitlines() if line.startswith("# HELP ")}
        samples = {line.split("{")[0].split(" ")[0] for line in page.splitlines() if line and line[0] != "#"}
        wait_until(lambda: ask(server, 'up{job="sloagent"} == 1'), what="a scrape of sloagent")
        wait_until(lambda: ask(server, 'sloagent_slo_outcome{slo="value", outcome="pass"} == 1'), what="the verdict")
        wait_until(
            lambda: samples <= {row["metric"]["__name__"] for row in ask(server, '{__name__=~"sloagent_.+"}')},
            what="every family being scraped",
        )
        assert len(families) > 20
        assert "NaN" not in page, "an absent number is an absent sample"
        (odd,) = ask(server, 'sloagent_slo_outcome{slo="value", outcome="pass"}')
        assert odd["metric"]["pod"] == ODD, "a label value comes out as it went in"
        exported = ask(server, 'sloagent_slo_percentile_value{slo="latency", percentile="99"}')
        assert exported
        assert {row["metric"]["exported_job"] for row in exported} == {"prometheus"}
