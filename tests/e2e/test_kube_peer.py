"""The server that probes are tested with does what a client can notice of a Kubernetes API."""

import time

import pytest

from tests.kube.client import JSON_PATCH, MERGE, PARTIAL, PARTIAL_LIST, Client
from tests.kube.world import World

MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("world"), ["first", "second"]) as running:
        running.control("settings", bookmark_seconds=0.2)
        yield running


@pytest.fixture
def client(world, request):
    """Of the first cluster, emptied."""
    found = Client(world, "first")
    for path in (MAPS, DEPLOYMENTS):
        assert found.ask("DELETE", path).status == 200
    return found


def version(found):
    return int(found["metadata"]["resourceVersion"])


def names(found):
    return [item["metadata"]["name"] for item in found["items"]]


def test_an_object_is_created_with_what_the_server_fills_in_and_is_there_in_its_cluster_only(world, client):
    made = client.create(DEPLOYMENTS, "a", spec={"replicas": 1})
    assert made["kind"] == "Deployment"
    assert made["apiVersion"] == "apps/v1"
    assert made["metadata"]["generation"] == 1
    assert made["metadata"]["namespace"] == "default"
    assert len(made["metadata"]["uid"]) == 36
    assert made["metadata"]["creationTimestamp"].endswith("Z")
    assert client.get(f"{DEPLOYMENTS}/a") == made
    assert Client(world, "second").ask("GET", f"{DEPLOYMENTS}/a").said["reason"] == "NotFound"
    assert Client(world, "").get(f"{DEPLOYMENTS}/a") == made, "the first cluster is also at the root"


def test_what_cannot_be_created_is_refused_with_a_status(client):
    client.create(MAPS, "taken")
    taken = client.ask("POST", MAPS, {"metadata": {"name": "taken"}})
    assert (taken.status, taken.said["reason"]) == (409, "AlreadyExists")
    assert taken.said["details"] == {"name": "taken", "kind": "configmaps"}
    assert client.ask("POST", MAPS, {}).status == 422
    assert client.ask("POST", MAPS, {"metadata": {"name": "No_Name"}}).status == 422
    assert client.ask("POST", MAPS, {"apiVersion": "v2", "metadata": {"name": "b"}}).status == 400
    assert client.ask("POST", MAPS, {"metadata": {"name": "b", "resourceVersion": "1"}}).status == 400
    nowhere = client.ask("POST", "/api/v1/namespaces/nowhere/configmaps", {"metadata": {"name": "b"}})
    assert nowhere.said["message"] == 'namespaces "nowhere" not found'
    named = client.ask("POST", MAPS, {"metadata": {"generateName": "it-"}}).said["metadata"]["name"]
    assert named.startswith("it-")
    assert len(named) == 8


def test_a_list_goes_page_by_page_through_one_moment_whatever_changes_meanwhile(client):
    for name in "abcde":
        client.create(MAPS, name)
    first = client.get(MAPS, limit=2)
    assert names(first) == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 3
    client.create(MAPS, "bb")
    client.ask("DELETE", f"{MAPS}/c")
    client.ask("PATCH", f"{MAPS}/d", {"data": {"x": "new"}}, content=MERGE)
    second = client.get(MAPS, limit=2, **{"continue": first["metadata"]["continue"]})
    assert names(second) == ["c", "d"]
    assert "data" not in second["items"][1]
    assert version(second) == version(first)
    third = client.get(MAPS, limit=2, **{"continue": second["metadata"]["continue"]})
    assert names(third) == ["e"]
    assert "continue" not in third["metadata"]
    assert names(client.get(MAPS)) == ["a", "b", "bb", "d", "e"]


def test_a_continue_token_of_a_compacted_version_is_gone_and_offers_another(world, client):
    for name in "abc":
        client.create(MAPS, name)
    first = client.get(MAPS, limit=1)
    client.create(MAPS, "d")
    world.control("compact", cluster="first")
    gone = client.ask("GET", MAPS, limit=1, **{"continue": first["metadata"]["continue"]})
    assert (gone.status, gone.said["reason"], gone.said["code"]) == (410, "Expired", 410)
    rest = client.get(MAPS, **{"continue": gone.said["metadata"]["continue"]})
    assert names(rest) == ["b", "c", "d"]
    assert client.ask("GET", MAPS, **{"continue": "nonsense"}).status == 400


def test_a_list_at_a_version_is_exact_newer_or_refused_as_asked(client):
    old = client.create(MAPS, "a")
    client.create(MAPS, "b")
    now = version(client.get(MAPS))
    exact = client.get(MAPS, resourceVersion=version(old), resourceVersionMatch="Exact")
    assert (names(exact), version(exact)) == (["a"], version(old))
    assert names(client.get(MAPS, resourceVersion=version(old))) == ["a", "b"]
    assert names(client.get(MAPS, resourceVersion="0", limit=1)) == ["a", "b"], "the watch cache takes no limit"
    early = client.ask("GET", MAPS, resourceVersion=now + 1000)
    assert (early.status, early.said["details"]["retryAfterSeconds"]) == (504, 1)
    assert client.ask("GET", MAPS, resourceVersion="x").status == 400


def test_selectors_choose_by_labels_and_fields(client):
    client.create(MAPS, "a", metadata={"labels": {"app": "x", "tier": "1"}})
    client.create(MAPS, "b", metadata={"labels": {"app": "y"}})
    client.create(MAPS, "c")
    for text, chosen in (
        ("app=x", "a"), ("app", "ab"), ("!app", "c"), ("app!=x", "bc"), ("app in (x, y),tier notin (1)", "b"),
    ):  # fmt: skip
        assert names(client.get(MAPS, labelSelector=text)) == list(chosen), text
    assert names(client.get(MAPS, fieldSelector="metadata.name=b")) == ["b"]


def test_metadata_alone_is_given_to_who_accepts_it(client):
    client.create(DEPLOYMENTS, "a", spec={"replicas": 1})
    found = client.ask("GET", DEPLOYMENTS, accept=PARTIAL_LIST).said
    assert (found["kind"], found["apiVersion"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1")
    assert found["items"][0]["kind"] == "PartialObjectMetadata"
    assert "spec" not in found["items"][0]
    with client.watch(DEPLOYMENTS, accept=PARTIAL, resourceVersion="0") as watching:
        assert watching.event()["object"] == found["items"][0]
    assert client.ask("GET", DEPLOYMENTS, accept="application/vnd.kubernetes.protobuf").status == 406
    assert "kind" not in client.get(DEPLOYMENTS)["items"][0], "items of compiled types have no kind"


def test_an_update_of_an_older_version_conflicts_and_one_without_a_difference_does_nothing(client):
    made = client.create(DEPLOYMENTS, "a", spec={"replicas": 1})
    changed = client.ask("PUT", f"{DEPLOYMENTS}/a", {**made, "spec": {"replicas": 2}}).said
    assert changed["metadata"]["generation"] == 2
    assert client.ask("PUT", f"{DEPLOYMENTS}/a", {**made, "spec": {"replicas": 3}}).said["reason"] == "Conflict"
    again = client.ask("PUT", f"{DEPLOYMENTS}/a", changed)
    assert (again.status, again.said) == (200, changed)
    ready = client.ask("PUT", f"{DEPLOYMENTS}/a/status", {**changed, "spec": {}, "status": {"ready": True}}).said
    assert (ready["spec"], ready["status"]) == ({"replicas": 2}, {"ready": True})
    assert ready["metadata"]["generation"] == 2


def test_patches_merge_or_operate_and_other_kinds_are_refused(client):
    client.create(MAPS, "a", data={"x": "1", "y": "2"})
    merged = client.ask("PATCH", f"{MAPS}/a", {"data": {"x": None, "z": "3"}}, content=MERGE).said
    assert merged["data"] == {"y": "2", "z": "3"}
    operations = [{"op": "test", "path": "/data/y", "value": "2"}, {"op": "replace", "path": "/data/y", "value": "4"},
                  {"op": "remove", "path": "/data/z"}, {"op": "add", "path": "/data/a~1b", "value": "5"}]  # fmt: skip
    assert client.ask("PATCH", f"{MAPS}/a", operations, content=JSON_PATCH).said["data"] == {"y": "4", "a/b": "5"}
    assert client.ask("PATCH", f"{MAPS}/a", operations, content=JSON_PATCH).status == 422
    assert client.ask("PATCH", f"{MAPS}/a", {}, content="application/strategic-merge-patch+json").status == 415
    assert client.ask("PATCH", f"{MAPS}/none", {}, content=MERGE).status == 404


def test_what_has_finalizers_goes_when_the_last_is_taken_away(client):
    client.create(MAPS, "a", metadata={"finalizers": ["x/y"]})
    with client.watch(MAPS, resourceVersion="0") as watching:
        assert watching.events(1) == [("ADDED", "a")]
        going = client.ask("DELETE", f"{MAPS}/a").said
        assert "deletionTimestamp" in going["metadata"]
        assert watching.events(1) == [("MODIFIED", "a")]
        client.ask("PATCH", f"{MAPS}/a", {"metadata": {"finalizers": None}}, content=MERGE)
        last = watching.event()
        assert last["type"] == "DELETED"
        assert version(last["object"]) > version(going)
    assert client.ask("DELETE", f"{MAPS}/a").status == 404


def test_a_deletion_with_preconditions_spares_a_successor(client):
    made = client.create(MAPS, "a")
    other = {"preconditions": {"uid": "0" * 36}}
    assert client.ask("DELETE", f"{MAPS}/a", other).status == 409
    gone = client.ask("DELETE", f"{MAPS}/a", {"preconditions": {"uid": made["metadata"]["uid"]}})
    assert gone.said["status"] == "Success"


def test_a_collection_is_deleted_as_far_as_it_is_selected(client):
    for name in "ab":
        client.create(MAPS, name, metadata={"labels": {"app": name}})
    assert names(client.ask("DELETE", MAPS, labelSelector="app=a").said) == ["a"]
    assert names(client.get(MAPS)) == ["b"]


def test_a_namespace_takes_its_contents_with_it_and_takes_no_more_meanwhile(client):
    maps = "/api/v1/namespaces/short/configmaps"
    client.create("/api/v1/namespaces", "short")
    client.create(maps, "a", metadata={"finalizers": ["x/y"]})
    client.create(maps, "b")
    with client.watch("/api/v1/namespaces", fieldSelector="metadata.name=short") as watching:
        assert watching.events(1) == [("ADDED", "short")]
        assert client.ask("DELETE", "/api/v1/namespaces/short").said["status"]["phase"] == "Terminating"
        assert watching.event()["object"]["status"]["phase"] == "Terminating"
        refused = client.ask("POST", maps, {"metadata": {"name": "c"}})
        assert refused.said["details"]["causes"][0]["reason"] == "NamespaceTerminating"
        with client.watch(maps, resourceVersion="0") as inside:
            while inside.event()["type"] != "DELETED":
                pass
        client.ask("PATCH", f"{maps}/a", {"metadata": {"finalizers": None}}, content=MERGE)
        assert watching.events(1) == [("DELETED", "short")]
    assert names(client.get("/api/v1/configmaps", fieldSelector="metadata.namespace=short")) == []


def test_a_watch_shows_what_came_after_its_version_in_order(client):
    client.create(MAPS, "a")
    begun = version(client.get(MAPS))
    client.create(MAPS, "b")
    client.ask("PATCH", f"{MAPS}/a", {"data": {"x": "1"}}, content=MERGE)
    client.ask("DELETE", f"{MAPS}/b")
    with client.watch(MAPS, resourceVersion=begun) as watching:
        assert watching.events(3) == [("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]
        client.create("/api/v1/namespaces/kube-system/configmaps", "elsewhere")
        client.create(MAPS, "c")
        assert watching.events(1) == [("ADDED", "c")]
    client.ask("DELETE", "/api/v1/namespaces/kube-system/configmaps/elsewhere")


def test_what_begins_or_ceases_to_be_selected_comes_to_a_watch_or_goes(client):
    client.create(MAPS, "a")
    with client.watch(MAPS, resourceVersion="0", labelSelector="app=x") as watching:
        for app in ("x", "y"):
            client.ask("PATCH", f"{MAPS}/a", {"metadata": {"labels": {"app": app}}}, content=MERGE)
        assert watching.events(2) == [("ADDED", "a"), ("DELETED", "a")]


def test_bookmarks_come_where_they_are_allowed_and_count_what_happened_elsewhere(client):
    with client.watch(DEPLOYMENTS, resourceVersion="0", allowWatchBookmarks="true", timeoutSeconds=2) as watching:
        made = client.create(MAPS, "a")
        found = watching.event()
        while version(found["object"]) < version(made):
            found = watching.event()
        assert found["type"] == "BOOKMARK"
        assert found["object"]["kind"] == "Deployment"
        assert set(found["object"]["metadata"]) == {"resourceVersion", "creationTimestamp"}
    with client.watch(DEPLOYMENTS, resourceVersion="0", timeoutSeconds=1) as silent:
        assert silent.line() == b""


def test_a_watch_that_asks_for_initial_events_hears_where_they_end(client):
    client.create(MAPS, "a")
    with client.watch(
        MAPS, sendInitialEvents="true", resourceVersionMatch="NotOlderThan", allowWatchBookmarks="1"
    ) as w:
        assert w.events(1) == [("ADDED", "a")]
        assert w.event()["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_watch_ends_well_in_its_time(client):
    begun = time.monotonic()
    with client.watch(MAPS, resourceVersion="0", timeoutSeconds=1) as watching:
        assert watching.line() == b""
    assert 0.9 < time.monotonic() - begun < 3


def test_a_watch_from_a_compacted_version_gets_an_error_event_or_410_as_it_is_set(world, client):
    old = version(client.create(MAPS, "a"))
    client.create(MAPS, "b")
    world.control("compact", cluster="first")
    with client.watch(MAPS, resourceVersion=old) as watching:
        assert watching.status == 200
        found = watching.event()
        assert found["type"] == "ERROR"
        assert (found["object"]["code"], found["object"]["reason"]) == (410, "Expired")
        assert watching.line() == b""
    world.control("settings", gone_as="http")
    assert client.ask("GET", MAPS, watch=1, resourceVersion=old).status == 410
    world.control("settings", gone_as="event")


def test_who_is_not_known_is_unauthorized_until_the_token_is_the_right_one(world, client):
    assert Client(world, "first", token="other").ask("GET", MAPS).said["reason"] == "Unauthorized"
    assert Client(world, "first", token="").ask("GET", MAPS).status == 200, "a certificate says who we are"
    world.rotate("other")
    try:
        assert client.ask("GET", MAPS).status == 401
        assert Client(world, "first", token="other").ask("GET", MAPS).status == 200
    finally:
        world.rotate(world.token)


def test_what_is_forbidden_is_refused_and_a_review_says_so(world, client):
    def allowed(verb):
        asked = {"verb": verb, "group": "", "resource": "configmaps", "namespace": "default"}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        return client.ask("POST", path, {"spec": {"resourceAttributes": asked}}).said["status"]["allowed"]

    world.control("forbid", cluster="first", verb="watch", resource="configmaps")
    try:
        assert (allowed("watch"), allowed("list")) == (False, True)
        refused = client.ask("GET", MAPS, watch=1)
        assert (refused.status, refused.said["reason"]) == (403, "Forbidden")
        assert refused.said["message"] == (
            'configmaps is forbidden: User "probe" cannot watch resource "configmaps" in API group "" in the namespace'
            ' "default"'
        )
    finally:
        world.control("allow")
    assert allowed("watch")


def test_what_is_not_served_is_not_found(world, client):
    world.control("absent", cluster="second", group="apps")
    refused = Client(world, "second").ask("GET", DEPLOYMENTS)
    assert (refused.status, refused.said) == (404, "404 page not found\n")
    assert client.ask("GET", "/healthz").said == "ok"
    assert client.get("/version")["gitVersion"].startswith("v1.")
