"""Which policy takes a template, and where to."""

from __future__ import annotations

import random

from tests.kube.resource import CLUSTERS, POLICIES
from tests.kube.selectors import matches_labels
from tests.kube.store import Cluster


def ready_members(plane: Cluster) -> list[str]:
    """The members that are Ready and not leaving."""
    return [
        thing["metadata"]["name"]
        for thing in plane.all(CLUSTERS)
        if "deletionTimestamp" not in thing["metadata"]
        and any(c["type"] == "Ready" and c["status"] == "True" for c in thing["status"].get("conditions", ()))
    ]  # fmt: skip


def policy_for(plane: Cluster, template: dict) -> dict | None:
    """The policy of the template's namespace that selects it, by name or by labels."""
    of = template["metadata"]
    for policy in plane.all(POLICIES):
        if policy["metadata"]["namespace"] != of["namespace"]:
            continue
        for selects in policy["spec"].get("resourceSelectors") or ():
            if selects.get("kind") != template["kind"]:
                continue
            if selects.get("name") == of["name"] or (
                not selects.get("name") and matches_labels(selects.get("labelSelector") or {}, template)
            ):
                return policy
    return None


def chosen_of(policy: dict, before: list[str], able: list[str], chance: random.Random) -> list[str]:
    """The members of a placement: those that were chosen before stay while they can; `maxGroups` bounds them."""
    placement = policy["spec"].get("placement") or {}
    wanted = (placement.get("clusterAffinity") or {}).get("clusterNames") or able
    chosen = [name for name in before if name in able and name in wanted]
    others = [name for name in able if name in wanted and name not in chosen]
    most = next((one["maxGroups"] for one in placement.get("spreadConstraints") or () if one.get("maxGroups")), 0)
    if most:
        others = chance.sample(others, max(0, min(most - len(chosen), len(others))))
    return chosen + others
