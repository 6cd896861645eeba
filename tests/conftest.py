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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move them to the front, where workers that take a file each begin."""
    items.sort(key=lambda item: item.path.stem not in IN_REAL_TIME)
