"""Makes deploy/demo/ from a full recording of a control plane: only the families that the shipped sets ask for.

    .venv/bin/python scripts/make_recording.py RECORDING [--into deploy/demo] [--jobs 'karmada-.+|node-exporter']

RECORDING is a directory with `tsdb/` (Prometheus blocks), `phases.json` and `groundtruth/*.csv`. A real Prometheus on a
copy deletes the series that nobody asks for and rewrites the block, so that every sample and every staleness marker
that is left is the recorded one, bit for bit.
"""

import argparse
import csv
import io
import json
import lzma
import math
import re
import shutil
import signal
import sys
import tarfile
import tempfile
import urllib.parse
import urllib.request
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.prometheus import Prometheus  # noqa: E402 - a script runs from anywhere

ALSO = (
    ".+_build_info|etcd_server_version|process_start_time_seconds|process_cpu_seconds_total|up"
    "|node_uname_info|node_os_info|machine_cpu_cores|machine_memory_bytes"
)
"""What the report states about the test bed: kept of every job, so that it knows the members and Prometheus too."""
WITHIN_SECONDS = (0.4, 1.0, 30.0)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("recording", type=Path)
    arguments.add_argument("--into", type=Path, default=ROOT / "deploy" / "demo")
    arguments.add_argument(
        "--jobs",
        default="karmada-.+|node-exporter",
        help="the jobs whose samples to keep, as a PromQL regular expression",
    )
    given = arguments.parse_args()
    given.into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        tsdb = Path(scratch) / "tsdb"
        shutil.copytree(given.recording / "tsdb", tsdb)
        for path in [tsdb, *tsdb.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        kept = reduce(tsdb, given.jobs)
        size = pack(tsdb, given.into / "recording.tar.xz")
    phases = json.loads((given.recording / "phases.json").read_text())
    write(given.into / "phases.json", [{k: p[k] for k in ("name", "start", "end", "what")} for p in phases])
    write(given.into / "truth.json", truth(given.recording / "groundtruth", [p["name"] for p in phases]))
    print(f"{len(kept)} families kept, recording.tar.xz has {size / 1e6:.2f} MB")


def reduce(tsdb: Path, jobs: str) -> list[str]:
    """Delete what no shipped set asks for from the blocks in `tsdb`; returns the families that stay."""
    rules = "\n".join(path.read_text() for path in sorted((ROOT / "rules").glob("karmada*.yaml")))
    words = set(re.findall(r"[A-Za-z_:][A-Za-z0-9_:]*", rules))
    with Prometheus(tsdb, flags=["--web.enable-admin-api"]) as server:
        with urllib.request.urlopen(f"{server.url}/api/v1/label/__name__/values?start=0") as answer:
            names = json.load(answer)["data"]
        asked = [name for name in names if name in words or name.removesuffix("_bucket") in words]
        kept = sorted({*asked, *(name for name in names if re.fullmatch(ALSO, name))})
        unwanted = [f'{{__name__!~"{"|".join(kept)}"}}', f'{{job!~"{jobs}", __name__!~"{ALSO}"}}']
        post(server, "delete_series", [("match[]", matcher) for matcher in unwanted])
        post(server, "clean_tombstones", [])
        server.stop(signal.SIGTERM)
    return kept


def post(server: Prometheus, action: str, fields: list[tuple[str, str]]) -> None:
    url = f"{server.url}/api/v1/admin/tsdb/{action}"
    with urllib.request.urlopen(url, urllib.parse.urlencode(fields).encode()) as answer:
        assert answer.status == 204, answer.read()


def pack(tsdb: Path, target: Path) -> int:
    """Write the blocks as a tar.xz that is the same bytes whenever it is made; returns its size."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for meta in sorted(tsdb.glob("*/meta.json")):
            described = json.loads(meta.read_text())
            # Prometheus names a rewritten block by the clock and a die; the block it came from has a lasting name.
            name = described["compaction"].pop("parents")[0]["ulid"]
            described["compaction"]["sources"] = [name]
            described["ulid"] = name
            meta.write_text(json.dumps(described, indent=1))
            for path in sorted(meta.parent.rglob("*")):
                if path.is_file():
                    entry = tarfile.TarInfo(f"{name}/{path.relative_to(meta.parent)}")
                    entry.size = path.stat().st_size
                    with path.open("rb") as content:
                        archive.addfile(entry, content)
    target.write_bytes(lzma.compress(packed.getvalue(), preset=9 | lzma.PRESET_EXTREME))
    return target.stat().st_size


def truth(directory: Path, phases: list[str]) -> dict[str, object]:
    """The client's side, phase by phase: how long API calls took, and resources to arrive in the members."""
    calls: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows(directory / "api_calls.csv"):
        if row["path"] in {"karmada", "aggregated"}:
            seconds = float(row["latency_s"])
            calls[row["phase"]][f"{row['path']} {kind_of_call(row)}"].append(seconds)
            calls[row["phase"]][f"{row['path']} {row['verb']} {row['resource']} {row['scope']}"].append(seconds)
    arrivals: dict[str, list[float]] = defaultdict(list)
    for row in rows(directory / "distribution.csv"):
        if row["kind"] == "initial":
            arrivals[row["create_phase"]].append(float(row["latency_from_start_s"]))
    return {
        phase: {
            "api_calls": {name: summary(values) for name, values in sorted(calls[phase].items())},
            "distribution": summary(arrivals[phase]) if arrivals[phase] else None,
        }
        for phase in phases
    }


def kind_of_call(row: dict[str, str]) -> str:
    return f"readonly-{row['scope']}" if row["verb"] in {"GET", "LIST"} else "mutating"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def summary(values: list[float]) -> dict[str, object]:
    """Count, percentiles by nearest rank in seconds, and the share within each limit that the sets promise."""
    ordered = sorted(values)
    at = {p: ordered[math.ceil(p / 100 * len(ordered)) - 1] for p in (50, 90, 99)}
    within = {f"{limit:g}": round(sum(v <= limit for v in ordered) / len(ordered), 6) for limit in WITHIN_SECONDS}
    return {"count": len(ordered), "p50": at[50], "p90": at[90], "p99": at[99], "within": within}


def write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
