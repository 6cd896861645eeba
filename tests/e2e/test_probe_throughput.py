"""The throughput probe beside iperf3 on loopback, both paced alike; and the sending side as people start it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.agent import SLOAGENT
from tests.prometheus import free_port

GIGABIT_BYTES = 125_000_000
SECONDS = 5
CLOSE = 0.05
"""Of a gigabit; and between the two programs."""


@contextmanager
def started(*words: str, says: str) -> Iterator[subprocess.Popen[str]]:
    """A server, from its word that it listens."""
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            assert server.stdout is not None
            assert any(says in line for line in server.stdout), "it ended"
            yield server
        finally:
            server.kill()


def iperf3() -> float:
    """Bytes per second that its receiver counted."""
    port = str(free_port())
    with started("iperf3", "--server", "--forceflush", "--port", port, says="Server listening"):
        done = subprocess.run(
            ["iperf3", "--client", "127.0.0.1", "--port", port, "--bitrate", "1G", "--time", str(SECONDS), "--json"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    return json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"] / 8


def ours(url: str, *options: str) -> dict:
    done = subprocess.run(
        [*SLOAGENT, "probe", "throughput", url, "--format", "json", *options],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize("connections", [1, 4])
def test_paced_at_a_gigabit_it_is_where_iperf3_is(connections: int) -> None:
    theirs = iperf3()
    port = free_port()
    with started(*SLOAGENT, "probe", "serve", "--listen", f"127.0.0.1:{port}", says="listening on"):
        answer = ours(
            f"http://127.0.0.1:{port}",
            "--pace",
            "125MB/s",
            "--duration",
            f"{SECONDS}s",
            "--connections",
            str(connections),
        )
    told = f"ours {answer['bytes_per_second'] * 8 / 1e9:.4f} Gbit/s, iperf3 {theirs * 8 / 1e9:.4f} Gbit/s"
    print(told, answer["block_intervals"])
    assert abs(answer["bytes_per_second"] / theirs - 1) < CLOSE, told
    assert abs(answer["bytes_per_second"] / GIGABIT_BYTES - 1) < CLOSE, told
    assert len(answer["each_second"]) == SECONDS
    assert sum(row["bytes"] for row in answer["each_second"]) == answer["bytes"]


def test_each_second_has_what_came_in_it() -> None:
    port = free_port()
    with started(*SLOAGENT, "probe", "serve", "--listen", f"127.0.0.1:{port}", says="listening on"):
        answer = ours(f"http://127.0.0.1:{port}", "--pace", "1MB/s", "--block", "10kB", "--duration", "1200ms")
    first, second = answer["each_second"]
    assert (first["from_seconds"], first["to_seconds"], second["from_seconds"]) == (0, 1, 1)
    assert second["to_seconds"] == answer["seconds"] <= 1.2
    assert 0 < second["bytes"] <= 210_000
    assert second["bytes"] < first["bytes"] <= 1_010_000


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_sending_side_ends_at_a_signal(end: signal.Signals) -> None:
    port = free_port()
    with started(*SLOAGENT, "probe", "serve", "--listen", f"127.0.0.1:{port}", says="listening on") as server:
        server.send_signal(end)
        assert server.wait(10) == 0
