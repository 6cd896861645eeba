"""`sloagent probe check`: what the probes reach and may do, what is missing, and how to grant it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sloagent.cli import options
from sloagent.config.problem import printable
from sloagent.errors import SloagentError

if TYPE_CHECKING:
    from sloagent.probes.permissions import Finding, Need, Reached

ROLE = "sloagent-probe"


@click.command(
    short_help="what the probes reach and may do, and how to grant what is missing",
    epilog="Example: sloagent probe check -c sloagent.yaml",
)
@options.configuration
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="What to print."
)
def command(configuration: Path, form: str) -> None:
    """Tell which API each probe reaches, what it may do there, what is missing, and the rules that grant it.

    Nothing is measured or changed. Exits with 3 where something is missing.
    """
    from sloagent.app.probe_check import looked

    found = looked(configuration)
    click.echo(_json(found) if form == "json" else "\n".join(_lines(found)))
    bad = [reached.name for reached in found if not reached.good]
    if bad:
        raise click.exceptions.Exit(SloagentError.exit_code)


def _lines(found: Sequence[Reached]) -> list[str]:
    lines: list[str] = []
    for reached in found:
        if reached.why_not:
            lines.append(f"{printable(reached.name)}  cannot be asked: {printable(reached.why_not)}")
            continue
        lines.append(f"{printable(reached.name)}  {printable(reached.version)}")
        lines += [f"  {printable(_finding(finding))}" for finding in reached.findings]
        if not reached.findings:
            lines.append("  no probe asks anything of it")
    missing = sum(not finding.met for reached in found for finding in reached.findings)
    unreached = sum(bool(reached.why_not) for reached in found)
    if not found:
        return ["there is nothing to check: probes.clusters is empty, and URLs are tried by `sloagent probe http`"]
    lines += ["", f"{len(found)} APIs: {unreached} cannot be asked, {missing} needs are not met"]
    for reached in found:
        if lacking := [finding.need for finding in reached.findings if finding.lacking and not finding.met]:
            lines += [
                "",
                f"# to grant it in {printable(reached.name)}: bind this to the probe's user or service account",
            ]
            lines.append(_manifests(lacking))
    return lines


def _finding(finding: Finding) -> str:
    need = finding.need
    where = f"{need.name}.{need.resource.group}" if need.resource.group else need.name
    where += f" in {need.namespace}" if need.namespace else ""
    said = "NO" if not finding.met else "--" if finding.lacking else "ok"
    what = finding.why or (f"lacks {', '.join(finding.lacking)}" if finding.lacking else ", ".join(need.verbs))
    return f"{said}  {where}: {what}  ({need.purpose})"


def _manifests(needs: Sequence[Need]) -> str:
    import yaml

    from sloagent.probes.permissions import roles

    made = roles(ROLE, needs)
    return yaml.safe_dump_all(made, sort_keys=False, default_flow_style=None, explicit_start=True).rstrip()


def _json(found: Sequence[Reached]) -> str:
    rows = [
        {
            "cluster": reached.name, "version": reached.version or None, "reached": not reached.why_not,
            "reason": reached.why_not or None,
            "needs": [
                {
                    "resource": str(finding.need.resource), "subresource": finding.need.subresource or None,
                    "namespace": finding.need.namespace or None, "verbs": list(finding.need.verbs),
                    "lacking": list(finding.lacking), "reason": finding.why or None, "met": finding.met,
                    "purpose": finding.need.purpose,
                }
                for finding in reached.findings
            ],
        }
        for reached in found
    ]  # fmt: skip
    return json.dumps({"schema": "sloagent/probe-check/v1", "clusters": rows}, indent=2)
