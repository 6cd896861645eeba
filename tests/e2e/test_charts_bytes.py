"""The bytes of a chart do not depend on the process that draws it."""

from __future__ import annotations

import hashlib
import subprocess
import sys

from sloagent.report.charts.figure import figure
from sloagent.report.charts.page import scripts
from sloagent.report.charts.picture import png
from sloagent.report.words import Words
from tests.unit.report.charts.test_picture import full
from tests.unit.report.charts.test_stages import STAGES


def seal() -> str:
    """A hash of all that is drawn of two charts, and of the scripts of their page."""
    figures = [figure(one, Words(language)) for one in (full(), STAGES) for language in ("en", "zh")]
    drawn = [repr((one, png(one.picture))) for one in figures]
    return hashlib.sha256("".join([*drawn, *scripts()]).encode()).hexdigest()


def test_another_process_draws_the_same_bytes() -> None:
    program = "from tests.e2e.test_charts_bytes import seal; print(seal())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == seal()
