"""What `sloagent probe api` says of words and files that do not fit, before anything is asked of an API."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from sloagent.cli.probe.api import command

FILE = """\
prometheus: {url: http://localhost:9090}
slos: [builtin:karmada]
probes:
  clusters: {member1: {}}
  api: [{name: pods, targets: [member1], resource: v1/pods, call: list, closed: {workers: 1}}]
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--resource", "v1/pods"], "--resource needs --call: list, get, update or churn"),
        (["--resource", "pods", "--call", "list", "--workers", "1"], '"pods" is no resource; write version/plural'),
        (["--resource", "v1/pods", "--call", "list"], "say how it is driven"),
        (["--resource", "v1/pods", "--call", "list", "--rate", "50"], '"50" does not say per what time'),
        (
            ["--resource", "v1/pods", "--call", "list", "--rate", "5/s", "--size", "1KiB"],
            "`object` goes with call: churn",
        ),
        (["--resource", "v1/pods", "--call", "churn", "--rate", "5/s"], "--call churn needs --namespace"),
        (
            ["--resource", "v1/pods", "--call", "list", "--workers", "1", "--duration", "5"],
            '"5" has no unit; write 5ms, 5s',
        ),
        (["--rate", "5/s"], "what to do is said with --resource and --call"),
        (["--resource", "v1/pods", "pods"], "keep one"),
        (["nodes"], "no load is named `nodes`; there are: pods"),
    ],
)
def test_a_slip_is_told(tmp_path: Path, monkeypatch, words, said):
    (tmp_path / "sloagent.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(command, words)
    assert done.exit_code == 2
    assert said in done.output


def test_a_load_on_a_cluster_that_nobody_knows_is_refused_with_its_place(tmp_path: Path):
    from sloagent.app.probing import load_probes
    from sloagent.errors import ConfigError

    file = tmp_path / "sloagent.yaml"
    file.write_text(FILE.replace("targets: [member1]", "targets: [member2]"))
    with pytest.raises(ConfigError) as caught:
        load_probes(file)
    assert (
        "targets of the load pods names member2, which is not in probes.clusters (member1)" in caught.value.problems[0]
    )
