"""Prometheus as the soak's daemons see it: honest about the world's time, and away or ill in many ways."""

from __future__ import annotations

import http.client
import json
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests import faults
from tests.faults import Exchange, Fault, FaultServer, Request
from tests.prometheus import Prometheus
from tests.soak.world import World

ARRIVE_SECONDS = 10.0
"""For so long a sample is under way, of the world's time; the agent's `evaluation.delay` is 30 s."""
HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"
_EMPTY = {
    "/api/v1/query": {"resultType": "vector", "result": []},
    "/api/v1/query_range": {"resultType": "matrix", "result": []},
}


@dataclass
class Peer:
    """A real Prometheus, the proxy in front of it, and the world in which it lives."""

    prometheus: Prometheus
    proxy: FaultServer
    world: World

    def __post_init__(self) -> None:
        self.proxy._whole = self.honest  # what `heal` brings back
        self.proxy.heal()

    def answered(self, exchange: Exchange) -> tuple[int, list[str], bytes] | None:
        """Status, headers and body of what a Prometheus in the world's time says; None where it hangs up."""
        request = exchange.request
        headers = [f"Date: {_date(self.world.now)}", "Content-Type: application/json"]
        if (data := _EMPTY.get(request.path)) is not None and _asked_until(request) > self.world.now - ARRIVE_SECONDS:
            # It has no samples yet. Whoever takes that for an answer is caught.
            return 200, headers, json.dumps({"status": "success", "data": data}).encode()
        parts = urlsplit(exchange.server.upstream)
        upstream = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            kept = {k: v for k, v in request.headers.items() if k not in ("host", "content-length", "connection")}
            upstream.request(request.method, request.target, request.body, kept)
            reply = upstream.getresponse()
            return reply.status, headers, reply.read()
        except (http.client.HTTPException, OSError):
            return None
        finally:
            upstream.close()

    def honest(self, exchange: Exchange) -> bool:
        """A whole answer."""
        if (answer := self.answered(exchange)) is None:
            return False
        code, headers, body = answer
        return faults.status(code, body, *headers[:1])(exchange)

    def tidy(self) -> None:
        """Forget the questions of the past: there are hundreds of thousands."""
        self.proxy.requests.clear()
        self.proxy._threads[:] = [thread for thread in self.proxy._threads if thread.is_alive()]


class Outage:
    """One way in which Prometheus is away or ill, from `begin` to `end`."""

    def __init__(self, kind: str, peer: Peer) -> None:
        self.kind = kind
        self._peer = peer
        self._ended = threading.Event()
        self._count = 0

    @property
    def blocking(self) -> bool:
        """Whether no question gets an answer at all."""
        return self.kind not in ("slow", "every second question fails")

    def begin(self) -> None:
        """Now it is away."""
        peer = self._peer
        match self.kind:
            case "refused":
                peer.proxy.refuse()
            case "killed":
                peer.prometheus.stop(signal.SIGKILL)
                peer.proxy.refuse()
            case "killed behind a proxy":
                peer.prometheus.stop(signal.SIGKILL)
            case "stopped and started again":
                peer.prometheus.stop()
                peer.proxy.refuse()
            case "frozen":
                self._signal(signal.SIGSTOP)
            case kind:
                peer.proxy.fail(self._answers()[kind])

    def end(self) -> None:
        """Now it is back, with its data."""
        peer = self._peer
        self._ended.set()
        match self.kind:
            case "refused":
                peer.proxy.listen()
            case "killed" | "stopped and started again":
                peer.prometheus.start()
                peer.proxy.listen()
            case "killed behind a proxy":
                peer.prometheus.start()
            case "frozen":
                self._signal(signal.SIGCONT)
            case _:
                peer.proxy.heal()
        peer.tidy()

    def _signal(self, number: signal.Signals) -> None:
        assert self._peer.prometheus._process is not None
        self._peer.prometheus._process.send_signal(number)

    def _answers(self) -> dict[str, Fault]:
        date = f"Date: {_date(self._peer.world.now)}"
        return {
            "slow": faults.delay(0.3, self._peer.honest),
            "every second question fails": self._every_second,
            "silent": self._silent,
            "dripping": faults.drip(b'{"status":"success","data":{' + b" " * 100_000),
            "cut short": self._cut(faults.truncated_length),
            "last chunk lost": self._cut(faults.truncated_chunked),
            "reset in the middle": self._cut(faults.reset),
            "reset": faults.reset(),
            "hung up": faults.hang_up(),
            "503": faults.error(503, "unavailable", "TSDB not ready", date),
            "503 timeout": faults.error(503, "timeout", "query timed out in expression evaluation", date),
            "500 page": faults.status(500, b"<html>internal error</html>", date, kind="text/html"),
            "502": faults.status(502, b"bad gateway", date, kind="text/plain"),
            "429": faults.status(429, b"too many requests", date, "Retry-After: 1", kind="text/plain"),
            "login page": faults.html(),
            "half of the JSON": self._half,
        }

    def _silent(self, exchange: Exchange) -> bool:
        while not self._ended.is_set() and not exchange.wait(0.1):
            pass
        return False

    def _every_second(self, exchange: Exchange) -> bool:
        self._count += 1
        return self._peer.honest(exchange) if self._count % 2 else faults.reset()(exchange)

    def _half(self, exchange: Exchange) -> bool:
        answer = self._peer.answered(exchange)
        return answer is not None and faults.status(200, answer[2][: len(answer[2]) // 2], answer[1][0])(exchange)

    def _cut(self, cut: Callable[[bytes], Fault]) -> Fault:
        def fault(exchange: Exchange) -> bool:
            answer = self._peer.answered(exchange)
            return answer is not None and cut(answer[2])(exchange)

        return fault


KINDS = (
    "refused", "killed", "frozen", "stopped and started again", "503", "cut short", "slow", "silent",
    "killed behind a proxy", "every second question fails", "last chunk lost", "reset in the middle", "503 timeout",
    "dripping", "hung up", "500 page", "reset", "429", "half of the JSON", "502", "login page",
)  # fmt: skip
"""Every way, the most telling ones first, so that a short soak has them."""


def _asked_until(request: Request) -> float:
    form = request.form
    return float(form.get("time") or form.get("end") or 0.0)


def _date(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime(HTTP_DATE)
