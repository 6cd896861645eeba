"""Checks PromQL without a server.

The parser overflows the stack of the process on deep or long expressions, so length, nesting and the number of operators
are bounded on the text before it sees it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser

from sloagent.config.problem import spelling_hint

LONGEST_QUERY = 16_384
DEEPEST = 200
MOST_OPERATORS = 500

COMMON_FUNCTIONS = (
    *("avg", "bottomk", "count", "count_values", "group", "max", "min", "quantile", "stddev", "sum", "topk"),
    *("abs", "absent", "ceil", "changes", "clamp_max", "clamp_min", "delta", "deriv", "floor", "histogram_quantile"),
    *("increase", "irate", "label_join", "label_replace", "rate", "resets", "round", "scalar", "time", "vector"),
    *("avg_over_time", "count_over_time", "max_over_time", "min_over_time", "quantile_over_time", "sum_over_time"),
)
"""For the hint about a misspelt one; the parser knows them all."""

LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
SERIES_OF_A_HISTOGRAM = ("_bucket", "_count", "_sum")

# What is opened and never closed runs to the end, so that the scan stays linear; `_out_of_bounds` refuses it.
_QUOTED_OR_COMMENT = re.compile(
    r"""(?P<quote>["'])(?:(?!(?P=quote))[^\\]|\\.)*(?:(?P=quote)|\\?\Z)|`[^`]*(?:`|\Z)|\#[^\n]*""", re.DOTALL
)
_QUOTED_ONLY = re.compile(r"""(["'])(?:(?!\1)[^\\]|\\.)*\1""", re.DOTALL)
_OPERATOR = re.compile(r"[-+*/%^]|[=!<>]=?|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
_BRACES = re.compile(r"\{[^{}]*\}")
_AT_BORDER = re.compile(r"@\s*(start|end)\s*\(", re.IGNORECASE)
_MATCHER = re.compile(
    r"""\s*(?P<label>[a-zA-Z_][a-zA-Z0-9_]*)\s*(?:=~|!~|!=|=)\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)\s*"""
)
_NOT_NUMBERS = {
    "MatrixSelector": "a range of samples for each series",
    "SubqueryExpr": "a range of samples for each series",
    "StringLiteral": "a text",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a piece of PromQL: the problem's id, the finding, and what to write."""

    check: str
    summary: str
    hint: str = ""


def check_query(query: str, window_seconds: int) -> Complaint | None:
    """The first thing that is wrong with a query in which `$window` still stands, or None."""
    return next(iter(complaints(query, window_seconds)), None)


def complaints(query: str, window_seconds: int) -> list[Complaint]:
    """What is wrong with a query in which `$window` still stands. It must give a number per series."""
    text = query.replace("$window", f"{window_seconds}s")
    complaint = _out_of_bounds(text)
    if complaint:
        return [complaint]
    found = []
    border = _AT_BORDER.search(_without_texts(text))
    if border:
        found.append(
            Complaint(
                "promql/at",
                f"`@ {border[1].lower()}()` means another time in a range query than at an instant",
                "leave it out, or write `offset` with a duration",
            )
        )
    try:
        kind = type(promql_parser.parse(_with_plain_quotes(text)))
    except ValueError as error:
        return [*found, Complaint("promql/syntax", f"this is not PromQL: {error}", _syntax_hint(text, str(error)))]
    if kind.__name__ in _NOT_NUMBERS:
        summary = f"the query gives {_NOT_NUMBERS[kind.__name__]}, and a number is needed"
        hint = "wrap it in a function, such as rate(…) or avg_over_time(…)" if "[" in text else ""
        found.append(Complaint("promql/type", summary, hint))
    return found


def without_comments(query: str) -> str:
    """The query without comments, so that it can stand inside another, and without space around it."""
    return _QUOTED_OR_COMMENT.sub(lambda found: "" if found[0].startswith("#") else found[0], query).strip()


def code_and_texts(query: str) -> Iterator[tuple[str, bool]]:
    """The query in pieces, each with whether it is code; strings and comments are not."""
    at = 0
    for found in _QUOTED_OR_COMMENT.finditer(query):
        yield query[at : found.start()], True
        yield found[0], False
        at = found.end()
    yield query[at:], True


def check_brackets(query: str) -> list[Complaint]:
    """Whether brackets are left open: what can be said of a query that holds unknown parameters."""
    hint = _bracket_hint(re.sub(r"\$\{\w*\}", "", _without_texts(query)))
    return [Complaint("promql/syntax", "this is not PromQL: the brackets do not match", hint)] if hint else []


def check_events(query: str) -> list[Complaint]:
    """What is wrong with one side of a ratio beyond its syntax: it must count events per second of the window."""
    code, found = _without_texts(query), []
    if re.search(r"\b(increase|delta)\s*\(", code):
        summary = "the two sides of a ratio are events per second, and increase() or delta() counts the whole window"
        found.append(Complaint("promql/rate", summary, "write rate(…[$window])"))
    if "[" in code and "$window" not in code:
        fixed = re.search(r"\[[^\]]*\]", code)
        summary = f"the query looks back over {fixed[0] if fixed else 'a fixed range'} and not over the SLO's window"
        found.append(Complaint("promql/window", summary, "write [$window]"))
    return found


def check_where(where: str, window_seconds: int) -> Complaint | None:
    """What is wrong with the label matchers of a latency SLI, or None. They cannot leave the braces they are put in."""
    at, labels = 0, []
    if len(where) > LONGEST_QUERY:
        return Complaint(
            "promql/size", f"the matchers are longer than {LONGEST_QUERY:,} characters", "write fewer of them"
        )
    while where[at:].strip():
        found = _MATCHER.match(where, at)
        if found is None or where[found.end() : found.end() + 1] not in {"", ","}:
            rest = where[found.end() if found else at :].strip()
            return Complaint(
                "promql/where", f"this is no list of label matchers, from {_short(rest)} on", _where_hint(rest)
            )
        labels.append(found["label"])
        at = found.end() + 1
    for label, reason in (
        ("__name__", "the histogram is named in `histogram`"),
        ("le", "the buckets must be asked for together, or no share can be told"),
    ):
        if label in labels:
            return Complaint("promql/where", f"`where` cannot choose by {label}: {reason}", f"leave {label} out")
    return check_query(f"x{{{where}}}", window_seconds)


def _where_hint(rest: str) -> str:
    if rest.startswith("{") or "{" in rest:
        return 'write the matchers without braces: verb="GET", code=~"5.."'
    return 'write matchers such as verb="GET", code=~"5..", with commas between and the values in quotes'


def check_label(label: str) -> Complaint | None:
    """What is wrong with a label of `by`, or None."""
    if label == "le":
        return Complaint(
            "sli/label", "`by` cannot hold le: it makes the buckets, and is always asked for", "leave le out"
        )
    if label == "__name__":
        return Complaint(
            "sli/label", "`by` cannot hold __name__: one histogram is asked at a time", "leave __name__ out"
        )
    if not LABEL.fullmatch(label):
        return Complaint(
            "sli/label", f"{_short(label)} is not the name of a label", "write names such as verb or resource"
        )
    return None


def check_histogram(name: str) -> Complaint | None:
    """What is wrong with the name of a histogram, or None."""
    if not METRIC.fullmatch(name):
        hint = (
            "put the matchers into `where`"
            if "{" in name
            else "write the bare name, such as etcd_request_duration_seconds"
        )
        return Complaint("sli/histogram", f"{_short(name)} is not the name of a metric", hint)
    for suffix in SERIES_OF_A_HISTOGRAM:
        if name.endswith(suffix):
            return Complaint(
                "sli/histogram",
                f'"{name}" is one of the series of a histogram, not the histogram',
                f"drop {suffix}: {name.removesuffix(suffix)}",
            )
    return None


def _out_of_bounds(text: str) -> Complaint | None:
    if not text.strip():
        return Complaint("promql/syntax", "the query is empty", "write PromQL that gives a number per series")
    if len(text) > LONGEST_QUERY:
        return Complaint(
            "promql/size", f"the query is longer than {LONGEST_QUERY:,} characters", "use a recording rule"
        )
    opened = next((found[0] for found in _QUOTED_OR_COMMENT.finditer(text) if _is_open(found[0])), "")
    if opened:
        return Complaint(
            "promql/syntax", f"this is not PromQL: the quote before {_short(opened[1:])} is never closed", "close it"
        )
    code = _without_texts(text)
    depth = deepest = 0
    for character in code:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        return Complaint("promql/size", f"brackets are nested more than {DEEPEST} deep", "use a recording rule")
    if len(_OPERATOR.findall(_BRACES.sub("", code))) > MOST_OPERATORS:
        return Complaint("promql/size", f"the query has more than {MOST_OPERATORS} operators", "use a recording rule")
    return None


def _is_open(text: str) -> bool:
    """Whether a string literal lacks its closing quote."""
    if text.startswith("#"):
        return False
    body = text[1:]
    return not body.endswith(text[0]) or (text[0] != "`" and _QUOTED_ONLY.fullmatch(text) is None)


def _with_plain_quotes(text: str) -> str:
    """The query with `raw strings` in double quotes; the parser, unlike Prometheus, reads escapes in raw ones."""

    def quoted(found: re.Match[str]) -> str:
        if not found[0].startswith("`"):
            return found[0]
        inner = found[0][1:-1].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{inner}"'

    return _QUOTED_OR_COMMENT.sub(quoted, text)


def _without_texts(text: str) -> str:
    """The query with strings emptied and comments removed, so that what is left is code."""
    return _QUOTED_OR_COMMENT.sub(lambda found: "" if found[0].startswith("#") else '""', text)


def _syntax_hint(text: str, words: str) -> str:
    unknown = re.search(r"unknown function with name '(\w+)'", words)
    if unknown:
        return spelling_hint(unknown[1], COMMON_FUNCTIONS, what="the usual ones are")
    return _bracket_hint(_without_texts(text))


def _bracket_hint(code: str) -> str:
    for opening, closing in ("()", "[]", "{}"):
        if code.count(opening) != code.count(closing):
            return f'count the brackets: {code.count(opening)} "{opening}" and {code.count(closing)} "{closing}"'
    return ""


def _short(text: str) -> str:
    return f'"{text}"' if len(text) <= 30 else f'"{text[:30]}…"'
