"""What every test starts from: the environment of a user, not that of whoever runs the tests."""

import os
import signal

import pytest

# Set in many containers; with it Python writes at once, and faults of buffered output would not be seen.
os.environ.pop("PYTHONUNBUFFERED", None)

# A shell that is not interactive lets what it starts in the background ignore Ctrl-C, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

FIRST = ("test_probe_replay", "test_probe_chaos", "test_store_faults")
"""Files that measure moments begin, beside others that mostly wait; then the longest, for which all would wait at last."""
LONG = ("test_transcripts", "test_store")
"""The longest of the quick half begin it, for the same reason."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move them to the front, of all or of their half: workers take a file each, in their order."""
    order = {name: place for place, name in enumerate(FIRST)}

    def place(item: pytest.Item) -> tuple[int, bool, bool]:
        return order.get(item.path.stem, len(FIRST)), "e2e" not in item.path.parts, item.path.stem not in LONG

    items.sort(key=place)
