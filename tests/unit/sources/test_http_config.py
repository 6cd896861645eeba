"""The connection settings: one good block, one field broken at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from sloagent.config.load import load_settings
from sloagent.sources.http_config import PrometheusSettings

URL = "http://prometheus.example:9090"


@pytest.mark.parametrize("url", [URL, f"{URL}/", "https://mimir.example/prometheus/", "http://[::1]:9090", "http://x"])
def test_an_address_is_taken_without_its_last_slash(url: str):
    assert PrometheusSettings(url=url).url == url.rstrip("/")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "localhost:9090"}, "url must be like http://host:9090"),
        ({"url": "ftp://host"}, "url must be like http://host:9090"),
        ({"url": "http://"}, "url must be like"),
        ({"url": "http://host:99999"}, "url is not an address"),
        ({"url": "http://host:0"}, "url must be like"),
        ({"url": "http://host/?a=b"}, "without query, fragment or spaces"),
        ({"url": "http://ho st"}, "without query, fragment or spaces"),
        ({"url": "http://user:pass@host"}, "must not carry a user or password; use basic_auth"),
        ({"proxy_url": "http://user@proxy"}, "proxy_url must not carry a user"),
        ({"proxy_url": "socks5://proxy:1080"}, "proxy_url must be like"),
        ({"name": " "}, "name must be a printable word"),
        ({"basic_auth": {"username": "a"}}, "exactly one of password, password_file, password_env; found none"),
        (
            {"basic_auth": {"username": "a", "password": "x", "password_file": "y"}},
            "exactly one of password, password_file, password_env; found password and password_file",
        ),
        ({"basic_auth": {"username": "a:b", "password": "x"}}, "cannot contain a colon"),
        ({"authorization": {}}, "exactly one of credentials, credentials_file, credentials_env; found none"),
        ({"authorization": {"type": "Basic", "credentials": "x"}}, 'cannot have the type "Basic"; write basic_auth'),
        ({"authorization": {"type": "a b", "credentials": "x"}}, "the type of authorization must be one word"),
        (
            {"authorization": {"credentials": "x"}, "basic_auth": {"username": "a", "password": "x"}},
            "basic_auth and authorization exclude each other",
        ),
        ({"tls_config": {"cert_file": "a"}}, "cert_file and key_file together"),
        ({"headers": {"Authorization": "x"}}, "set by sloagent itself; use authorization or basic_auth"),
        ({"headers": {"Accept-Encoding": "gzip"}}, "set by sloagent itself"),
        ({"headers": {"bad name": "x"}}, "no name of an HTTP header"),
        ({"headers": {"X-A": "a\r\nX-B: b"}}, "printable ASCII"),
        ({"bearer_token": "x"}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused_with_the_way_out(fields: dict[str, object], words: str):
    with pytest.raises(ValidationError) as caught:
        PrometheusSettings(**({"url": URL} | fields))
    assert words in str(caught.value)


def test_secrets_are_hidden_where_settings_are_shown():
    settings = PrometheusSettings(
        url=URL, basic_auth={"username": "alice", "password": "s3cret-1"}, headers={"X-Api-Key": "s3cret-2"}
    )
    bearer = PrometheusSettings(url=URL, authorization={"credentials": "s3cret-3"})
    for shown in (repr(settings), settings.model_dump_json(), str(settings.model_dump()), repr(bearer)):
        assert "s3cret" not in shown


def test_a_refusal_does_not_repeat_the_secret():
    with pytest.raises(ValidationError) as caught:
        PrometheusSettings(url="http://user:s3cret@host")
    message = "; ".join(error["msg"] for error in caught.value.errors())
    assert "s3cret" not in message


def test_relative_paths_count_from_the_configuration_file(tmp_path):
    file = tmp_path / "sloagent.yaml"
    file.write_text(
        "url: http://prometheus:9090\n"
        "basic_auth: {username: a, password_file: secrets/password}\n"
        "tls_config: {ca_file: ca.pem, cert_file: /etc/tls/cert.pem, key_file: key.pem}\n"
    )
    settings = load_settings(file, PrometheusSettings)
    assert settings.basic_auth is not None
    assert settings.basic_auth.password_file == tmp_path / "secrets/password"
    assert settings.tls_config.ca_file == tmp_path / "ca.pem"
    assert settings.tls_config.cert_file == Path("/etc/tls/cert.pem")
