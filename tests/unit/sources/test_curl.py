"""The command that repeats a question, as text; the end-to-end tests run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sloagent.sources import curl
from sloagent.sources.http_config import PrometheusSettings

ASKED = "https://p.example:9090/api/v1/query --data-urlencode query=up --data-urlencode time=60"


@pytest.mark.parametrize(
    ("fields", "before"),
    [
        ({}, ""),
        ({"basic_auth": {"username": "a$b", "password_file": Path("/s/p w")}}, "-u \"a\\$b:$(cat '/s/p w')\" "),
        ({"basic_auth": {"username": "a", "password_env": "PW"}}, '-u "a:${PW}" '),
        ({"basic_auth": {"username": "a", "password": "s3cret"}}, '-u "a:${PASSWORD}" '),
        ({"authorization": {"credentials_file": Path("/t")}}, '-H "Authorization: Bearer $(cat /t)" '),
        ({"authorization": {"credentials": "s3cret"}}, '-H "Authorization: Bearer ${CREDENTIALS}" '),
        ({"headers": {"X-Scope-OrgID": "a b"}}, "-H 'X-Scope-OrgID: a b' "),
        ({"headers": {"X-Api-Key": "s3cret"}}, '-H "X-Api-Key: $X_API_KEY" '),
        ({"tls_config": {"ca_file": Path("/ca.pem")}}, "--cacert /ca.pem "),
        ({"tls_config": {"cert_file": Path("/c"), "key_file": Path("/k")}}, "--cert /c --key /k "),
        ({"tls_config": {"insecure_skip_verify": True}}, "-k "),
        ({"proxy_url": "http://proxy:3128"}, "--proxy http://proxy:3128 "),
        ({"follow_redirects": True}, "-L "),
    ],
)
def test_the_settings_become_options_and_no_secret_is_spelled_out(fields: dict[str, object], before: str):
    command = curl.command(PrometheusSettings(url="https://p.example:9090", **fields), "up", "60")
    assert command == f"curl -s {before}{ASKED}"
    assert "s3cret" not in command


def test_a_query_is_quoted_for_the_shell():
    command = curl.command(PrometheusSettings(url="http://p"), "a{b='$(rm -rf /)'}", "60")
    assert """'query=a{b='"'"'$(rm -rf /)'"'"'}'""" in command
