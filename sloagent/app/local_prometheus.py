"""A Prometheus of the demo's own, on loopback, over recorded data: started, waited for, ended."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from sloagent.errors import SourceError

READY_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.05


@contextmanager
def prometheus(data: Path, directory: Path, binary: str = "prometheus", port: int = 0) -> Iterator[str]:
    """Run Prometheus over the TSDB in `data` and give its address; it ends with the block.

    Its log and its empty configuration go to `directory`. Raises SourceError where the program is missing or does not
    come up.
    """
    found = shutil.which(binary)
    if found is None:
        raise SourceError(
            f"no program `{binary}` was found", kind="unreachable", retryable=False,
            hint="install Prometheus (Debian and Ubuntu: apt-get install prometheus), or name it with --prometheus PATH",
        )  # fmt: skip
    configuration, log = directory / "prometheus.yml", directory / "prometheus.log"
    configuration.write_text("# Nothing is scraped: the data is recorded.\n")
    address = f"127.0.0.1:{port or _free_port()}"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the program that the user named
            [
                found, f"--config.file={configuration}", f"--storage.tsdb.path={data}",
                "--storage.tsdb.retention.time=3650d", f"--web.listen-address={address}", "--log.level=warn",
            ],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        _wait(process, f"http://{address}", log)
        yield f"http://{address}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    with requests.Session() as session:
        session.trust_env = False
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if session.get(f"{url}/-/ready", timeout=1).ok:
                    return
            except requests.RequestException:
                pass  # not listening yet; the deadline decides
            time.sleep(_LOOK_EVERY_SECONDS)
    words = log.read_text(errors="replace").strip()[-500:]
    raise SourceError(
        f"Prometheus did not become ready: {words or 'it said nothing'}", kind="unreachable", retryable=False,
        hint=f"its whole log is {log}",
    )  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
