"""`sloagent probe throughput`: receive blocks for some seconds, and print what iperf prints and how evenly they came."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sloagent.cli.probe import once

if TYPE_CHECKING:
    from sloagent.probes.summary import Summary
    from sloagent.probes.throughput import Received

SCHEMA = "sloagent/probe-throughput/v1"
_PERCENTS = (50, 90, 99, 100)


@click.command(
    short_help="how much comes from a sending side, second by second",
    epilog="Example: sloagent probe throughput http://10.244.1.7:9471 --connections 4 --pace 125MB/s",
)
@click.argument("url")
@click.option("--connections", type=int, default=1, show_default=True, help="How many at once.")
@click.option(
    "--block", default="128KiB", show_default=True, metavar="SIZE", help="Of which the intervals are measured."
)
@click.option("--pace", metavar="RATE", help="Over all connections, such as 125MB/s; without it as fast as it goes.")
@click.option("--duration", default="10s", show_default=True, metavar="DURATION", help="How long to receive.")
@click.option("--timeout", default="10s", show_default=True, metavar="DURATION", help="For connecting.")
@once.trust
@once.output
def command(
    url: str,
    connections: int,
    block: str,
    pace: str | None,
    duration: str,
    timeout: str,
    ca_file: Path | None,
    insecure: bool,
    csv_file: Path | None,
    form: str,
) -> None:
    """Receive blocks from the sending side at URL (`sloagent probe serve`), and print how much came each second.

    Then come the intervals between blocks, each connection's by itself. Exits with 3 where the run was not whole.
    """
    from sloagent.errors import SloagentError
    from sloagent.probes.http_settings import TLSSettings
    from sloagent.probes.summary import Summary
    from sloagent.probes.throughput import receive
    from sloagent.probes.throughput_settings import ThroughputSettings
    from sloagent.probes.wire import Wire, WireError

    settings = once.given(
        ThroughputSettings, name="url", url=url, connections=connections, block=block, pace=pace, duration=duration,
        every=86_400.0, timeout=timeout, tls_config=TLSSettings(ca_file=ca_file, insecure_skip_verify=insecure),
    )  # fmt: skip
    try:
        received = receive(settings, Wire())
    except WireError as error:
        raise SloagentError(
            f"{url}: {error}", hint="is `sloagent probe serve` running there, and reachable from here?"
        ) from None
    intervals = Summary("block", received.gaps)
    click.echo(_json(url, received, intervals) if form == "json" else _table(received, intervals))
    if csv_file is not None:
        once.write_csv(csv_file, ("from_seconds", "to_seconds", "bytes", "bytes_per_second"), _rows(received))


def _rows(received: Received) -> list[tuple[float, float, int, float]]:
    ends = [min(float(end), received.seconds) for end, _ in zip(count(1), received.bytes_each_second, strict=False)]
    return [
        (float(begin), end, size, size / (end - begin))
        for begin, (end, size) in enumerate(zip(ends, received.bytes_each_second, strict=True))
    ]


def _table(received: Received, intervals: Summary) -> str:
    from sloagent.probes.summary import columns, written

    rows = [("Interval", "Transfer", "Bandwidth", "")]
    for begin, end, size, rate in [*_rows(received), (0.0, received.seconds, received.bytes, received.rate)]:
        rows.append((
            f"{begin:.1f}-{end:.1f} s", f"{size / 2**20:.1f} MiB", f"{rate / 1e6:.1f} MB/s", f"{rate * 8 / 1e9:.3f} Gbit/s",
        ))  # fmt: skip
    told = ", ".join(
        f"{'max' if percent == 100 else f'P{percent}'} {written(intervals.percentile(percent))}"
        for percent in _PERCENTS
    )
    lines = [line.rstrip() for line in columns(rows)]
    return "\n".join([*lines, "", f"{len(intervals.latencies)} intervals between blocks: {told}"])


def _json(url: str, received: Received, intervals: Summary) -> str:
    head = ("from_seconds", "to_seconds", "bytes", "bytes_per_second")
    answer = {
        "schema": SCHEMA,
        "url": url,
        "bytes": received.bytes,
        "seconds": received.seconds,
        "bytes_per_second": received.rate,
        "each_second": [dict(zip(head, row, strict=True)) for row in _rows(received)],
        "block_intervals": {
            "count": len(intervals.latencies),
            "seconds": {str(percent): intervals.percentile(percent) for percent in _PERCENTS},
        },
    }
    return json.dumps(answer, ensure_ascii=False, indent=2)
