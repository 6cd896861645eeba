"""Hostile and endless input against the whole product: named bounds, a living process, and nothing that is obeyed."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
import unicodedata
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import faults, remote_write
from tests.agent import SLOAGENT, AgentDirectory, DaemonProcess, wait_until
from tests.e2e.test_report_chromium import browse, complaints
from tests.faults import FaultServer
from tests.prometheus import Prometheus, free_port

SLOS = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 1s, window: 5s}
slos:
  - name: hostile
    section: own
    sli: {value: {query: 'hostile', unit: count}}
    objective: {at_least: 2}
  - name: endless
    sli: {value: {query: 'endless', unit: count}}
    objective: {at_least: 2}
  - name: short
    sli: {value: {query: 'label_replace(endless, "path", "a", "", "")', unit: count}}
    objective: {at_least: 2}
"""
HOSTILE = {
    "script": "<script>document.title='owned'</script>", "end": "</script></style></svg>-->", "bar": "a|b|c",
    "tick": "``` `x`", "lines": "a\nb\r\nc\u2028d\x85e", "turned": "user\u202egpj.exe\u2066", "nul": "nul\x00",
    "terminal": "\x1b[31mred\x1b]0;title\x07\x9b2J", "quotes": "\"'\\\\\"", "link": "[x](javascript:alert(1)) http://e.example",
    "template": "{{ 7 * 7 }}{% raw %}${HOME}", "long": "x" * 3_000, "name": "\U0001f469\u200d\U0001f467 e\u0301\ufeff\u200b",
    "formula": "=cmd|' /C calc'!A0", "sharp": "# heading\n- item", "html": "<img src=x onerror=alert(1)>&amp;",
}  # fmt: skip
INJECTION = "{{ 'x' * 10**9 }}{{ ''.__class__.__mro__ }}{% for a in range(10**9) %}"
DEFINITION = f"""
apiVersion: sloagent/v1
kind: ReportDefinition
metadata: {{name: own}}
title: {{en: "{INJECTION}"}}
sections:
  - name: own
    title: {{en: "{INJECTION}"}}
    blocks: [{{prose: {{en: "{INJECTION}"}}}}, {{show: verdicts}}, {{chart: {{slo: hostile}}}}, {{results: [own]}}]
"""
SCRIPT = re.compile(r"<script.*?</script>", re.DOTALL)
CODE = re.compile(r"<script>.*?</script>", re.DOTALL)
"""Vega and what draws with it: with no text of anybody's, and a few tabs."""
OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One whose series carry what no scrape would: written in by remote write, as other agents do."""
    server = Prometheus(tmp_path_factory.mktemp("bounds") / "data", flags=["--web.enable-remote-write-receiver"])
    with server:
        write(server, 60)
        yield server


def write(server: Prometheus, past_seconds: int = 0) -> None:
    now = int(time.time() * 1000)
    samples = [(now - 1_000 * before, 1.0) for before in range(past_seconds, -1, -1)]
    hostile = [({"__name__": "hostile", "kind": kind, "value": text}, samples) for kind, text in HOSTILE.items()]
    endless = ({"__name__": "endless", "path": "p" * 100_000}, samples)
    remote_write.write(server.url, [*hostile, endless])


@pytest.fixture
def agent(prometheus: Prometheus, tmp_path: Path) -> AgentDirectory:
    write(prometheus)
    made = AgentDirectory(
        tmp_path / "agent", prometheus.url, slos={"own.yaml": SLOS},
        extra="evaluation: {delay: 2s}\nreport: {definition: definition.yaml}\n",
    )  # fmt: skip
    (made.directory / "definition.yaml").write_text(DEFINITION)
    return made


def obeyed(text: str) -> list[str]:
    """The characters of a text that a terminal would obey, or that hide or turn others."""
    return [character for character in text if character != "\n" and unicodedata.category(character) in OBEYED]


def test_hostile_labels_are_shown_in_every_format_and_do_nothing(agent: AgentDirectory, tmp_path: Path):
    said = {form: agent.command("check", "--format", form) for form in ("table", "json", "junit", "markdown")}
    for form, done in said.items():
        assert done.returncode == 1, (form, done.stderr)
        assert "Traceback" not in done.stderr
        assert "max_labels" in done.stdout or form == "markdown", form
        assert not obeyed(done.stdout), form
        assert len(done.stdout) < 200_000, form
    rows = [row for row in json.loads(said["json"].stdout)["verdicts"] if row["slo"] == "hostile"]
    labels = {row["labels"]["kind"]: row["labels"]["value"] for row in rows}
    assert labels == HOSTILE, "data keep every name as it is"
    ET.fromstring(said["junit"].stdout)
    explained = agent.command("explain", "hostile")
    assert not obeyed(explained.stdout)
    done = agent.command("report", "--from", "-10s", "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    for path in (tmp_path / "out").rglob("*"):
        if path.suffix in (".md", ".html", ".json"):
            assert not obeyed(CODE.sub("", path.read_text())), path
            assert path.stat().st_size < 5_000_000
    (page,) = [path for path in (tmp_path / "out").rglob("*.html") if ".zh" not in path.name][:1]
    drawn = browse(tmp_path, "--virtual-time-budget=2000", "--dump-dom", page.as_uri())
    assert complaints(drawn) == []
    assert "owned" not in re.findall(r"<title>(.*?)</title>", drawn.stdout)[0]
    shown, scripts = SCRIPT.subn("", drawn.stdout)
    assert scripts == len(SCRIPT.findall(page.read_text())) > 0, "the page's own, that draw the chart"
    assert not re.findall(r"<(?:script|img|iframe)", shown)
    assert "&lt;script&gt;document.title" in drawn.stdout
    assert INJECTION in page.read_text().replace("&#39;", "'"), "no text is a template"


def test_hostile_labels_go_through_the_daemon_s_metrics_into_a_real_prometheus(
    prometheus: Prometheus, agent: AgentDirectory, tmp_path: Path
):
    scraping = Prometheus(tmp_path / "second")
    scraping._config.write_text(
        "scrape_configs: [{job_name: sloagent, scrape_interval: 1s, scrape_timeout: 1s, "
        f"static_configs: [{{targets: ['127.0.0.1:{agent.port}']}}]}}]\n"
    )
    with DaemonProcess(agent) as daemon, scraping:

        def judged() -> set[str]:
            write(prometheus)
            return {one["outcome"] for one in json.loads(daemon.get("/api/v1/verdicts"))["verdicts"]}

        wait_until(lambda: {"fail", "error"} <= judged(), what="verdicts of both kinds")
        page = daemon.get("/metrics")
        checked = subprocess.run(
            ["promtool", "check", "metrics"], input=page, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "p" * 200 not in page, "labels beyond the bound are not cut into other ones, nor shown"

        def scraped() -> dict[str, str]:
            query = urllib.parse.quote('sloagent_slo_outcome{slo="hostile",outcome="fail"}')
            with urllib.request.urlopen(f"{scraping.url}/api/v1/query?query={query}", timeout=5) as answer:
                result = json.load(answer)["data"]["result"]
            return {entry["metric"].get("kind", ""): entry["metric"].get("value", "") for entry in result}

        wait_until(lambda: len(scraped()) == len(HOSTILE), what="every series in the second Prometheus")
        assert scraped() == HOSTILE
        answered = json.loads(daemon.get("/api/v1/verdicts"))["verdicts"]
        assert any("more than 4,096 (max_labels)" in one["reason"] for one in answered)
        size = daemon.metric("sloagent_store_size_bytes")
        assert size is None or size < 5_000_000
        assert daemon.stop() == 0
    log = daemon.log.read_text()
    assert not obeyed(log)
    assert len(log) < 20_000
    assert "p" * 200 not in agent.dump()


# ---- More than anybody asked for ------------------------------------------------------------------------------------

EVERYTHING = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 1s, window: 5s}
slos:
  - name: everything
    sli: {value: {query: 'many', unit: count}}
    objective: {at_least: 1}
  - name: buckets
    sli: {latency: {histogram: wide_seconds}}
    objective: {percentile: 99, at_most: 1s}
  - name: one
    sli: {value: {query: 'vector(1)', unit: count}}
    objective: {at_least: 1}
"""


def many(number: int) -> bytes:
    return faults.vector(*(({"__name__": "many", "pod": f"pod-{n:06}"}, "1") for n in range(number)), time=time.time())


def wide(number: int) -> bytes:
    return faults.vector(*(({"le": str(n)}, "1") for n in range(number)), ({"le": "+Inf"}, "1"), time=time.time())


def test_answers_with_a_hundred_thousand_series_or_buckets_are_errors_and_change_nothing_else(tmp_path: Path):
    bodies = {"many": many(100_000), "wide": wide(100_000)}

    def answer(exchange: faults.Exchange) -> bool:
        query = exchange.request.form.get("query", "")
        kind = next((kind for kind in bodies if kind in query), "")
        number = "vector" in query
        body = bodies[kind] if kind else faults.vector(({}, "1"), time=time.time()) if number else b""
        if exchange.request.path.endswith("values"):
            body = b'{"status":"success","data":["up"]}'
        elif exchange.request.path.endswith("query_range"):
            return faults.status(503, b"only instants")(exchange)
        return faults.answer(body)(exchange)

    with FaultServer() as server:
        server._whole = answer
        server.heal()
        agent = AgentDirectory(
            tmp_path / "agent", server.url, slos={"own.yaml": EVERYTHING},
            extra="evaluation: {delay: 500ms, query_timeout: 10s}\n",
        )  # fmt: skip
        with DaemonProcess(agent) as daemon:

            def reasons() -> dict[str, str]:
                return {one["slo"]: one["reason"] for one in json.loads(daemon.get("/api/v1/verdicts"))["verdicts"]}

            wait_until(lambda: len(reasons()) == 3, what="verdicts of all three", seconds=60)
            assert "the answer has 100,000 series, more than 1,000 (max_series)" in reasons()["everything"]
            assert "has 100,001 buckets, more than 1,000 (max_buckets)" in reasons()["buckets"]
            assert daemon.metric("sloagent_slo_value", slo="one") == 1.0
            page = daemon.get("/metrics")
            assert "pod-" not in page
            assert len(page) < 100_000
            assert daemon.metric("sloagent_query_failures_total", kind="too_many_series")
            assert daemon.stop() == 0
        assert "pod-" not in agent.dump()


MEMORY = """
import sys
from pathlib import Path
from sloagent.model.samples import Kind, Malformed, Refusal
from sloagent.model.slo import LatencySLI, SLO, ValueSLI
from sloagent.sources.prometheus import PrometheusSource
from sloagent.sources.http_config import PrometheusSettings
sli = ValueSLI("many", "count") if sys.argv[2] == "many" else LatencySLI(("wide",), "", ())
asked = SLO("own", "a", sli, None, 60, 60)
asking = PrometheusSource(PrometheusSettings(url=sys.argv[1]), timeout_seconds=60, max_response_bytes=16 << 20)

def most():  # not ru_maxrss: that counts what the parent had before it became us
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])

before, seen = most(), []
for _ in range(4):
    found = asking.at(asked, 1_700_000_040)
    seen.append(most() - before)
    if isinstance(found, Refusal):
        assert found.kind is Kind.TOO_MANY_SERIES, found
    else:
        assert isinstance(found.series[()], Malformed), found
print(seen[0], seen[-1])
"""


@pytest.mark.parametrize("kind", ["many", "wide"])
def test_the_fullest_answer_that_the_bound_lets_in_takes_a_bounded_amount_of_memory(kind: str):
    body = many(180_000) if kind == "many" else wide(200_000)
    assert len(body) < 16 << 20
    with faults.failing(faults.answer(body)) as server:
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, server.url, kind], capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    first, last = map(int, done.stdout.split())
    assert 0 < first < 20 * 16 * 1024, "KiB; a series that is read takes ten to twenty times its text"
    assert last < first * 1.5, "and nothing of it stays"


# ---- Files ----------------------------------------------------------------------------------------------------------

HEAD = "apiVersion: sloagent/v1\nkind: SLOSet\nmetadata: {name: own}\nslos:\n"
ONE = "  - name: a\n    sli: {value: {query: '%s', unit: count}}\n    objective: {at_least: 1}\n"
FILES = {
    "a bomb of aliases": ("a: &a [x,x,x,x,x,x,x,x,x]\n" + "b: &b [*a,*a,*a,*a,*a,*a,*a]\n" * 20_000, r":1:4: anchors"),
    "20,000 brackets": ("a: " + "[" * 20_000, r":1:5\d: values are nested more than 50 deep"),
    "20,000 braces": ("a: " + "{b: " * 20_000, r":1:\d+: values are nested more than 50 deep"),
    "duplicate keys": ("a: 1\n" * 100_000, r":2:1: \"a\" is written twice; the first is in line 1"),
    "an object of Python": ("a: !!python/object/apply:os.system [date]\n", r":1:4: the tag"),
    "an unknown tag": ("a: !x y\n", r":1:4: the tag"),
    "100 MB": ("# \n" * 33_000_000, "the file is larger than 10 MB"),
    "90,000 unknown fields": (HEAD + ONE % "up" + "".join(f"    f{n}: 1\n" for n in range(90_000)), "problems more are not"),
    "a name of 8 MB": (HEAD + ONE.replace("a", "a" * 8_000_000, 1) % "up", "a value is longer than 65,536"),
    "a field of 8 MB": (HEAD + "? " + "a" * 8_000_000 + "\n: 1\n", r":5:\d+: "),
    "100,000 values": (HEAD + "  - [" + "a," * 300_000 + "]\n", "more than 200,000 values"),
    "20,000 parentheses": (HEAD + ONE % ("(" * 8_000 + "up" + ")" * 8_000), "nested more than 200 deep"),
    "20,000 more of them": (HEAD + ONE % ("(" * 20_000 + "up" + ")" * 20_000), "longer than 16,384 characters"),
    "a chain of operators": (HEAD + ONE % "+".join(["a"] * 8_000), "more than 500 operators"),
    "a chain of signs": (HEAD + ONE % ("-" * 16_000 + "a"), "more than 500 operators"),
    "a chain of powers": (HEAD + ONE % "^".join(["a"] * 8_000), "more than 500 operators"),
    "a chain of words": (HEAD + ONE % " or ".join(["a"] * 3_000), "more than 500 operators"),
    "functions in functions": (HEAD + ONE % ("abs(" * 3_000 + "a" + ")" * 3_000), "nested more than 200 deep"),
    "subqueries": (HEAD + ONE % ("a" + "[1m:1s]" * 2_000), "promql"),
    "parameters of parameters": (
        HEAD.replace("slos:", "parameters: {a: '" + "x" * 60_000 + "'}\nslos:") + ONE % ("$a" * 5_000), "longer than 16,384"
    ),
    "a list of histograms": (
        HEAD + "  - name: a\n    sli: {latency: {histogram: [" + ",".join(f"h{n}" for n in range(50_000))
        + "]}}\n    objective: {percentile: 99, at_most: 1s}\n", "histogram is too long; at most 10 are accepted",
    ),
    "a list of labels": (
        HEAD + "  - name: a\n    sli: {latency: {histogram: h, by: [" + ",".join(f"h{n}" for n in range(50_000))
        + "]}}\n    objective: {percentile: 99, at_most: 1s}\n", "by is too long; at most 30 are accepted",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_made_to_hurt_is_refused_with_its_place_and_the_process_lives(tmp_path: Path, name: str):
    text, words = FILES[name]
    file = tmp_path / "own.yaml"
    file.write_text(text)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(
        [*SLOAGENT, "validate", "own.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    taken = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert done.returncode == 2, done.stderr[-2_000:]
    assert re.search(words, done.stderr), done.stderr[:500]
    assert "own.yaml" in done.stderr.splitlines()[0]
    assert len(done.stderr) < 100_000
    assert "Traceback" not in done.stderr
    assert taken < 10, "seconds of work; a fault that is not bounded takes minutes"


def test_more_files_or_slos_than_can_be_are_refused(tmp_path: Path):
    for number in range(1_001):
        (tmp_path / f"{number}.yaml").write_text("")
    done = subprocess.run(
        [*SLOAGENT, "validate", "*.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert '"*.yaml" names more than 1,000 files (file/number)' in done.stderr
    whole = HEAD + "".join((ONE % "up").replace("name: a", f"name: a{n}") for n in range(10_001))
    (tmp_path / "own.yml").write_text(whole)
    done = subprocess.run(
        [*SLOAGENT, "validate", "own.yml"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "more than 10,000 SLOs (file/number)" in done.stderr


def test_an_environment_made_to_hurt_changes_no_output(tmp_path: Path):
    agent = AgentDirectory(tmp_path / "agent", f"http://127.0.0.1:{free_port()}", slos={"own.yaml": EVERYTHING})
    said = {}
    for columns in ("1000000000", "-5", "x", "0"):
        done = subprocess.run(
            [*SLOAGENT, "check", "-c", "sloagent.yaml"], cwd=agent.directory, capture_output=True, text=True, check=False,
            env={"PATH": "/usr/bin:/bin", "COLUMNS": columns, "LINES": "x", "http_proxy": "http://127.0.0.1:1"}, timeout=60,
        )  # fmt: skip
        said[columns] = (done.returncode, len(done.stdout) < 20_000, "Traceback" in done.stderr)
    assert set(said.values()) == {(3, True, False)}, said
