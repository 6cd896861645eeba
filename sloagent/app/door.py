"""How the daemon's door is made: the web file becomes rules, with the place of every mistake in it."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from starlette.types import ASGIApp

from sloagent.config.findings import Findings
from sloagent.config.load import raise_for, read_document
from sloagent.config.structure import read
from sloagent.web.access import OPEN, Access, Rules, rules
from sloagent.web.server import Server
from sloagent.web.settings import WebSettings
from sloagent.web.telemetry import WebTelemetry
from sloagent.web.tls import UnusableError
from sloagent.web.web_file import WebFile

log = logging.getLogger("sloagent.web")


def open_door(application: ASGIApp, settings: WebSettings, telemetry: WebTelemetry) -> Server:
    """The server, bound and not yet serving. Raises ConfigError for its web file, SloagentError for its address."""
    file = settings.config_file
    access = Access(lambda: OPEN if file is None else read_rules(file), telemetry)
    server = Server(
        application, settings.host, settings.port, settings=settings, access=access, telemetry=telemetry
    )  # fmt: skip
    if not settings.is_loopback and not access.in_force.knows_clients:
        log.warning(
            "listening on %s without asking anybody who they are: whoever reaches it reads everything and may reload;"
            " set web.config_file with basic_auth_users or client certificates, or listen on 127.0.0.1",
            server.address,
        )
    elif not settings.is_loopback and access.in_force.users and access.in_force.tls is None:
        log.warning(
            "listening on %s without TLS: passwords can be read on the way; set tls_server_config in the web file",
            server.address,
        )
    return server


def read_rules(path: Path) -> Rules:
    """The rules of a web file, its certificates read too. Raises ConfigError with every problem.

    No problem shows a line of the file: it holds hashes of passwords.
    """
    document = read_document(path)
    findings = Findings(document)
    file = None
    if document.value is not None:
        file = read(WebFile, document.value, findings, kind="agent", directory=path.parent)
    elif not document.problems:
        findings.add((), "yaml/empty", "the file holds nothing", "write {} for a door that is open to everybody")
    made = None
    if file is not None and not findings.problems:
        try:
            made = rules(path, file)
        except UnusableError as error:
            findings.add(("tls_server_config", error.field), "agent/value", error.why)
    raise_for([replace(problem, source="") for problem in findings.problems])
    assert made is not None
    return made
