"""An answer that is no success: a Status object, as every Kubernetes API gives one."""

from __future__ import annotations

from tests.kube.resource import Resource

REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed",
    406: "NotAcceptable", 409: "Conflict", 410: "Expired", 415: "UnsupportedMediaType", 422: "Invalid",
    429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
}  # fmt: skip


class RefusalError(Exception):
    """`retry_after` is in whole seconds, as the header has it."""

    def __init__(self, code: int, message: str, *, reason: str = "", retry_after: int = 0, more: dict | None = None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason or REASONS.get(code, "")
        self.retry_after = retry_after
        self._more = more or {}

    def status(self) -> dict[str, object]:
        """The Status object; `metadata` may hold a continue token."""
        details = dict(self._more.get("details", {}))
        if self.retry_after:
            details["retryAfterSeconds"] = self.retry_after
        return {
            "kind": "Status", "apiVersion": "v1", "metadata": self._more.get("metadata", {}), "status": "Failure",
            "message": self.message, "reason": self.reason, **({"details": details} if details else {}),
            "code": self.code,
        }  # fmt: skip


def not_found(resource: Resource, name: str) -> RefusalError:
    """No such object."""
    return RefusalError(404, f'{resource.in_words} "{name}" not found', more={"details": _details(resource, name)})


def already_there(resource: Resource, name: str) -> RefusalError:
    """A name that is taken."""
    return RefusalError(409, f'{resource.in_words} "{name}" already exists', reason="AlreadyExists",
                   more={"details": _details(resource, name)})  # fmt: skip


def conflict(resource: Resource, name: str, why: str) -> RefusalError:
    """Somebody was faster."""
    return RefusalError(409, f'Operation cannot be fulfilled on {resource.in_words} "{name}": {why}',
                   more={"details": _details(resource, name)})  # fmt: skip


def expired(version: int, oldest: int) -> RefusalError:
    """A watch from a version that is not kept any more."""
    return RefusalError(410, f"too old resource version: {version} ({oldest})")


def _details(resource: Resource, name: str) -> dict[str, object]:
    return {"name": name, **({"group": resource.group} if resource.group else {}), "kind": resource.plural}
