"""The web file against the real promtool: what one accepts the other accepts, and the differences are listed here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sloagent.app.door import read_rules
from sloagent.errors import ConfigError
from tests.door import Certificates

HASH = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
TLS = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n"
ASKED = TLS + "  client_ca_file: ca.pem\n"

BOTH_ACCEPT = {
    "an open door": "{}\n",
    "a certificate": TLS,
    "a certificate by its full path": "tls_server_config:\n  cert_file: $DIR/server.pem\n  key_file: $DIR/server.key\n",
    "no client certificates, said": TLS + "  client_auth_type: NoClientCert\n",
    "no client certificates, said by nothing": TLS + "  client_auth_type: ''\n",
    "clients that must": ASKED + "  client_auth_type: RequireAndVerifyClientCert\n",
    "clients that may": ASKED + "  client_auth_type: VerifyClientCertIfGiven\n",
    "the newest version": TLS + "  min_version: TLS13\n",
    "the version before": TLS + "  min_version: TLS12\n  max_version: TLS12\n",
    "the client's order": TLS + "  prefer_server_cipher_suites: false\n",
    "suites": TLS + "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_CBC_SHA]\n",
    "suites of 1.3": TLS + "  cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384]\n",
    "no suites": TLS + "  cipher_suites: []\n",
    "a curve": TLS + "  curve_preferences: [CurveP384]\n",
    "another curve": TLS + "  curve_preferences: [CurveP384]\n",
    "HTTP/1.1": "http_server_config: {http2: false}\n",
    "headers": "http_server_config:\n  headers:\n    Strict-Transport-Security: max-age=1\n    X-Frame-Options: deny\n"
    "    X-Content-Type-Options: nosniff\n    X-XSS-Protection: '1'\n    Content-Security-Policy: default-src 'self'\n",
    "a user": f"basic_auth_users: {{anna: '{HASH}'}}\n",
    "two users": f"basic_auth_users:\n  anna: {HASH}\n  bert: {HASH.replace('$2y$10', '$2a$04')}\n",
    "everything": TLS + f"http_server_config: {{http2: false}}\nbasic_auth_users: {{anna: '{HASH}'}}\n",
}
BOTH_REFUSE = {
    "an unknown block": "tls_config: {}\n",
    "an unknown field": TLS + "  ca_file: ca.pem\n",
    "a field twice": TLS + "  cert_file: server.pem\n",
    "a block twice": TLS + TLS,
    "not YAML": "tls_server_config: {cert_file\n",
    "a list": "- tls_server_config\n",
    "no key": "tls_server_config: {cert_file: server.pem}\n",
    "no certificate": "tls_server_config: {key_file: server.key}\n",
    "a certificate that is not there": TLS.replace("server.pem", "none.pem"),
    "a key of another": TLS.replace("server.key", "ca.key"),
    "a certificate that is none": TLS.replace("server.pem", "extensions"),
    "a key that is none": TLS.replace("server.key", "extensions"),
    "authorities that are not there": TLS
    + "  client_ca_file: none.pem\n  client_auth_type: RequireAndVerifyClientCert\n",
    "authorities for nobody": ASKED,
    "an unknown way to ask": TLS + "  client_auth_type: Always\n",
    "an unknown version": TLS + "  min_version: TLS14\n",
    "an unknown suite": TLS + "  cipher_suites: [AES128-SHA]\n",
    "a broken suite": TLS + "  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]\n",
    "an unknown curve": TLS + "  curve_preferences: [P256]\n",
    "a header of the daemon's": "http_server_config: {headers: {Server: x}}\n",
    "a header in other letters": "http_server_config: {headers: {x-frame-options: deny}}\n",
    "a header's wrong value": "http_server_config: {headers: {X-Frame-Options: DENY}}\n",
    "a password": "basic_auth_users: {anna: secret}\n",
    "a hash cut off": f"basic_auth_users: {{anna: '{HASH[:50]}'}}\n",
    "a hash that costs too little": f"basic_auth_users: {{anna: '{HASH.replace('$10$', '$03$')}'}}\n",
    "a hash that costs too much": f"basic_auth_users: {{anna: '{HASH.replace('$10$', '$32$')}'}}\n",
    "a rate": "rate_limit: {interval: 1s, burst: 2}\n",
    "text for a flag": "http_server_config: {http2: 'false'}\n",
}
ONLY_PROMTOOL = {
    "an empty file": "",
    "TLS without a certificate": "tls_server_config: {min_version: TLS13}\n",
    "no TLS": "tls_server_config: {}\n",
    "any certificate": TLS + "  client_auth_type: RequireAnyClientCert\n",
    "any certificate, as it was called": TLS + "  client_auth_type: RequireClientCert\n",
    "certificates nobody looks at": TLS + "  client_auth_type: RequestClientCert\n",
    "certificates of anybody": TLS + "  client_auth_type: RequireAndVerifyClientCert\n",
    "authorities that are none": TLS + "  client_ca_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n",
    "a broken version": TLS + "  min_version: TLS10\n",
    "a version that is going": TLS + "  max_version: TLS11\n",
    "versions that exclude each other": TLS + "  min_version: TLS13\n  max_version: TLS12\n",
    "several curves": TLS + "  curve_preferences: [CurveP256, X25519]\n",
    "HTTP/2": "http_server_config: {http2: true}\n",
    "yes": "http_server_config: {http2: yes}\n",
    "a hash of a faulty program": f"basic_auth_users: {{anna: '{HASH.replace('$2y', '$2x')}'}}\n",
    "a hash that takes seconds": f"basic_auth_users: {{anna: '{HASH.replace('$10$', '$15$')}'}}\n",
    "a user nobody can send": f"basic_auth_users: {{'a:b': '{HASH}'}}\n",
    "an anchor": f"basic_auth_users: {{anna: &hash '{HASH}', bert: *hash}}\n",
    "nothing behind a colon": "basic_auth_users:\n",
}
"""docs/http.md tells the reasons."""
ONLY_SLOAGENT = {
    "names that clients need": ASKED
    + "  client_auth_type: RequireAndVerifyClientCert\n  client_allowed_sans: [spiffe://soak/prometheus]\n",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Certificates(tmp_path_factory.mktemp("web"))
    made.authority()
    made.sign("server")
    return made.directory


def promtool_accepts(file: Path) -> bool:
    done = subprocess.run(["promtool", "check", "web-config", file], capture_output=True, text=True, check=False)
    assert ("SUCCESS" in done.stdout + done.stderr) == (done.returncode == 0), done
    return done.returncode == 0


def sloagent_accepts(file: Path) -> bool:
    try:
        read_rules(file)
    except ConfigError as error:
        assert error.problems
        assert all(problem.startswith(str(file)) for problem in error.problems), error.problems
        assert "$2" not in "".join(error.problems), "a hash is shown"
        return False
    return True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(text, expected, id=name)
        for cases, expected in (
            (BOTH_ACCEPT, (True, True)), (BOTH_REFUSE, (False, False)),
            (ONLY_PROMTOOL, (True, False)), (ONLY_SLOAGENT, (False, True)),
        )
        for name, text in cases.items()
    ],
)  # fmt: skip
def test_promtool_and_sloagent_accept_and_refuse_the_same(text: str, expected: tuple[bool, bool], place: Path) -> None:
    file = place / "web.yml"
    file.write_text(text.replace("$DIR", str(place)))
    assert (promtool_accepts(file), sloagent_accepts(file)) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TLS + "  ca_file: x\n", ':4:3: unknown field "ca_file" (agent/field)'),
        (TLS + TLS, ':4:1: "tls_server_config" is written twice; the first is in line 1 (yaml/duplicate-key)'),
        (TLS.replace("server.key", "ca.key"), "ca.key is not the key of the certificate in "),
        (TLS.replace("server.pem", "none.pem"), "none.pem cannot be read: no such file or directory (agent/value)"),
        (TLS.replace("server.key", "locked.key").replace("server.pem", "locked.pem"), "locked.key is encrypted"),
        (TLS + "  client_auth_type: RequireAnyClientCert\n", "trusts any of them, which sloagent does not do"),
        ("http_server_config: {http2: true}\n", ":1:29: sloagent speaks HTTP/1.1 only (agent/value)"),
        ("basic_auth_users:\n  anna: secret\n", ":2:9: this is no bcrypt hash (agent/value)\n  basic_auth_users"),
        ("basic_auth_users:\n  anna: 12345678\n", ":2:9: this is no bcrypt hash"),
        ("", "the file is empty"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_without_what_is_secret(text: str, said: str, place: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:secret", "-keyout", "locked.key",
         "-out", "locked.pem", "-subj", "/CN=x"],
        cwd=place, check=True, capture_output=True,
    )  # fmt: skip
    file = place / "wrong.yml"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        read_rules(file)
    problems = "\n".join(refused.value.problems)
    assert said in problems.replace("\n  hint", " hint")
    assert "secret" not in problems
    assert "12345678" not in problems
