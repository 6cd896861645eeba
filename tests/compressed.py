"""The recorded run, played quicker and from now on: a Prometheus that knows the next minute."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from sloagent.app import demo_data
from tests.prometheus import Prometheus, blocks_from_openmetrics

RECORDED_INTERVAL = 60


def recorded_from(start: int, interval: int, selectors: Iterable[str], directory: Path) -> int:
    """Write the recorded samples of these selectors as blocks into `directory`, so that the recording begins at `start`.

    A recorded minute takes `interval` seconds. Returns when the recording ends; slots of the recording are slots again.
    """
    with_recording = directory.with_name(directory.name + "-recorded")
    recording = demo_data.unpack(with_recording)
    first = int(recording.start.timestamp()) // RECORDED_INTERVAL * RECORDED_INTERVAL
    last = int(recording.end.timestamp())
    lines = []
    with Prometheus(with_recording) as server:
        for selector in selectors:
            form = urllib.parse.urlencode({"query": f"{selector}[{last - first}s]", "time": last}).encode()
            with urllib.request.urlopen(f"{server.url}/api/v1/query", form, timeout=60) as answer:
                found = json.load(answer)["data"]["result"]
            for series in found:
                labels = dict(series["metric"])
                name = labels.pop("__name__")
                head = name + "{" + ",".join(f"{key}={json.dumps(value)}" for key, value in labels.items()) + "}"
                lines += [
                    f"{head} {value} {start + (at - first) * interval / RECORDED_INTERVAL:.3f}"
                    for at, value in series["values"]
                ]
    blocks_from_openmetrics("\n".join([*lines, "# EOF", ""]), directory)
    return start + (last - first) * interval // RECORDED_INTERVAL
