"""Which proxy the requests to an API take, and that netrc has no say in who we are."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sloagent.probes.credentials import Credentials
from sloagent.probes.endpoint import Endpoint
from sloagent.probes.settings import EndpointSettings


def settings(directory: Path, server: str, **cluster: str) -> EndpointSettings:
    file = directory / "kubeconfig"
    file.write_text(
        json.dumps(
            {
                "current-context": "one",
                "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
                "clusters": [{"name": "one", "cluster": {"server": server, **cluster}}],
                "users": [{"name": "one", "user": {"token": "ours"}}],
            }
        )
    )
    return EndpointSettings(kubeconfig=file)


def proxy_of(found: EndpointSettings) -> str | None:
    credentials = Credentials("one", found)
    asyncio.run(credentials.read())
    return credentials.proxy


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_without_anything_said_there_is_no_proxy(tmp_path):
    assert proxy_of(settings(tmp_path, "https://api.example:6443")) is None


def test_the_environments_proxy_is_taken_but_not_for_hosts_that_no_proxy_names(tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert proxy_of(settings(tmp_path, "https://api.example:6443")) == "http://proxy.example:3128"
    assert proxy_of(settings(tmp_path, "https://inside.example:6443")) is None


def test_the_kubeconfigs_proxy_comes_first(tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://other.example:3128")
    found = settings(tmp_path, "https://api.example", **{"proxy-url": "http://ours.example:3128"})
    assert proxy_of(found) == "http://ours.example:3128"


def test_what_stands_in_netrc_does_not_take_the_place_of_our_token(tmp_path, monkeypatch):
    seen: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.headers["Authorization"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.handle_request, daemon=True).start()
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login else password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    async def ask() -> None:
        endpoint = Endpoint("one", settings(tmp_path, f"http://127.0.0.1:{server.server_port}"))
        try:
            assert await endpoint.send("GET", "/api") == (200, b"")
        finally:
            await endpoint.close()

    asyncio.run(ask())
    server.server_close()
    assert seen == ["Bearer ours"]
