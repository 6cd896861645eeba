"""The network probes as a process: scraped by a real Prometheus, judged by the SLO set that ships beside the examples."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.agent import SLOAGENT, wait_until
from tests.prometheus import Prometheus, free_port

SET = (Path(__file__).resolve().parents[2] / "deploy" / "probes" / "network-slos.yaml").read_text()
EVERY_SECOND = re.sub(r"window: \d+m", "window: 1m", SET.replace("interval: 1m", "interval: 1s"))
"""The set, of slots that need not be waited for."""
AGENT = """
prometheus: {{url: '{prometheus}'}}
slos: [every-second.yaml]
parameters: {{network: {{throughput_limit: 10MB/s, answer_limit: 10s}}}}
evaluation: {{delay: 0s}}
probes:
  web: {{listen: '127.0.0.1:{port}'}}
  http:
    - {{name: page, url: 'http://127.0.0.1:{sender}/', every: 100ms}}
    - {{name: gone, url: 'http://127.0.0.1:{sender}/gone', every: 100ms}}
  throughput:
    - {{name: link, url: 'http://127.0.0.1:{sender}', pace: 20MB/s, duration: 500ms, every: 1s}}
    - {{name: nobody, url: 'http://127.0.0.1:{nobody}', duration: 500ms, every: 1s}}
"""
SCRAPES = """
scrape_configs:
  - job_name: probe
    scrape_interval: 500ms
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""


@contextmanager
def running(*words: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (
        log.open("wb") as output,
        subprocess.Popen([*SLOAGENT, "probe", *words], stdout=output, stderr=output) as process,
    ):
        try:
            wait_until(lambda: "listening on" in log.read_text() or process.poll() is not None, 30, "the process")
            assert process.poll() is None, log.read_text()
            yield process
        finally:
            process.kill()


def test_what_the_probes_measure_is_judged_and_what_failed_is_in_no_latency_and_no_throughput(tmp_path: Path) -> None:
    port, sender, nobody = free_port(), free_port(), free_port()
    with (
        Prometheus(tmp_path / "tsdb", config=SCRAPES.format(port=port)) as prometheus,
        running("serve", "--listen", f"127.0.0.1:{sender}", log=tmp_path / "serve.log"),
    ):
        (tmp_path / "every-second.yaml").write_text(EVERY_SECOND)
        file = tmp_path / "sloagent.yaml"
        file.write_text(
            AGENT.format(prometheus=prometheus.url, port=port, sender=sender, nobody=nobody)
        )  # fmt: skip
        with running("run", "-c", str(file), log=tmp_path / "probe.log") as probe:
            query = f"{prometheus.url}/api/v1/query?query=min(increase(sloagent_probe_throughput_runs_total[1m]))>2"

            def measured() -> bool:
                with urllib.request.urlopen(query.replace(">", "%3E"), timeout=5) as answer:
                    return bool(json.load(answer)["data"]["result"])

            wait_until(measured, 60, "three runs of each")
            checked = subprocess.run(
                [*SLOAGENT, "check", "-c", str(file), "--format", "json"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            probe.send_signal(signal.SIGTERM)
            assert probe.wait(10) == 0, (tmp_path / "probe.log").read_text()
    verdicts = {
        (verdict["slo"], verdict["labels"].get("target"), verdict["labels"].get("phase")): verdict["outcome"]
        for verdict in json.loads(checked.stdout)["verdicts"]
    }
    print(verdicts)
    assert verdicts["http-answer", "page", None] == "pass"
    assert verdicts["http-answer", "gone", None] == "no_data"
    assert verdicts["http-phases", "page", "connect"] == verdicts["http-phases", "page", "first_byte"] == "measured"
    assert verdicts["http-answered", "page", None] == "pass"
    assert verdicts["http-answered", "gone", None] == "fail"
    assert verdicts["throughput", "link", None] == "pass"
    assert verdicts["throughput", "nobody", None] == "no_data"
    assert verdicts["throughput-runs", "link", None] == "pass"
    assert verdicts["throughput-runs", "nobody", None] == "fail"
    assert verdicts["block-intervals", "link", None] == "measured"
    assert checked.returncode == 1
