"""Vega's own JavaScript, as vl-convert carries it, put together in a process of its own: it takes 90 MB for a second."""

from __future__ import annotations

import subprocess
import sys

from sloagent.report.charts.picture import VEGA_LITE, DrawingError, vl_convert

_SNIPPET = "globalThis.vegaEmbed = vegaEmbed;"


def vega() -> str:
    """The script, about 0.9 MB, which defines `vegaEmbed`. Raises DrawingError where vl-convert is not installed."""
    vl_convert()
    done = subprocess.run([sys.executable, "-m", "sloagent.report.charts.bundle"], capture_output=True, check=False)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise DrawingError(f"vl-convert gave no JavaScript: {said[-1] if said else f'it ended with {done.returncode}'}")
    return done.stdout.decode("utf-8")


def main() -> int:
    """Print the script."""
    script: str = vl_convert().javascript_bundle(_SNIPPET, VEGA_LITE)
    sys.stdout.buffer.write(script.encode("utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
