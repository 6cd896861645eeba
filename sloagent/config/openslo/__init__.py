"""SLO sets as OpenSLO v1 documents, read and written; the specification is that of github.com/OpenSLO/OpenSLO."""

from __future__ import annotations

from sloagent.config.document import Document


def is_openslo(document: Document) -> bool:
    """Whether a file says that it is OpenSLO, of whatever version."""
    version = document.at(("apiVersion",))
    return isinstance(version, str) and version.startswith("openslo/")
