"""Makes tests/data/watch/ from recorded watch streams of a control plane: every event, but only what a probe reads of it.

    .venv/bin/python scripts/make_watch_recording.py RECORDING [--into tests/data/watch]

RECORDING is a directory with `watch-events.jsonl.gz`, `phases.json` and `groundtruth/*.csv`. It becomes

- `recording.jsonl.xz`: a head (`begin`, unix seconds; `sources`, where each stream is watched), then one event a line, in
  order of arrival: `[microseconds since the line before, source, type, object, change]`. Objects are numbered as they come;
  the first change of one is all of it, the next ones are merge patches (RFC 7386), null where nothing is different.
- `truth.json` (read by tests/kube/truth.py): phases, and what became of each Deployment in each member and of each
  registration, by the ground truth and by the events; seconds since `begin`.

Versions are left out: whoever plays the recording gives its own, in the order of arrival.
"""

import argparse
import csv
import gzip
import json
import lzma
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {
    "templates": ("karmada", "apps/v1/deployments", "Deployment"),
    "policies": ("karmada", "policy.karmada.io/v1alpha1/propagationpolicies", "PropagationPolicy"),
    "rb": ("karmada", "work.karmada.io/v1alpha2/resourcebindings", "ResourceBinding"),
    "works": ("karmada", "work.karmada.io/v1alpha1/works", "Work"),
    "clusters": ("karmada", "cluster.karmada.io/v1alpha1/clusters", "Cluster"),
    "member1": ("member1", "apps/v1/deployments", "Deployment"),
    "member2": ("member2", "apps/v1/deployments", "Deployment"),
    "member3": ("member3", "apps/v1/deployments", "Deployment"),
}
SEPARATORS = (",", ":")
TYPES = ("LISTED", "ADDED", "MODIFIED", "DELETED")
METADATA = ("name", "namespace", "uid", "generation", "creationTimestamp", "deletionTimestamp")
ANNOTATIONS = (
    "resourcetemplate.karmada.io/uid", "resourcetemplate.karmada.io/generation", "resourcebinding.karmada.io/name",
    "resourcebinding.karmada.io/namespace",
)  # fmt: skip
DISTRIBUTION = (
    "namespace", "name", "uid", "member", "kind", "phase", "create_done", "template", "member_seen", "first_arrival",
)  # fmt: skip


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("recording", type=Path)
    arguments.add_argument("--into", type=Path, default=ROOT / "tests" / "data" / "watch")
    given = arguments.parse_args()
    given.into.mkdir(parents=True, exist_ok=True)
    with gzip.open(given.recording / "watch-events.jsonl.gz", "rt") as lines:
        events = [json.loads(line) for line in lines]
    begin = events[0]["t"]
    packed = lzma.compress("\n".join(reduced(events, begin)).encode(), preset=9 | lzma.PRESET_EXTREME)
    (given.into / "recording.jsonl.xz").write_bytes(packed)
    truth = {
        "phases": [
            {"name": p["name"], "start": at(p["start_unix"], begin), "end": at(p["end_unix"], begin), "what": p["what"]}
            for p in json.loads((given.recording / "phases.json").read_text())
        ],
        "distribution": distribution(given.recording, events, begin),
        **registrations(given.recording, events, begin),
    }
    text = ",\n".join(
        f' "{key}": [\n' + ",\n".join(f"  {json.dumps(row, separators=SEPARATORS)}" for row in rows) + "\n ]"
        for key, rows in truth.items()
    )
    (given.into / "truth.json").write_text("{\n" + text + "\n}\n")
    print(f"{len(events)} events in {len(packed)} bytes", file=sys.stderr)


def reduced(events: list[dict], begin: float) -> list[str]:
    """The lines of the recording."""
    names, numbers, states, lines = list(SOURCES), {}, [], []
    before = 0
    lines.append(json.dumps({"begin": begin, "sources": [[name, *SOURCES[name]] for name in names]}))
    for event in events:
        kept = kept_of(event["object"], event["source"])
        micros = round((event["t"] - begin) * 1e6)
        which = (event["source"], kept["metadata"]["uid"])
        if which in numbers:
            number = numbers[which]
            change = difference(states[number], kept)
            states[number] = kept
        else:
            number = numbers[which] = len(states)
            states.append(kept)
            change = kept
        line = [micros - before, names.index(event["source"]), TYPES.index(event["type"]), number, change or None]
        lines.append(json.dumps(line, separators=SEPARATORS))
        before = micros
    return lines


def kept_of(found: dict, source: str) -> dict:
    """What a probe reads of an object."""
    metadata = found["metadata"]
    kept = {key: metadata[key] for key in METADATA if key in metadata}
    labels = {k: v for k, v in metadata.get("labels", {}).items() if "permanent-id" in k or k == "karmada.io/managed"}
    annotations = {k: v for k, v in metadata.get("annotations", {}).items() if k in ANNOTATIONS}
    owners = [{key: owner[key] for key in ("kind", "uid")} for owner in metadata.get("ownerReferences", ())]
    kept |= {k: v for k, v in {"labels": labels, "annotations": annotations, "ownerReferences": owners}.items() if v}
    made: dict[str, object] = {"metadata": kept}
    spec = found.get("spec", {})
    if source == "rb":
        resource = {k: v for k, v in spec["resource"].items() if k != "resourceVersion"}
        made["spec"] = {"resource": resource}
        if spec.get("clusters"):
            made["spec"]["clusters"] = [{"name": cluster["name"]} for cluster in spec["clusters"]]
    elif source == "clusters":
        ready = [
            {"type": c["type"], "status": c["status"]}
            for c in found.get("status", {}).get("conditions", ())
            if c["type"] == "Ready"
        ]
        made["spec"] = {"syncMode": spec["syncMode"]}
        made["status"] = {"conditions": ready} if ready else {}
    return made


def difference(before: dict, after: dict) -> dict:
    """The merge patch from one to the other."""
    patch: dict[str, object] = {key: None for key in before if key not in after}
    for key, value in after.items():
        if isinstance(value, dict) and isinstance(before.get(key), dict):
            if inner := difference(before[key], value):
                patch[key] = inner
        elif before.get(key) != value:
            patch[key] = value
    return patch


def at(unix: float | str, begin: float) -> float | None:
    """Seconds since the recording's begin; None where the ground truth has none."""
    return round(float(unix) - begin, 6) if unix else None


def rows(recording: Path, name: str) -> list[dict[str, str]]:
    with (recording / "groundtruth" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def distribution(recording: Path, events: list[dict], begin: float) -> list[list]:
    """Each Deployment and member of the ground truth, with the times of the events that showed it."""
    templates: dict[tuple[str, str], list[tuple[float, str]]] = {}
    arrivals: dict[tuple[str, str], float] = {}
    for event in events:
        metadata = event["object"]["metadata"]
        if event["type"] == "ADDED" and event["source"] == "templates":
            key = metadata["namespace"], metadata["name"]
            templates.setdefault(key, []).append((event["t"], metadata["uid"]))
        elif event["type"] == "ADDED" and event["source"].startswith("member"):
            made_from = metadata.get("annotations", {}).get("resourcetemplate.karmada.io/uid", "")
            arrivals.setdefault((event["source"], made_from), event["t"])
    told = [list(DISTRIBUTION)]
    for row in rows(recording, "distribution.csv"):
        done = float(row["create_done"])
        shown, uid = min(templates[row["namespace"], row["name"]], key=lambda one: abs(one[0] - done))
        told.append([
            row["namespace"], row["name"], uid, row["member"], row["kind"], row["create_phase"], at(done, begin),
            at(shown, begin), at(row["member_seen"], begin), at(arrivals[row["member"], uid], begin),
        ])  # fmt: skip
    return told


def registrations(recording: Path, events: list[dict], begin: float) -> dict[str, list[dict]]:
    """Registrations and unregistrations: object and Ready of the ground truth; deletion and end as the events show them."""
    joined = [
        {
            "cluster": row["cluster"], "mode": row["mode"], "phase": row["phase"],
            "object": at(row["object_seen"], begin), "ready": at(row["ready_seen"], begin),
        }
        for row in rows(recording, "registration.csv")
    ]  # fmt: skip
    left, leaving = [], {}
    for event in events:
        metadata = event["object"]["metadata"]
        if event["source"] != "clusters":
            continue
        if event["type"] == "DELETED":
            left.append({
                "cluster": metadata["name"], "mode": event["object"]["spec"]["syncMode"],
                "deletion": at(leaving.get(metadata["uid"], ""), begin), "gone": at(event["t"], begin),
            })  # fmt: skip
        elif "deletionTimestamp" in metadata:
            leaving.setdefault(metadata["uid"], event["t"])
    return {"registration": joined, "unregistration": left}


if __name__ == "__main__":
    main()
