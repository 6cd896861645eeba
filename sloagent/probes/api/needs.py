"""What a load has to be allowed at each of its targets."""

from __future__ import annotations

from sloagent.probes.api.settings import ApiLoadSettings
from sloagent.probes.permissions import Need


def of_load(settings: ApiLoadSettings) -> list[Need]:
    """What the calls need; deleting a whole collection is optional, for objects are then deleted one by one."""
    purpose, namespace = f"load {settings.name}", settings.namespace or ""
    match settings.call:
        case "list":
            verbs: tuple[str, ...] = ("list",)
        case "get":
            verbs = ("list", "get")
        case "update":
            verbs = ("list", "get", "update")
        case "churn":
            verbs = ("list", "create", "delete", *(("update",) if settings.object.updates else ()))
            verbs += ("watch",) if settings.watch else ()
    churns = settings.call == "churn" and bool(namespace)
    needs = [Need(settings.what, verbs, purpose, namespace, must_exist=churns)]
    if settings.call == "churn":
        needs.append(Need(settings.what, ("deletecollection",), purpose, namespace, optional=True))
    return needs
