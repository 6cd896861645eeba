"""Who is let in, and what they may do."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from tests.kube.refusal import RefusalError
from tests.kube.resource import Place, Resource

_ASPECTS = ("cluster", "verb", "group", "resource", "namespace")


class Access:
    """Tokens, certificates, and rules of what is forbidden; all may be changed while the server runs."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self.tokens = dict(tokens)
        """User by token."""
        self.rules: list[dict[str, str]] = []
        """Each forbids what agrees with all it says of cluster, verb, group, resource and namespace."""
        self.absent: list[tuple[str, str, str]] = []
        """Cluster, group, plural (empty is any) that are not served."""

    def user(self, request: web.Request) -> str:
        """Who asks. Raises RefusalError (401)."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer":
            if (user := self.tokens.get(token)) is not None:
                return user
            raise RefusalError(401, "Unauthorized")
        shown = request.get_extra_info("peercert")
        if shown:
            return next((value for part in shown["subject"] for key, value in part if key == "commonName"), "")
        raise RefusalError(401, "Unauthorized")

    def is_absent(self, cluster: str, resource: Resource) -> bool:
        """Whether this API does not serve it."""
        return any(
            of in ("", cluster) and group in ("", resource.group) and plural in ("", resource.plural)
            for of, group, plural in self.absent
        )

    def allows(self, cluster: str, verb: str, place: Place) -> bool:
        """Whether it may be done."""
        resource = f"{place.resource.plural}/{place.subresource}" if place.subresource else place.resource.plural
        return self._allowed(cluster, verb, place.resource.group, resource, place.namespace)

    def _allowed(self, *asked: str) -> bool:
        return not any(
            all(rule.get(aspect, "*") in ("*", value) for aspect, value in zip(_ASPECTS, asked, strict=True))
            for rule in self.rules
        )

    def forbidden(self, user: str, verb: str, place: Place) -> RefusalError:
        """The refusal of what may not be done."""
        where = f'in the namespace "{place.namespace}"' if place.namespace else "at the cluster scope"
        what = f'{place.resource.in_words} "{place.name}"' if place.name else place.resource.in_words
        return RefusalError(403, f'{what} is forbidden: User "{user}" cannot {verb} resource "{place.resource.plural}"'
                            f' in API group "{place.resource.group}" {where}')  # fmt: skip

    def review(self, cluster: str, body: object) -> dict[str, object]:
        """The answer to a SelfSubjectAccessReview. Raises RefusalError (400)."""
        spec = body.get("spec") if isinstance(body, dict) else None
        asked = spec.get("resourceAttributes") if isinstance(spec, dict) else None
        if not isinstance(asked, dict):
            raise RefusalError(422, "exactly one of nonResourceAttributes or resourceAttributes must be specified")
        resource = asked.get("resource", "")
        if asked.get("subresource"):
            resource += "/" + asked["subresource"]
        allowed = self._allowed(
            cluster, asked.get("verb", ""), asked.get("group", ""), resource, asked.get("namespace", "")
        )
        return {
            "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": spec,
            "status": {"allowed": allowed, **({} if allowed else {"reason": "a rule of this test forbids it"})},
        }  # fmt: skip
