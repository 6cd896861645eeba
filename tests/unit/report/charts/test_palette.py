from __future__ import annotations

import re
from itertools import combinations
from math import dist

import pytest

from sloagent.report.charts import palette

Colour = tuple[float, float, float]
LIGHT_PAGES, DARK_PAGES = ("#ffffff", "#fbfbf9"), ("#1b1f23", "#15181b")
# How the three kinds of colour blindness see linear red, green and blue: Machado, Oliveira and Fernandes 2009, severity 1.
EYES = {
    "all cones": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}  # fmt: skip


def dark(colour: str) -> str:
    found = re.search(rf'\[fill="{colour}"\]{{fill:(#[0-9a-f]{{6}})}}', palette.dark_rules())
    assert found is not None, colour
    return found.group(1)


def linear(colour: str) -> Colour:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    spread = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    return spread[0], spread[1], spread[2]


def contrast(one: str, other: str) -> float:
    """As WCAG 2 has it."""
    bright, dim = sorted(
        (0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (linear(one), linear(other))), reverse=True
    )
    return (bright + 0.05) / (dim + 0.05)


def oklab(colour: Colour) -> Colour:
    r, g, b = (max(0.0, part) for part in colour)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def seen(colour: str, eye: str) -> Colour:
    parts = linear(colour)
    r, g, b = (sum(weight * part for weight, part in zip(row, parts, strict=True)) for row in EYES[eye])
    return oklab((r, g, b))


@pytest.mark.parametrize("page", LIGHT_PAGES)
def test_lines_stand_out_from_a_light_page_and_text_can_be_read(page: str) -> None:
    assert min(contrast(colour, page) for colour in palette.LINES) >= 3
    assert min(contrast(colour, page) for colour in (palette.INK, palette.SOFT, palette.LIMIT, palette.WARN)) >= 4.5


@pytest.mark.parametrize("page", DARK_PAGES)
def test_lines_stand_out_from_a_dark_page_and_text_can_be_read(page: str) -> None:
    assert min(contrast(dark(colour), page) for colour in palette.LINES) >= 3
    assert min(contrast(dark(c), page) for c in (palette.INK, palette.SOFT, palette.LIMIT, palette.WARN)) >= 4.5


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("page", ["light", "dark"])
def test_two_lines_never_look_the_same_to_anybody(page: str, eye: str) -> None:
    colours = [dark(colour) if page == "dark" else colour for colour in palette.LINES]
    nearest = min((dist(seen(a, eye), seen(b, eye)), a, b) for a, b in combinations(colours, 2))
    assert nearest[0] > 0.06, nearest
