"""`python -m tests.fuzz.replay TARGET FILE…`: check inputs again, with the traceback of the first that breaks a promise."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.fuzz.run import load
from tests.fuzz.target import bounded


def main() -> int:
    """Check each file; 0 where every promise is kept."""
    target = load(sys.argv[1])
    for seed in target.seeds()[:3]:
        target.check(seed)
    for name in sys.argv[2:]:
        bounded(target.check)(Path(name).read_bytes())
        print(f"{name}: every promise is kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())
