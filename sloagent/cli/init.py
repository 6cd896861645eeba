"""`sloagent init`: a commented starter configuration that validates."""

from __future__ import annotations

from pathlib import Path

import click

from sloagent.errors import ConfigError

SLO_FILE = "my-slos.yaml"

AGENT = """\
# The agent's file. Everything but `prometheus` and `slos` has a default; relative paths count from this file.
# Times and sizes carry their unit: 30s, 24h, 16MiB. `sloagent validate sloagent.yaml` checks it.

prometheus:
  url: http://localhost:9090
  # A bearer token, read again whenever the file changes. Others: basic_auth, tls_config, headers, proxy_url.
  # authorization: {credentials_file: token}

# What is promised: shipped sets by name, own files by path or glob.
slos:
  - my-slos.yaml
  # - builtin:karmada           # a Karmada control plane
  # - builtin:karmada-search
  # - builtin:kubernetes        # one Kubernetes control plane

# What the shipped sets leave open, such as the name of a scrape job. `sloagent validate` lists the names.
# parameters:
#   karmada:
#     apiserver: job="karmada-apiserver"

# How Prometheus is asked.
# evaluation:
#   delay: 30s                  # scrapes need this long to arrive
#   catch_up: 24h               # how far back an outage is filled
#   max_queries: 4              # open at a time

# Where verdicts are kept.
store:
  path: sloagent.db
  # retention: 90d

# What only people know of a test bed, for the report: a file with `apiVersion: sloagent/v1`, `kind: Facts` and any of
# background, software, hardware, topology, scale, flags, tools, load and conclusion.
# facts: facts.yaml

# Where the daemon answers: /metrics, /-/healthy, /api/v1/verdicts.
# web: {listen: "127.0.0.1:9469"}
"""

SLOS = """\
# SLOs on Prometheus itself, as examples of the three kinds of SLI. They work wherever Prometheus scrapes itself.
# Every field: docs/configuration.md. `sloagent validate my-slos.yaml` says what is wrong, and where.

apiVersion: sloagent/v1
kind: SLOSet
metadata:
  name: my-slos
  title: My SLOs                # or {en: My SLOs, zh: 我的 SLO}

# $prometheus below stands for this; sloagent.yaml can set another.
parameters:
  prometheus: job="prometheus"

defaults: {interval: 1m, window: 5m}

slos:
  # A latency SLI is a histogram. The name is without _bucket; each combination of the `by` labels is judged by itself.
  - name: query-latency
    title: Answers of Prometheus
    sli:
      latency:
        histogram: prometheus_http_request_duration_seconds
        where: $prometheus
        by: [handler]
    objective:
      percentile: 99
      at_most: 400ms
      # overrides: [{match: {handler: /api/v1/query_range}, at_most: 3s}]
    min_events: 10              # fewer in the window: inconclusive

  # A ratio SLI is good or bad events over all events. $window becomes the window above.
  - name: scrapes-answered
    title: Scrapes that a target answered
    sli:
      ratio:
        good: sum by (job) (avg_over_time(up[$window]))
        total: count by (job) (count_over_time(up[$window]))
    objective: {at_least: 99.9%}

  # A value SLI is any PromQL that gives a number per series; a limit needs its unit.
  - name: memory
    title: Memory of Prometheus
    sli:
      value:
        query: max(process_resident_memory_bytes{$prometheus})
        unit: bytes
    objective: {at_most: 8GiB, warn_at: 6GiB, grows_at_most: 20MiB/h}

  # Not promised yet: measured and shown, never gates.
  - name: series-in-memory
    sli: {value: {query: 'max(prometheus_tsdb_head_series{$prometheus})', unit: series}}
    objective: tbd
"""


@click.command(epilog="Example: sloagent init && sloagent validate sloagent.yaml")
@click.argument("path", default="sloagent.yaml", type=click.Path(path_type=Path))
def command(path: Path) -> None:
    """Write a commented starter configuration to PATH (sloagent.yaml), with an SLO file beside it.

    Nothing is overwritten. PATH may be a directory.
    """
    if path.is_dir():
        path /= "sloagent.yaml"
    beside = path.with_name(SLO_FILE)
    if path == beside:
        raise ConfigError(
            f"the SLO file beside it is named {SLO_FILE} too", hint="choose another name: sloagent init NAME"
        )
    for file in (path, beside):
        if file.exists() or file.is_symlink():
            raise ConfigError(
                f"{file} exists already; nothing was written", hint="choose another place: sloagent init PATH"
            )
    try:
        for file, text in ((path, AGENT), (beside, SLOS)):
            with file.open("x", encoding="utf-8") as target:
                target.write(text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(
            f"{error.filename or path} cannot be written: {reason}", hint="choose another place"
        ) from None
    click.echo(f"Wrote {path} and {beside}.")
    click.echo(f"Next: set prometheus.url in {path}, then")
    click.echo(f"  sloagent validate {path}")
    click.echo(f"  sloagent check -c {path}")
