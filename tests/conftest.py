"""What every test starts from: the environment of a user, not that of whoever runs the tests."""

import os
import signal

import pytest

# Set in many containers; with it Python writes at once, and faults of buffered output would not be seen.
os.environ.pop("PYTHONUNBUFFERED", None)

# A shell that is not interactive lets what it starts in the background ignore Ctrl-C, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

IN_REAL_TIME = ("test_probe_replay", "test_probe_chaos", "test_alerts_recorded", "test_house_keeping")
"""Files that mostly wait, and measure moments: they begin, while nothing else has the processors."""
LONGEST = (
    "test_store_faults", "test_fault_peer", "test_fault_signals", "test_canary", "test_store", "test_postgres_daemon",
    "test_soak", "test_replay", "test_rules_export", "test_probe_api", "test_transcripts",
)  # fmt: skip
"""Files of which each takes a worker a minute or more: begun late, they are what the others wait for in the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move these to the front: workers take a file each, in their order."""
    first = {name: place for place, name in enumerate((*IN_REAL_TIME, *LONGEST))}
    items.sort(key=lambda item: first.get(item.path.stem, len(first)))
