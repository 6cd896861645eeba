"""`sloagent probe http` and `probe throughput`, tried once against real sockets: tables, CSV, JSON, exit codes."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sloagent.cli import cli
from sloagent.errors import ConfigError, SloagentError
from sloagent.probes.blocks import BlockServer
from tests.unit.probes.answering import HELLO, answering

BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def sender() -> Iterator[str]:
    server = BlockServer("127.0.0.1", 0)
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.close()
    thread.join(10)


def probe(*words: str) -> Result:
    return CliRunner().invoke(cli, ["probe", *words])


# ---- http ----------------------------------------------------------------------------------------------------------


def test_the_table_has_a_row_for_each_request_and_then_mean_median_and_max(tmp_path: Path) -> None:
    file = tmp_path / "times.csv"
    with answering(HELLO) as server:
        done = probe("http", server.url, "--count", "3", "--every", "100ms", "--csv", str(file))
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert re.split(r" +\| ", lines[0]) == ["No", "connect (s)", "first byte (s)", "total (s)"]
    assert [line.split()[0] for line in lines[1:7]] == ["1", "2", "3", "mean", "median", "max"]
    totals = [float(line.split(" | ")[-1]) for line in lines[1:7]]
    assert totals[3] == pytest.approx(sum(totals[:3]) / 3, abs=2e-6)
    assert totals[4:] == [sorted(totals[:3])[1], max(totals[:3])]
    assert lines[-1] == "errors: 0/3"
    head, *rows = file.read_text().splitlines()
    assert head == "no,code,failure,connect_seconds,tls_seconds,first_byte_seconds,total_seconds"
    assert [row.split(",")[:3] for row in rows] == [[str(number), "200", ""] for number in (1, 2, 3)]


def test_what_failed_is_a_dash_and_is_counted_and_where_nothing_was_answered_the_exit_code_is_3() -> None:
    with answering(BUSY) as server:
        done = probe("http", server.url, "--count", "2", "--every", "100ms")
    assert isinstance(done.exception, SloagentError)
    assert done.exception.exit_code == 3
    assert done.stdout.splitlines()[-3:] == ["errors: 2/2", "1: the answer is 503", "2: the answer is 503"]
    assert re.search(r"^mean +\| - +\| - +\| -$", done.stdout, re.MULTILINE)


def test_the_json_has_null_for_what_was_not_measured() -> None:
    with answering(BUSY) as server:
        done = probe("http", server.url, "--count", "1", "--format", "json")
    answer = json.loads(done.stdout)
    assert answer["schema"] == "sloagent/probe-http/v1"
    assert answer["requests"] == [
        {"no": 1, "code": 503, "failure": "status: the answer is 503", "connect_seconds": None, "tls_seconds": None,
         "first_byte_seconds": None, "total_seconds": None}
    ]  # fmt: skip
    assert answer["errors"] == 1
    assert answer["summary"]["total_seconds"] == {"mean": None, "median": None, "max": None}


def test_options_reach_the_request() -> None:
    with answering(BUSY) as server:
        done = probe(
            "http", server.url, "--count", "1", "--method", "HEAD", "--header", "Host: traefik.sample-webapp.io",
            "--expect", "503",
        )  # fmt: skip
        assert server.requests[0].startswith("HEAD / HTTP/1.1\r\n")
        assert "\r\nHost: traefik.sample-webapp.io\r\n" in server.requests[0]
    assert done.exit_code == 0, done.output


# ---- throughput ----------------------------------------------------------------------------------------------------


def test_the_rows_are_iperfs_in_bytes_and_bits_and_the_intervals_follow(sender: str, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    done = probe(
        "throughput", sender, "--duration", "300ms", "--pace", "1MB/s", "--block", "10kB", "--csv", str(file)
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    head, second, total, empty, intervals = done.stdout.splitlines()
    assert re.split(r" +\| ", head.rstrip(" |")) == ["Interval", "Transfer", "Bandwidth"]
    row = r"0\.0-0\.3 s \| 0\.[23] MiB +\| (0\.\d|1\.0) MB/s +\| 0\.00\d Gbit/s"
    assert re.fullmatch(row, second)
    assert total == second
    assert not empty
    assert re.fullmatch(r"\d+ intervals between blocks: P50 \S+, P90 \S+, P99 \S+, max \S+", intervals)
    assert file.read_text().startswith("from_seconds,to_seconds,bytes,bytes_per_second\n0.0,0.")


def test_where_nobody_sends_the_exit_code_is_3() -> None:
    with answering(HELLO) as server:
        done = probe("throughput", server.url, "--duration", "300ms", "--pace", "1MB/s", "--block", "10kB")
    assert isinstance(done.exception, SloagentError)
    assert done.exception.exit_code == 3
    assert "this is no sending side" in done.exception.message
    assert not done.stdout


# ---- what is written wrongly ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("http", "host:80"), "url must be like http://host:8000/path"),
        (("http", "http://host/", "--every", "1"), 'every: "1" has no unit'),
        (("http", "http://host/", "--every", "0s"), "every must be at least 100ms"),
        (("http", "http://host/", "--header", "nonsense"), "--header is written 'NAME: VALUE'"),
        (("throughput", "http://host", "--pace", "1Gbit"), 'pace: "1Gbit" does not say per what time'),
        (("throughput", "http://host", "--block", "1KiB"), "without a pace a block has at least 64KiB"),
        (("serve", "--listen", "9471"), "listen: an address is written host:port"),
    ],
)
def test_an_option_that_is_wrong_is_told_as_usage(words: tuple[str, ...], said: str) -> None:
    done = probe(*words)
    assert done.exit_code == 2
    assert said in done.stderr


def test_the_sending_side_says_why_it_cannot_listen(sender: str, tmp_path: Path) -> None:
    taken = probe("serve", "--listen", sender.removeprefix("http://"))
    assert isinstance(taken.exception, ConfigError)
    assert taken.exception.message.endswith(": address already in use")
    (tmp_path / "no.pem").write_text("no certificate")
    wrong = probe("serve", "--listen", "127.0.0.1:0", "--tls", str(tmp_path / "no.pem"), str(tmp_path / "no.pem"))
    assert isinstance(wrong.exception, ConfigError)
    assert "are no certificate with its unlocked key" in wrong.exception.message


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with answering(HELLO) as server:
        done = probe("http", server.url, "--count", "1", "--csv", str(tmp_path / "none" / "times.csv"))
    assert isinstance(done.exception, SloagentError)
    assert done.exception.message == f"{tmp_path / 'none' / 'times.csv'}: no such file or directory"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--block", "32MiB"], "block must be at most 16MiB"),
        (["--connections", "900"], "connections must be at most 64"),
        (["--duration", "1ms"], "duration must be at least 100ms"),
    ],
)
def test_a_number_out_of_bounds_is_told_with_the_bound_in_its_unit(typed, said):
    result = CliRunner().invoke(cli, ["probe", "throughput", "http://127.0.0.1:9", *typed])
    assert result.exit_code == 2
    assert said in result.output
