#!/usr/bin/env python3
"""`make bench`: measure, print the table, and with --write keep it in docs/benchmarks.md. Exit 1 if a target is missed."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.bench import asking, command, data, door, figures, filling, judging, long_report, long_run, memory, probing

PARTS = {
    "asking": asking.measure,
    "filling": filling.measure,
    "check": command.measure,
    "memory": memory.measure,
    "judging": judging.measure,
    "door": door.measure,
    "long run": long_run.measure,
    "long report": long_report.measure,
    "probing": probing.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the table in docs/benchmarks.md")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure only this part; may be repeated")
    parser.add_argument("--data", type=Path, metavar="DIRECTORY", help="keep the data there, and use it if it is there")
    options = parser.parse_args()
    if options.write and options.only:
        parser.error("--write keeps the whole table: leave --only out")
    started = time.monotonic()

    def say(words: str) -> None:
        print(f"{time.monotonic() - started:5.0f} s  {words}", file=sys.stderr, flush=True)

    measured: list[figures.Figure] = []
    with tempfile.TemporaryDirectory(prefix="sloagent-bench-") as temporary:
        say("making data")
        if options.data:
            options.data.mkdir(exist_ok=True)
        with data.ground(options.data or Path(temporary)) as ground:
            for name in options.only or PARTS:
                say(name)
                measured += PARTS[name](ground)
    say("done")
    print(f"{figures.machine()}\n\n{figures.table(measured)}")
    if options.write:
        figures.write(measured)
    return 1 if any(figure.met is False for figure in measured) else 0


if __name__ == "__main__":
    sys.exit(main())
