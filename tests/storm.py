"""A storm before a daemon's door, in a process of its own: slow, silent and deaf connections, large headers, many scrapes.

`python -m tests.storm HOST:PORT SECONDS` makes it and prints what became of it as JSON.
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.agent import DaemonProcess
from tests.door import request, say
from tests.prometheus import free_port

SLOW = 600
SILENT = 200
DEAF = 20
LARGE = 4
SCRAPES = 50
SERIES = 1_000
LARGE_BYTES = 1_000_000
PAUSE_SECONDS = 2.0
"""After which who was closed comes back."""

THOUSAND = """
apiVersion: sloagent/v1
kind: SLOSet
metadata: {name: own}
defaults: {interval: 1s, window: 5s}
slos:
  - name: requests
    sli: {latency: {histogram: shop_seconds, by: [resource, verb]}}
    objective: {percentile: 99, at_most: 1s}
"""
"""An SLO of a thousand series, each second."""


def scrapes(port: int) -> str:
    """A Prometheus configuration that scrapes `thousand_series` each second."""
    target = f"static_configs: [{{targets: ['127.0.0.1:{port}']}}]"
    return f"scrape_configs: [{{job_name: shop, scrape_interval: 1s, {target}}}]\n"


def shown(daemon: DaemonProcess) -> int:
    """How many series a daemon shows."""
    return daemon.get("/metrics", timeout=30).count('outcome="pass",')


@dataclass
class Result:
    """What became of the storm's connections."""

    closed: int = 0
    """Slow, silent and deaf ones that the daemon ended."""
    refused: int = 0
    """Large headers that got a 431 or were cut off."""
    scraped: list[float] = field(default_factory=list)
    """Seconds of each whole scrape."""
    broken: list[str] = field(default_factory=list)
    """Scrapes that were not whole."""


class Storm:
    """All of it, on one event loop."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self.result = Result()

    async def rage(self, seconds: float) -> Result:
        """Go on for so long."""
        kinds = [self._held(b"GET /metrics HTTP/1.1\r\nHost: x\r\nA: ", b"a") for _ in range(SLOW)]
        kinds += [self._held(b"", b"") for _ in range(SILENT)]
        kinds += [self._held(request("GET /metrics").encode(), b"") for _ in range(DEAF)]
        kinds += [self._large() for _ in range(LARGE)]
        tasks = [asyncio.create_task(kind) for kind in [*kinds, self._many()]]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome
        return self.result

    async def _held(self, first: bytes, drop: bytes) -> None:
        """Hold a connection as long as it can be held, again and again. What is sent to it is not read."""
        loop = asyncio.get_running_loop()
        while True:
            with socket.socket() as plain:
                plain.setblocking(False)
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                with suppress(OSError):
                    await loop.sock_connect(plain, (self._host, self._port))
                    await loop.sock_sendall(plain, first)
                    while not self._is_ended(plain):
                        await asyncio.sleep(0.5)
                        await loop.sock_sendall(plain, drop)
            self.result.closed += 1
            await asyncio.sleep(PAUSE_SECONDS)

    def _is_ended(self, plain: socket.socket) -> bool:
        try:
            return plain.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False

    async def _large(self) -> None:
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection(self._host, self._port)
                writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\nA: " + b"x" * LARGE_BYTES + b"\r\n\r\n")
                with suppress(OSError):
                    await reader.read()
                writer.close()
            self.result.refused += 1
            await asyncio.sleep(0.2)

    async def _many(self) -> None:
        """So many at once, each second, asked as Prometheus asks."""
        while True:
            begun = time.monotonic()
            await asyncio.gather(*(self._scrape() for _ in range(SCRAPES)))
            await asyncio.sleep(max(0.0, begun + 1 - time.monotonic()))

    async def _scrape(self) -> None:
        begun = time.monotonic()
        try:
            reader, writer = await asyncio.open_connection(self._host, self._port, limit=1 << 20)
            writer.write(request("GET /metrics", "Accept-Encoding: gzip", "Connection: close").encode())
            page = await reader.read()
            writer.close()
        except OSError as error:
            self.result.broken.append(repr(error))
            return
        if page.startswith(b"HTTP/1.1 200") and page.endswith(b"0\r\n\r\n"):
            self.result.scraped.append(time.monotonic() - begun)
        else:
            self.result.broken.append(repr(page[:100] + b" ... " + page[-20:]))


@contextmanager
def storm(address: str, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """A storm in a process of its own; `result` waits for its end."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.storm", address, str(seconds)], stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[1],
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def result(process: subprocess.Popen[str]) -> Result:
    """What became of a storm, once it is over."""
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return Result(**json.loads(said))


@dataclass(frozen=True)
class Calm:
    """What a well-behaved client saw meanwhile, and what the daemon took."""

    seconds: list[float]
    """Of each request that was answered."""
    failures: list[str]
    threads: int
    """The most there were."""
    resident_mebibytes: float
    """The most there was."""


def ask_meanwhile(address: str, pid: int, process: subprocess.Popen[str], timeout: float = 30.0) -> Calm:
    """Ask for one page after the other until the storm is over, each over a connection of its own."""
    seconds: list[float] = []
    failures: list[str] = []
    threads, resident = state(pid)
    while process.poll() is None:
        for path in ("/-/healthy", "/-/ready", "/api/v1/slos"):
            begun = time.monotonic()
            try:
                status = say(address, request(f"GET {path}", "Connection: close"), timeout=timeout).status
            except OSError as error:
                failures.append(f"{path}: {error!r}")
                continue
            seconds.append(time.monotonic() - begun)
            if status != 200:
                failures.append(f"{path}: {status}")
        now = state(pid)
        threads, resident = max(threads, now[0]), max(resident, now[1])
        time.sleep(0.02)
    return Calm(seconds, failures, threads, resident)


def state(pid: int) -> tuple[int, float]:
    """Threads and resident MiB of a process."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return int(lines["Threads"]), int(lines["VmRSS"].split()[0]) / 1024


@contextmanager
def thousand_series() -> Iterator[int]:
    """A port that is scraped for a histogram of a thousand label sets, whose counters grow."""
    scraped = 0

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonlocal scraped
            scraped += 1
            lines = ["# TYPE shop_seconds histogram\n"]
            for number in range(SERIES):
                labels = f'resource="resource-{number // 5}",verb="verb-{number % 5}"'
                for place, bound in enumerate(("0.1", "0.5", "1", "2", "5", "+Inf")):
                    count = scraped * (100 + 10 * min(place, 2))
                    lines.append(f'shop_seconds_bucket{{{labels},le="{bound}"}} {count}\n')
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write("".join(lines).encode())

        def log_message(self, *_: object) -> None:
            pass

    port = free_port()
    server = ThreadingHTTPServer(("127.0.0.1", port), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(json.dumps(asdict(asyncio.run(Storm(sys.argv[1]).rage(float(sys.argv[2]))))))
