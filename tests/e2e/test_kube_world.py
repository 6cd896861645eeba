"""The server that probes are tested with plays recordings again, keeps a small Karmada, and fails as it is told."""

import json
import time

import pytest

from tests.kube.client import MERGE, Client
from tests.kube.truth import recorded_truth
from tests.kube.world import RECORDED, World

MAPS = "/api/v1/namespaces/default/configmaps"
BINDINGS = "/apis/work.karmada.io/v1alpha2/resourcebindings"
CLUSTERS = "/apis/cluster.karmada.io/v1alpha1/clusters"
WORKS = "/apis/work.karmada.io/v1alpha1/works"
START, SECONDS = 50.0, 8.0


@pytest.fixture
def world(tmp_path):
    with World(tmp_path / "world", RECORDED) as running:
        yield running


@pytest.fixture
def plane(world):
    return Client(world, "karmada")


def until(found, *, seconds=10.0):
    """Wait until a question is answered by something that is true."""
    end = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)
    return answer


def versions(changes, cluster):
    return [change.version for change in changes if change.cluster == cluster]


def test_a_recording_is_played_in_its_own_time_and_order(world, plane):
    loaded = world.replay(start=START, seconds=SECONDS)
    assert loaded["objects"] > 20
    before = len(world.log())
    assert plane.get(BINDINGS)["items"][0]["spec"]["clusters"], "what was bound before the start is there"
    begun = world.control("go")
    world.finish("replay")
    changes = world.log(before)
    assert len(changes) == loaded["events"]
    for cluster in world.clusters:
        numbers = versions(changes, cluster)
        assert numbers == sorted(set(numbers))
    shown = {(change.cluster, change.namespace, change.name): change.at - begun + START
             for change in changes if change.type == "ADDED" and change.resource == "apps/v1/deployments"}  # fmt: skip
    told = [a for a in recorded_truth().distribution if a.template >= START and a.first_arrival < START + SECONDS]
    assert len(told) > 20
    off = sorted(
        max(
            abs(shown[arrival.member, arrival.namespace, arrival.name] - arrival.first_arrival),
            abs(shown["karmada", arrival.namespace, arrival.name] - arrival.template),
        )
        for arrival in told
    )
    assert off[len(off) // 2] < 0.02  # a busy machine may send a few of them late; the log says when


def test_the_truth_tells_when_a_change_was_made_and_when_it_was_first_sent(world, plane):
    with plane.watch(MAPS, resourceVersion="0") as watching:
        before = time.monotonic()
        made = plane.create(MAPS, "a")
        watching.event()
        change = until(lambda: [c for c in world.log() if c.name == "a" and c.sent])[0]
        assert before < change.at <= change.sent < time.monotonic()
        assert (change.cluster, change.resource, change.type) == ("karmada", "v1/configmaps", "ADDED")
        assert change.uid == made["metadata"]["uid"]


def test_streams_are_cut_by_a_reset_in_the_middle_of_a_line_or_well(tmp_path):
    with World(tmp_path / "plain", ["only"], tls=False) as world:  # Python's TLS takes a reset for an end
        client = Client(world, "only")
        for how in ("reset", "line", "end"):
            client.create(MAPS, how)
            with client.watch(MAPS, resourceVersion="0", fieldSelector=f"metadata.name={how}") as watching:
                watching.event()
                assert world.control("cut", how=how, cluster="only", resource="configmaps") == 1
                if how == "end":
                    assert watching.line() == b""
                    continue
                with pytest.raises(ConnectionResetError):
                    half = watching.line()
                    assert how == "line"
                    assert half
                    assert not half.endswith(b"\n")
                    watching.line()


def test_a_stream_is_cut_after_so_many_bytes(world, plane):
    with plane.watch(MAPS, resourceVersion="0") as watching:
        world.control("cut", how="end", resource="configmaps", after_bytes=40)
        plane.create(MAPS, "a")
        assert len(watching.line()) == 40
        assert watching.line() == b""


def test_a_stream_that_is_held_shows_late_what_lists_show_at_once(world, plane):
    with plane.watch(MAPS, resourceVersion="0") as watching:
        world.control("fault", kind="hold", cluster="karmada", resource="configmaps", for_seconds=1.0)
        begun = time.monotonic()
        plane.create(MAPS, "a")
        assert len(plane.get(MAPS)["items"]) == 1
        assert time.monotonic() - begun < 0.5
        watching.event()
        assert time.monotonic() - begun > 0.9
        change = world.log()[-1]
        assert change.at - begun < 0.5 < change.sent - begun
    world.control("fault", kind="hold", lists=True, for_seconds=0.5)
    begun = time.monotonic()
    plane.get(MAPS)
    assert time.monotonic() - begun > 0.4


def test_a_lag_is_of_each_event_and_a_drip_of_each_byte(world, plane):
    with plane.watch(MAPS, resourceVersion="0") as watching:
        world.control("fault", kind="lag", seconds=0.3)
        begun = time.monotonic()
        plane.create(MAPS, "a")
        watching.event()
        assert 0.3 <= time.monotonic() - begun < 1.0
        world.control("clear")
        world.control("fault", kind="drip", bytes_per_second=600)
        begun = time.monotonic()
        plane.create(MAPS, "b")
        size = len(json.dumps(watching.event(), separators=(",", ":")))
        assert time.monotonic() - begun > 0.7 * size / 600


def test_an_event_is_sent_again_as_it_was(world, plane):
    plane.create(MAPS, "a")
    with plane.watch(MAPS, resourceVersion="0") as watching:
        first = watching.line()
        world.control("duplicate", cluster="karmada")
        assert watching.line() == first


def test_a_compaction_in_the_middle_of_a_stream_is_an_error_event(world, plane):
    with plane.watch(MAPS, resourceVersion="0") as watching:
        until(lambda: world.control("state")["streams"])
        world.control("compact", cluster="karmada", streams=True)
        assert watching.event()["object"]["code"] == 410
        assert watching.line() == b""


def test_a_server_that_refuses_stalls_or_answers_as_told(world, plane):
    world.control("fault", kind="answer", status=429, retry_after=3, times=1, resource="configmaps")
    throttled = plane.ask("GET", MAPS)
    assert (throttled.status, throttled.headers["Retry-After"], throttled.said["reason"]) == (
        429,
        "3",
        "TooManyRequests",
    )
    assert plane.ask("GET", MAPS).status == 200
    world.control("fault", kind="refuse", cluster="karmada", for_seconds=0.5)
    with pytest.raises(OSError):
        plane.ask("GET", MAPS)
    assert Client(world, "member1").ask("GET", MAPS).status == 200
    until(lambda: _answers(plane))
    world.control("fault", kind="stall", resource="configmaps", seconds=0.6, every=10)
    begun = time.monotonic()
    plane.get("/api/v1/namespaces")
    assert time.monotonic() - begun < 0.4
    plane.get(MAPS)
    assert 0.3 < time.monotonic() - begun < 1.5


def _answers(client):
    try:
        return client.ask("GET", MAPS).status == 200
    except OSError:
        return False


def test_chance_does_many_things_and_says_what(world, plane):
    plane.create(MAPS, "a")
    world.control("chaos", seed=1, mean_seconds=0.02, seconds=2.0, longest_hold=1.6)
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        try:
            with plane.watch(MAPS, resourceVersion="0") as watching:
                while watching.line():
                    pass
        except OSError:
            pass
    world.finish("chaos")
    assert len({what for _, what, _, _ in world.control("faults_done")}) >= 3


def test_a_template_is_bound_scheduled_and_distributed_and_goes_everywhere_with_its_end(world, plane):
    world.control("karmada", seed=1)
    for member in ("member1", "member2"):
        world.control("join", member=member, ready=True)
    _with_policy(plane, {"clusterAffinity": {"clusterNames": ["member2"]}})
    made = plane.create("/api/v1/namespaces/app/configmaps", "a", metadata={"labels": {"take": "me"}}, data={"x": "1"})
    plane.create("/api/v1/namespaces/app/configmaps", "left-out")
    member = Client(world, "member2")
    found = until(lambda: _found(member, "/api/v1/namespaces/app/configmaps/a"))
    assert found["metadata"]["annotations"]["resourcetemplate.karmada.io/uid"] == made["metadata"]["uid"]
    binding = plane.get(BINDINGS)["items"]
    assert [one["spec"]["resource"]["uid"] for one in binding] == [made["metadata"]["uid"]]
    assert [one["name"] for one in binding[0]["spec"]["clusters"]] == ["member2"]
    known_as = "resourcebinding.karmada.io/permanent-id"
    work = next(w for w in plane.get(WORKS)["items"] if known_as in w["metadata"].get("labels", {}))
    assert work["metadata"]["namespace"] == "karmada-es-member2"
    assert work["metadata"]["labels"][known_as] == binding[0]["metadata"]["labels"][known_as]
    order = [(c.cluster, c.resource.rpartition("/")[2], c.type) for c in world.log() if c.name.startswith("a")]
    assert order.index(("karmada", "resourcebindings", "ADDED")) < order.index(("member2", "configmaps", "ADDED"))
    plane.ask("PATCH", "/api/v1/namespaces/app/configmaps/a", {"data": {"x": "2"}}, content=MERGE)
    until(lambda: member.get("/api/v1/namespaces/app/configmaps/a")["data"] == {"x": "2"})
    plane.ask("DELETE", "/api/v1/namespaces/app")
    until(lambda: _found(plane, "/api/v1/namespaces/app") is None and _found(member, "/api/v1/namespaces/app") is None)
    assert not plane.get(BINDINGS)["items"]
    assert not plane.get(WORKS)["items"]
    assert _found(Client(world, "member1"), "/api/v1/namespaces/app/configmaps/a") is None


def test_clusters_join_and_leave_and_what_was_there_moves(world, plane):
    world.control("karmada", seed=1)
    with plane.watch(CLUSTERS, resourceVersion="0") as watching:
        world.control("join", member="member1", mode="Pull")
        came, ready = watching.event(), watching.event()
        assert (came["type"], came["object"]["spec"]["syncMode"], came["object"]["status"]) == ("ADDED", "Pull", {})
        assert ready["object"]["status"]["conditions"][0]["status"] == "True"
    world.control("join", member="member2", ready=True)
    _with_policy(plane, {"spreadConstraints": [{"spreadByField": "cluster", "maxGroups": 1}]})
    plane.create("/api/v1/namespaces/app/configmaps", "a", metadata={"labels": {"take": "me"}})
    path = "/api/v1/namespaces/app/configmaps/a"
    members = {name: Client(world, name) for name in ("member1", "member2")}
    first = until(lambda: [name for name, member in members.items() if _found(member, path)])
    assert len(first) == 1
    other = members[{"member1": "member2", "member2": "member1"}[first[0]]]
    world.control("leave", member=first[0])
    assert "deletionTimestamp" in plane.get(f"{CLUSTERS}/{first[0]}")["metadata"]
    until(lambda: _found(other, path))
    until(lambda: _found(plane, f"{CLUSTERS}/{first[0]}") is None)
    until(lambda: _found(members[first[0]], path) is None)


def test_members_are_reached_through_the_proxy_of_the_control_plane_while_they_are_joined(world, plane):
    world.control("karmada")
    world.control("apply", cluster="member1", resource="v1/configmaps",
                  thing={"metadata": {"name": "a", "namespace": "default"}})  # fmt: skip
    through = f"{CLUSTERS}/member1/proxy{MAPS}"
    assert plane.ask("GET", through).status == 404
    world.control("join", member="member1", ready=True)
    assert [item["metadata"]["name"] for item in plane.get(through)["items"]] == ["a"]
    with plane.watch(through, resourceVersion="0") as watching:
        assert watching.events(1) == [("ADDED", "a")]
    world.control("forbid", cluster="karmada", resource="clusters/proxy")
    assert plane.ask("GET", through).status == 403


def _with_policy(plane, placement):
    plane.create("/api/v1/namespaces", "app")
    selector = {"apiVersion": "v1", "kind": "ConfigMap", "labelSelector": {"matchLabels": {"take": "me"}}}
    plane.create("/apis/policy.karmada.io/v1alpha1/namespaces/app/propagationpolicies", "p",
                 spec={"resourceSelectors": [selector], "placement": placement})  # fmt: skip


def _found(client, path):
    heard = client.ask("GET", path)
    return heard.said if heard.status == 200 else None
