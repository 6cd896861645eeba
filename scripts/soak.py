#!/usr/bin/env python3
"""`make soak`: go through generated days with kills, outages, wrong clocks and reloads; exit 1 if anything differs."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.soak.plan import FULL, QUICK, shortened  # noqa: E402
from tests.soak.soak import soak  # noqa: E402

SEED = 20250601


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one day and 24 kills, as `make test` does it")
    parser.add_argument("--days", type=int, default=FULL.days, help="fewer than thirty, with as much a day")
    parser.add_argument("--seed", type=int, default=SEED, help="draws the history and everything that goes wrong")
    parser.add_argument("--directory", type=Path, default=ROOT / "out" / "soak", help="kept if anything is wrong")
    options = parser.parse_args()
    begun = time.monotonic()

    def say(words: str) -> None:
        print(f"{time.monotonic() - begun:5.0f} s  {words}", file=sys.stderr, flush=True)

    scale = QUICK if options.quick else FULL if options.days == FULL.days else shortened(options.days)
    shutil.rmtree(options.directory, ignore_errors=True)
    findings = soak(scale, options.seed, options.directory, ROOT / ".cache" / "soak", say)
    print(findings.text())
    if findings.wrong:
        print(f"\neverything is kept in {options.directory}")
        return 1
    shutil.rmtree(options.directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
