"""The http probe beside curl, on a server with fixed delays."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sloagent.probes.http import ask
from sloagent.probes.http_settings import HttpSettings, TLSSettings
from tests.door import Certificates
from tests.e2e.delaying import BODY_SECONDS, FIRST_BYTE_SECONDS, HANDSHAKE_SECONDS
from tests.prometheus import free_port

REQUESTS = 200
"""Of both together, taken in turns."""
ROUNDS = 3
"""Asked again where a busy machine held up one of the two: what is wrong by rights is so in every round."""
CLOSE_SECONDS = 0.001
STATED = {
    "connect": "time_connect", "tls": "time_appconnect", "first_byte": "time_starttransfer", "total": "time_total",
}  # fmt: skip
"""Our phase, and what curl calls it."""


@contextmanager
def delaying(*certificate: str) -> Iterator[int]:
    """The server's port."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.delaying", str(port), *certificate], stdout=subprocess.PIPE
    ) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"listening\n"
            yield port
        finally:
            server.terminate()


def curl(url: str, *options: str) -> dict[str, float]:
    """What curl states, by our names."""
    stated = subprocess.run(
        ["curl", "--silent", "--show-error", "--output", "/dev/null", "--http1.1", *options,
         "--write-out", " ".join(f"%{{{name}}}" for name in STATED.values()), url],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return dict(zip(STATED, map(float, stated.split()), strict=True))


def in_turns(settings: HttpSettings, *options: str) -> dict[str, tuple[float, float]]:
    """The medians of each phase: ours and curl's."""

    async def asked() -> list[tuple[dict[str, float], dict[str, float]]]:
        pairs = []
        for _ in range(REQUESTS // 2):
            answered = await ask(settings)
            ours = {phase: answered.times.get(phase, 0.0) for phase in STATED}
            pairs.append((ours, await asyncio.to_thread(curl, settings.url, *options)))
        return pairs

    pairs = asyncio.run(asked())
    return {
        phase: (statistics.median(ours[phase] for ours, _ in pairs), statistics.median(curls[phase] for _, curls in pairs))
        for phase in STATED
    }  # fmt: skip


def close(medians: dict[str, tuple[float, float]]) -> bool:
    return all(abs(ours - curls) < CLOSE_SECONDS for ours, curls in medians.values())


def report(medians: dict[str, tuple[float, float]]) -> str:
    return ", ".join(f"{phase} {ours * 1000:.3f} / {curls * 1000:.3f} ms" for phase, (ours, curls) in medians.items())


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_each_phase_is_what_curl_states_within_a_millisecond(scheme: str, tmp_path: Path) -> None:
    certificate: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    trust = TLSSettings()
    if scheme == "https":
        made = Certificates(tmp_path)
        trust = TLSSettings(ca_file=made.authority())
        certificate = (str(made.sign("server")), str(tmp_path / "server.key"))
        options = ("--cacert", str(trust.ca_file))
    with delaying(*certificate) as port:
        settings = HttpSettings(name="delaying", url=f"{scheme}://127.0.0.1:{port}/", tls_config=trust)
        for _ in range(ROUNDS):
            medians = in_turns(settings, *options)
            print(report(medians))
            if close(medians):
                break
    assert close(medians), report(medians)
    handshake = HANDSHAKE_SECONDS if scheme == "https" else 0.0
    assert medians["tls"][0] >= handshake
    assert medians["first_byte"][0] >= handshake + FIRST_BYTE_SECONDS
    assert medians["total"][0] >= handshake + FIRST_BYTE_SECONDS + BODY_SECONDS
