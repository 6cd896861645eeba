"""What every test starts from: the environment of a user, not that of whoever runs the tests."""

import os

# Set in many containers; with it Python writes at once, and faults of buffered output would not be seen.
os.environ.pop("PYTHONUNBUFFERED", None)
