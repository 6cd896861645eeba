"""What every test starts from: the environment of a user, not that of whoever runs the tests."""

import os
import signal

# Set in many containers; with it Python writes at once, and faults of buffered output would not be seen.
os.environ.pop("PYTHONUNBUFFERED", None)

# A shell that is not interactive lets what it starts in the background ignore Ctrl-C, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
