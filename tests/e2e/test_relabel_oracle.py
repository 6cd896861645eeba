"""Relabelling is Prometheus's: the same rules on the same labels, by a real Prometheus and by us."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from pathlib import Path
from random import Random

import pytest
from pydantic import ValidationError

from sloagent.sinks.relabel import RelabelConfig, relabelled
from tests.prometheus import Prometheus

JOBS = 600
NAMES = ("a", "b", "c", "ab")
VALUES = ("", "abc", "a;b", "ABC", "ÄÖßé", "İstanbul ıi", "控制面", "x-1", "10", "a", "b", "$1", "a b")
REGEXES = (
    "(.*)", "", ".+", "a.*", "(a|b)(.*)", "(?i)ABC", "([a-z]+);?(.*)", "(?P<first>.)(.*)", r"\d+", "[^;]*;(.*)",
    r"x-(\d)", "(a)?(.*)", "(?i:abc)|10", r"[\w-]+", "a$|^b", r"\$1", "(x)?", "((a)|(b))+.*", "[A-Z]{1,3}", r"(.*?)(\W?)",
)  # fmt: skip
TEMPLATES = (
    "$1",
    "${1}_$2",
    "$1x",
    "$$",
    "$first",
    "${first}-",
    "",
    "fixed",
    "$9",
    "$01",
    "$0",
    "${",
    "$",
    "控 $1",
    "a$$1",
)
TARGETS = ("a", "b", "new", "${1}", "n_$1", "$first", "n$2")


def rule(random: Random) -> dict[str, object]:
    """A rule as a file has it, such that the target that it is tried on stays one."""
    action = random.choice(
        ("replace", "replace", "replace", "keep", "drop", "keepequal", "dropequal", "hashmod", "labelmap", "labeldrop",
         "labelkeep", "lowercase", "uppercase")
    )  # fmt: skip
    regex = random.choice(REGEXES)
    if action == "labeldrop":
        return {"action": action, "regex": random.choice(("a", "a|b", "[ab]+", "(a.*)", "x"))}
    if action == "labelkeep":
        return {"action": action, "regex": random.choice(("__.*|job|a", "__.*|[bcj].*", "job|.*_.*"))}
    if action == "labelmap":
        replacement = random.choice(("m_$1", "a", "m"))
        return {"action": action, "regex": random.choice(("a(.*)", "(a|b|c)", "(.)b?")), "replacement": replacement}
    found: dict[str, object] = {"action": action, "source_labels": random.sample(NAMES, random.randint(0, 3))}
    if action in ("keep", "drop"):
        found["regex"] = random.choice((regex, "a.*|.*b", ".*"))
    if action not in ("keep", "drop"):
        found["target_label"] = random.choice(TARGETS if action == "replace" else TARGETS[:3])
    if action not in ("keepequal", "dropequal") and random.random() < 0.4:
        found["separator"] = random.choice(("", "-", ";;"))
    if action == "replace":
        found |= {"regex": regex, "replacement": random.choice(TEMPLATES)}
        if random.random() < 0.3:
            del found["regex"]
    if action == "hashmod":
        found["modulus"] = random.choice((1, 2, 10, 2**40, 2**63 - 1))
    return found


def expected(job: str, labels: dict[str, str], rules: list[dict[str, object]]) -> dict[str, str] | None:
    """The labels of the target; None where it is dropped."""
    known = {
        "job": job, "__address__": "127.0.0.1:1", "__scheme__": "http", "__metrics_path__": "/metrics",
        "__scrape_interval__": "1d", "__scrape_timeout__": "1s",
    }  # fmt: skip
    found = relabelled(tuple((labels | known).items()), [RelabelConfig(**one) for one in rules])
    if found is None:
        return None
    shown = {name: value for name, value in found if not name.startswith("__")}
    return {"instance": "127.0.0.1:1", "job": job} | shown if "job" in shown else {"instance": "127.0.0.1:1"} | shown


def test_rules_do_what_they_do_in_prometheus(tmp_path: Path):
    random = Random(6)
    jobs = {
        f"job-{number}": (
            {name: random.choice(VALUES) for name in NAMES},
            [rule(random) for _ in range(random.randint(1, 4))],
        )
        for number in range(JOBS)
    }
    scrapes = [
        {
            "job_name": job, "scrape_interval": "1d", "scrape_timeout": "1s",
            "static_configs": [{"targets": ["127.0.0.1:1"], "labels": labels}], "relabel_configs": rules,
        }
        for job, (labels, rules) in jobs.items()
    ]  # fmt: skip
    with Prometheus(tmp_path / "tsdb", config=json.dumps({"scrape_configs": scrapes}, ensure_ascii=False)) as server:
        deadline = time.monotonic() + 30
        while True:
            with urllib.request.urlopen(f"{server.url}/api/v1/targets", timeout=10) as answer:
                said = json.load(answer)["data"]
            if len(said["activeTargets"]) + len(said["droppedTargets"]) >= JOBS:
                break
            assert time.monotonic() < deadline, "the targets do not come up"
            time.sleep(0.2)
    kept = {target["discoveredLabels"]["job"]: target["labels"] for target in said["activeTargets"]}
    assert 100 < len(kept) < JOBS - 50, "both are tried: targets that stay and targets that go"
    differing = {
        job: (labels, rules, found, kept.get(job))
        for job, (labels, rules) in jobs.items()
        if (found := expected(job, labels, rules)) != kept.get(job)
    }
    assert not differing, "\n".join(f"{job}: {what}" for job, what in differing.items())


REFUSED = {
    "hashmod without modulus": {"action": "hashmod", "target_label": "a"},
    "replace without target": {"action": "replace"},
    "lowercase without target": {"action": "lowercase"},
    "target that is none": {"target_label": "a-b"},
    "target that cannot become one": {"target_label": "$1-"},
    "labelmap to no name": {"action": "labelmap", "replacement": "a-$1"},
    "labeldrop with sources": {"action": "labeldrop", "source_labels": ["a"]},
    "keepequal with a regex": {"action": "keepequal", "source_labels": ["a"], "target_label": "b", "regex": "x"},
    "uppercase with a replacement": {"action": "uppercase", "target_label": "b", "replacement": "x"},
    "lookahead": {"action": "drop", "regex": "a(?=b)"},
    "back-reference": {"action": "drop", "regex": r"(a)\1"},
    "possessive": {"action": "drop", "regex": "a++"},
    "open bracket": {"action": "drop", "regex": "(a"},
    "unknown action": {"action": "dropp"},
    "source that is no name": {"action": "drop", "source_labels": ["a-b"]},
}


def test_what_prometheus_refuses_is_refused(tmp_path: Path):
    for name, wrong in REFUSED.items():
        with pytest.raises(ValidationError):
            RelabelConfig(**wrong)  # type: ignore[arg-type]
        file = tmp_path / "prometheus.yml"
        job = {"job_name": "x", "relabel_configs": [wrong]}
        file.write_text(json.dumps({"scrape_configs": [job]}))
        done = subprocess.run(["promtool", "check", "config", str(file)], capture_output=True, text=True, check=False)
        assert done.returncode != 0, name
