"""The server as a test has it: started, addressed, told what to do, asked for the truth, stopped."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import yaml

from tests.door import Certificates

ROOT = Path(__file__).resolve().parent.parent.parent
RECORDING = ROOT / "tests" / "data" / "watch" / "recording.jsonl.xz"
RECORDED = ("karmada", "member1", "member2", "member3", "member4")
"""The clusters of the recording; of member4 no objects were recorded."""
TOKEN = "token-of-the-probe"


class Change(NamedTuple):
    """One line of the truth: when a change was made (monotonic), which, and when it was first sent to any watch."""

    at: float
    cluster: str
    resource: str
    type: str
    namespace: str
    name: str
    uid: str
    version: int
    sent: float | None


class World:
    """Clusters in a server of its own; the first one is also at the root, where a service account finds it.

    Below `directory`: `kubeconfig` (a context for each cluster, a token), `kubeconfig-certificates` (the same with
    client certificates), `serviceaccount/` (token, ca.crt, namespace), `ca.pem`.
    """

    def __init__(self, directory: Path, clusters: Iterable[str], *, tls: bool = True, port: int = 0) -> None:
        self.directory = directory
        self.clusters = tuple(clusters)
        self.token = TOKEN
        self._tls = tls
        self._asked_port = port
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self._control = ""

    @property
    def url(self) -> str:
        """The root; a cluster is at `/c/NAME` below it."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def kubeconfig(self) -> Path:
        """With a token."""
        return self.directory / "kubeconfig"

    @property
    def pid(self) -> int:
        """Of the server."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> World:
        self.directory.mkdir(parents=True, exist_ok=True)
        settings: dict[str, object] = {
            "clusters": self.clusters, "tokens": {self.token: "probe"}, "port": self._asked_port,
        }  # fmt: skip
        if self._tls:
            certificates = Certificates(self.directory)
            certificates.authority()
            certificates.sign("server")
            certificates.sign("probe")
            settings |= {
                "ca": str(self.directory / "ca.pem"), "certificate": str(self.directory / "server.pem"),
                "key": str(self.directory / "server.key"),
            }  # fmt: skip
        file = self.directory / "server.json"
        file.write_text(json.dumps(settings))
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.kube.server", str(file)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT,
            )  # fmt: skip
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            self.__exit__()
            raise AssertionError(f"the server did not start: {(self.directory / 'server.log').read_text()}")
        ports = json.loads(said)
        self.port, self._control = ports["port"], f"http://127.0.0.1:{ports['control']}"
        self._write_credentials()
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        assert process is not None
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def control(self, command: str, /, **arguments: object):
        """Have a command done (the methods of `control.Commands`); its answer. AssertionError where it fails."""
        asked = urllib.request.Request(f"{self._control}/{command}", json.dumps(arguments).encode(), method="POST")
        try:
            with urllib.request.urlopen(asked, timeout=900) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{command}: {error.read().decode()}") from None

    def log(self, since: int = 0) -> list[Change]:
        """The truth, in the order of the changes."""
        return [Change(*line) for line in self.control("log", since=since)]

    def replay(
        self, recording: Path = RECORDING, *, start: float = 0.0, seconds: float | None = None, speed: float = 1.0
    ) -> dict:
        """Load a recording (seconds count from its first line); `control("go")` sends it, `finish("replay")` waits."""
        bound = {} if seconds is None else {"seconds": seconds}
        return self.control("replay", path=str(recording), start=start, speed=speed, **bound)

    def finish(self, task: str) -> None:
        """Wait for `replay`, `churn` or `chaos`."""
        self.control("finish", task=task)

    def rotate(self, token: str) -> None:
        """From now on only this token is good; the kubeconfig and the service account are not rewritten."""
        self.control("tokens", tokens={token: "probe"})

    def write_token(self, token: str) -> None:
        """Write a token into the kubeconfig and the service account."""
        self.token = token
        self._write_credentials()

    def _write_credentials(self) -> None:
        account = self.directory / "serviceaccount"
        account.mkdir(exist_ok=True)
        (account / "token").write_text(self.token)
        (account / "namespace").write_text("default")
        if self._tls:
            (account / "ca.crt").write_bytes((self.directory / "ca.pem").read_bytes())
        self._write_kubeconfig("kubeconfig", {"token": self.token})
        if self._tls:
            self._write_kubeconfig("kubeconfig-certificates", {
                "client-certificate": str(self.directory / "probe.pem"), "client-key": str(self.directory / "probe.key"),
            })  # fmt: skip

    def _write_kubeconfig(self, file: str, user: dict[str, str]) -> None:
        trust = {"certificate-authority": str(self.directory / "ca.pem")} if self._tls else {}
        text = yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": self.clusters[0],
            "clusters": [{"name": n, "cluster": {"server": f"{self.url}/c/{n}", **trust}} for n in self.clusters],
            "users": [{"name": "probe", "user": user}],
            "contexts": [{"name": n, "context": {"cluster": n, "user": "probe"}} for n in self.clusters],
        })  # fmt: skip
        half = self.directory / f"{file}.half"
        half.write_text(text)
        half.replace(self.directory / file)
