"""What a series is called where people read: `POST deployments/status` rather than three labels in braces."""

from __future__ import annotations

from sloagent.model.slo import Labels


def series_name(labels: Labels) -> str:
    """The label values in a readable order, unescaped; the whole selector where values alone would not be clear.

    A verb comes first, a subresource follows its resource behind a slash, as people speak of API calls. A series
    without labels has no name (an empty string).
    """
    if not labels:
        return ""
    if len(labels) > 4 or any(not _speaks(value) for _, value in labels):
        return "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"
    values = dict(labels)
    words = [values.pop("verb")] if "verb" in values else []
    resource, subresource = values.pop("resource", ""), values.pop("subresource", "")
    if resource or subresource:
        words.append(f"{resource}/{subresource}" if subresource else resource)
    return " ".join([*words, *values.values()])


def _speaks(value: str) -> bool:
    """Whether a value can stand alone: a number, a truth value or blanks need their label's name."""
    return bool(value) and " " not in value and value not in ("true", "false") and not value.replace(".", "").isdigit()
