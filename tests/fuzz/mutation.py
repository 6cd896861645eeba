"""How inputs are changed: bytes anywhere, YAML by lines and values, JSON by nodes. Every choice is of a Random."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

NASTY_TEXTS = (
    *("null", "~", "[]", "{}", "010", "0x10", "1e999", "-1e999", ".nan", ".inf", "1_000", "-0", "0", "-1", "1", "1.5"),
    *("yes", "true", "tbd", "*a", "&a x", "!!python/object:os.system x", "<<", "- -", ": ", "'", '"', "|", ">-", "#"),
    *(
        "$",
        "${",
        "${a}",
        "$window",
        "$$",
        "$object_call_limit",
        "%",
        "100%",
        "99.9%",
        "1s",
        "1d1h",
        "0s",
        "1ns",
        "8GiB",
    ),
    *("9" * 400, "1" * 65, "a" * 300, "(" * 250, "[" * 60, "{" * 60, "\u202e", "\u2028", "\x85", "\ufeff", "🙂", "é"),
    *(
        "\t",
        "\n",
        "\r\n",
        "\r",
        "\0",
        "\x1b[2J",
        "---\n",
        "...\n",
        "? ",
        "1h30m",
        "2024-01-01",
        "12:30:45",
        "0.1 cores",
    ),
    *(
        "rate(a[$window])",
        "sum by (le) (",
        "a @ end()",
        "a{b=~`(`}",
        "-" * 600,
        'a{b="\\',
        "1/0",
        "x[5m:1m]",
        "/**",
        "..",
    ),
)
NASTY_NUMBERS = (
    *("NaN", "+Inf", "-Inf", "Inf", "0", "-0", "1", "-1", "0.1", "1e308", "1.7976931348623157e308", "5e-324", "1e-320"),
    *("1e400", "9007199254740993", "0.30000000000000004", "1e22", "3.0000000000000004", "-1e-300", "1_0", " 1", "1 "),
    *("0x1p-2", "infinity", "nan", "١", "", "true", "1e", ".5", "5.", "+1", "1,5"),
)
NASTY_NODES: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1.5, 1e308, 2**64, -(2**70), "", "x", "NaN", "+Inf", [], {}, [[]], {"": ""}, [None]),
    *({"le": "+Inf"}, {"le": "1"}, {"le": ""}, {"__name__": "x"}, {"a": 1}, {"a": None}, "\u202e\x1b[2J", "\x00"),
)


def of_bytes(content: bytes, random: Random) -> bytes:
    """A few bytes changed, taken out, put in or doubled, anywhere."""
    changed = bytearray(content)
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, len(changed))
        length = random.choice((0, 1, 1, 2, 4, 16))
        match random.randint(0, 4):
            case 0:
                changed[at : at + length] = b""
            case 1:
                changed[at : at + length] = bytes(random.randint(0, 255) for _ in range(length))
            case 2:
                changed[at:at] = changed[at : at + 8 * length]
            case 3:
                changed[at : at + length] = random.choice(NASTY_TEXTS).encode("utf-8", "surrogatepass")
            case _:
                other = random.randint(0, len(changed))
                changed[at : at + length] = changed[other : other + 2 * length]
    return bytes(changed)


def of_yaml(content: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    """Lines taken out, doubled, moved in or out, or taken from another file; values and names replaced."""
    lines = content.decode("utf-8", "replace").split("\n")
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(lines))
        line = lines[at]
        indent = line[: len(line) - len(line.lstrip())]
        match random.randint(0, 8):
            case 0:
                del lines[at : at + random.randint(1, 3)]
            case 1:
                lines[at:at] = lines[at : at + random.randint(1, 8)]
            case 2:
                lines[at] = random.choice(("", "  ", "\t", "      ", "- ")) + line.lstrip()
            case 3 | 4 if ":" in line:
                lines[at] = f"{line.split(':')[0]}: {random.choice(NASTY_TEXTS)}"
            case 5 if ":" in line:
                name, _, value = line.partition(":")
                lines[at] = f"{random.choice(_names(others, random))}:{value}" if random.random() < 0.5 else (
                    f"{indent}{name.strip()[:-1]}:{value}"
                )  # fmt: skip
            case 6:
                other = random.choice(others).decode("utf-8", "replace").split("\n")
                first = random.randrange(len(other))
                lines[at:at] = other[first : first + random.randint(1, 12)]
            case 7:
                inside = random.randint(0, len(line))
                lines[at] = line[:inside] + random.choice(NASTY_TEXTS) + line[inside + random.randint(0, 4) :]
            case _:
                lines[at:at] = [f"{indent}{random.choice(NASTY_TEXTS)}: {random.choice(NASTY_TEXTS)}"]
        lines = lines or [""]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _names(others: Sequence[bytes], random: Random) -> list[str]:
    """The names of fields of another file, with their indentation."""
    text = random.choice(others).decode("utf-8", "replace")
    return [line.split(":")[0] for line in text.split("\n") if ":" in line] or ["name"]


def of_json(content: bytes, random: Random) -> bytes:
    """Nodes replaced, taken out, doubled or exchanged; of what is no JSON, bytes."""
    try:
        top = [json.loads(content)]
    except (ValueError, RecursionError):
        return of_bytes(content, random)
    for _ in range(random.randint(1, 3)):
        places = list(_places(top, 12))[:2000]
        holder, key = random.choice(places)
        found = holder[key]
        match random.randint(0, 5):
            case 0:
                holder[key] = _copy(random.choice(NASTY_NODES))
            case 1 | 2:
                holder[key] = random.choice(NASTY_NUMBERS)
            case 3 if isinstance(holder, list):
                holder.insert(random.randint(0, len(holder)), _copy(found))
            case 4:
                other, at = random.choice(places)
                holder[key] = _copy(other[at])
            case _ if len(holder) > 1:
                del holder[key]
    try:
        return json.dumps(top[0], ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return content


def _copy(node: object) -> object:
    return json.loads(json.dumps(node))


def _places(node: object, depth: int) -> Iterator[tuple[Any, Any]]:
    """Every (list or mapping, index or key) below, `depth` levels of them."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, below in list(pairs):
        yield node, key
        if depth:
            yield from _places(below, depth - 1)
