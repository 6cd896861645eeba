"""No message about a file shows a secret of it, however it is written and whatever is wrong beside it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sloagent.app.agent_settings import AgentSettings
from sloagent.config.discretion import LONGEST_SHOWN_LINE, shown_lines, without_secrets
from sloagent.config.effective import effective
from sloagent.config.load import load_agent, load_settings
from sloagent.errors import ConfigError

MISTAKES = {
    "a wrong field behind it": "prometheus: {url: 'http://a:1', basic_auth: {username: u, password: SECRET}, wrong: 1}",
    "a wrong field before it": "prometheus: {wrong: 1, url: 'http://a:1', basic_auth: {username: u, password: SECRET}}",
    "a wrong field in its line": "prometheus:\n  url: http://a:1\n  basic_auth: {usrname: u, password: SECRET}",
    "its name misspelt": "prometheus:\n  url: http://a:1\n  basic_auth:\n    username: u\n    pasword: SECRET",
    "another name for it": "prometheus:\n  url: http://a:1\n  phrase: SECRET",
    "another name in braces": "prometheus: {url: 'http://a:1', phrase: SECRET}",
    "no space behind the colon": "prometheus: {url: 'http://a:1', basic_auth: {username: u, password:SECRET}}",
    "no colon": "prometheus:\n  url: http://a:1\n  basic_auth:\n    username: u\n    password SECRET\n",
    "written twice": "prometheus:\n  url: http://a:1\n  headers:\n    X-A: SECRET\n    X-A: SECRET",
    "an open quote": "prometheus:\n  url: http://a:1\n  headers:\n    X-A: 'SECRET\n",
    "an open brace": "prometheus:\n  url: http://a:1\n  headers: {X-A: b,\nX-B: SECRET\nslos: [a]",
    "a broken list below": "prometheus:\n  url: http://a:1\n  headers:\n    X-A: a\n    - SECRET\n",
    "on a line of its own": "prometheus:\n  url: http://a:1\n  basic_auth:\n    username: u\n    password:\n     - SECRET",
    "as a block": "prometheus:\n  url: http://a:1\n  basic_auth:\n    username: u\n    password: |\n     %SECRET\n    x: y:",
    "an anchor": "prometheus:\n  url: http://a:1\n  headers:\n    X-A: &a SECRET\n    X-B: *a",
    "a tag": "prometheus:\n  url: http://a:1\n  headers:\n    X-A: !!binary SECRET\n",
    "a tab": "prometheus:\n  url: http://a:1\n  headers:\n\tX-A: SECRET\n",
    "a control character": "prometheus:\n  url: http://a:1\n  headers:\n    X-A: SECRET\x01\n",
    "in place of the block": "prometheus:\n  url: http://a:1\n  basic_auth: SECRET\n",
    "in a list": "prometheus:\n  url: http://a:1\n  headers: [SECRET]\n",
    "in the type": "prometheus:\n  url: http://a:1\n  authorization: {type: Bearer SECRET, credentials: SECRET}\n",
    "in the name of a header": "prometheus:\n  url: http://a:1\n  headers: {'X-A SECRET': a}\n",
    "in a header with a line break": 'prometheus:\n  url: http://a:1\n  headers: {X-A: "SECRET\\n"}\n',
    "in the address": "prometheus:\n  url: http://u:SECRET@a:1",
    "in an address with a slash": "prometheus:\n  url: http://u:SECRET/x@a:1",
    "in an address with a space": "prometheus:\n  url: 'http://u:SECRET x@a:1'",
    "in an address without a scheme": "prometheus:\n  url: u:SECRET@a:1",
    "in the address of the proxy": "prometheus: {url: 'http://a:1', proxy_url: 'http://u:SECRET@a:1', wrong: 1}",
    "in the address of the store": "prometheus: {url: 'http://a:1'}\nstore: {url: 'postgresql://u:SECRET@a/b'}",
    "in a parameter of that address": "prometheus: {url: 'http://a:1'}\nstore: {url: 'postgresql://a/b?password=SECRET'}",
    "as a number": "prometheus:\n  url: http://a:1\n  basic_auth: {username: u, password: 7345019}",
    "two of them": "prometheus: {url: 'http://a:1', authorization: {credentials: SECRET, credentials_file: a}}",
    "not UTF-8": "prometheus:\n  url: http://a:1\n  headers:\n    X-A: SECRET\udcff\n",
    "JSON": '{"prometheus": {"url": "http://a:1", "basic_auth": {"username": "u", "password": "SECRET"}, "wrong": 1}}',
}  # fmt: skip
SECRET = "c4nary-7345019"


@pytest.mark.parametrize("text", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_beside_a_secret_is_told_without_it(tmp_path: Path, text: str):
    file = tmp_path / "sloagent.yaml"
    file.write_bytes(text.replace("SECRET", SECRET).encode("utf-8", "surrogateescape") + b"\nslos: [nothing.yaml]\n")
    with pytest.raises(ConfigError) as caught:
        load_agent(file, AgentSettings)
    said = "\n".join([*caught.value.problems, str(caught.value), repr(caught.value.__cause__)])
    assert file.name in said
    assert SECRET not in said
    assert "7345019" not in said


def test_what_stands_below_the_secret_s_block_is_shown_again():
    text = "a: 1\nheaders:\n  X-A: b\n\n  # c\nstore: {path: x}\n  password: y\nslos: [z]"
    assert list(shown_lines(text.split("\n"))) == [
        "a: 1", "headers:", "", "", "", "store: {path: x}", "  password: y", "slos: [z]",
    ]  # fmt: skip


def test_the_place_of_a_secret_is_shown():
    text = "  password_file: /run/secrets/password\n  token_env: TOKEN\n  url: http://a:1/x"
    assert list(shown_lines(text.split("\n"))) == text.split("\n")
    assert without_secrets(text) == text


def test_what_is_in_force_is_shown_without_secrets(tmp_path: Path):
    file = tmp_path / "sloagent.yaml"
    file.write_text(
        f"prometheus: {{url: 'http://a:1', basic_auth: {{username: u, password: {SECRET}}}, headers: {{X-A: {SECRET}}}}}\n"
        "slos: [a.yaml]\n"
    )
    settings = load_settings(file, AgentSettings)
    for shown in (effective(settings), repr(settings), str(settings), settings.model_dump_json()):
        assert SECRET not in shown


@pytest.mark.parametrize("unit", ["pass", "pass-", "://", "url: ", "password=", "a: {", " ", "auth "])
def test_lines_made_to_be_slow_are_looked_at_as_fast_as_others(unit: str):
    line = unit * (LONGEST_SHOWN_LINE // len(unit))
    started = time.process_time()
    list(shown_lines([line] * 50))
    without_secrets(line)
    assert time.process_time() - started < 10, os.linesep.join(["seconds for a megabyte", unit])
