"""Still pictures by Vega, through vl-convert: an SVG in which only what a picture needs is left, and a PNG of it.

Of what Vega writes, known elements and attributes alone are kept: no class, style, script or address can come through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

from markupsafe import Markup

from sloagent.errors import ConfigError
from sloagent.report.charts import palette
from sloagent.report.charts.layers import Json, Row

VEGA_LITE = "6.4"
"""The version whose compiler is used, of those that vl-convert carries."""
FONTS = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC",'
    ' "DejaVu Sans", sans-serif'
)
_ASCII = 0x7F
_NEVER = "\ue000"
"""A character for private use: no font has it."""
_SVG = "{http://www.w3.org/2000/svg}"
_ELEMENTS = frozenset({"svg", "g", "path", "line", "rect", "text", "tspan", "defs", "clipPath", "title"})
_ATTRIBUTES = frozenset({
    "d", "x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "width", "height", "viewBox", "transform", "fill", "fill-opacity",
    "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linejoin", "stroke-linecap", "font-size",
    "font-weight", "text-anchor", "opacity", "id", "clip-path",
})  # fmt: skip
_PLACES = frozenset({"d", "transform", "x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "width", "height"})
_PLAIN = {
    "fill-opacity": "1", "stroke-opacity": "1", "opacity": "1", "stroke-dasharray": "", "transform": "translate(0,0)",
    "stroke-linecap": "butt",
}  # fmt: skip
"""Values that say what holds without them."""
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_POINT = re.compile(r"([ML])(-?[\d.]+(?:e-\d+)?),(-?[\d.]+(?:e-\d+)?)")
_POLYLINE = re.compile(rf"(?:{_POINT.pattern})+Z?")
_REFERENCE = re.compile(r"url\(#([^)]*)\)")


class DrawingError(ConfigError):
    """Charts cannot be drawn on this machine."""


def vl_convert() -> ModuleType:
    """The library that draws. Raises DrawingError where it is not installed."""
    try:
        import vl_convert
    except ImportError as error:
        raise DrawingError(
            f"charts need vl-convert, which is not there: {error}", hint="pip install 'sloagent[report]'"
        ) from None
    return vl_convert


def compiled(specification: Mapping[str, Json]) -> Mapping[str, Any]:
    """The Vega specification of a Vega-Lite one, which has no words: that of a chart serves every language."""
    return _compiled(json.dumps(specification, sort_keys=True))


@lru_cache(64)
def _compiled(specification: str) -> Mapping[str, Any]:
    vega: dict[str, Any] = vl_convert().vegalite_to_vega(specification, VEGA_LITE)
    return vega


def with_rows(vega: Mapping[str, Any], rows: Mapping[str, list[Row]]) -> dict[str, Any]:
    """The Vega specification with rows in its named data sets."""
    return {
        **vega,
        "data": [{**one, "values": rows[one["name"]]} if one["name"] in rows else one for one in vega["data"]],
    }


def drawn(vega: Mapping[str, Any], prefix: str) -> ET.Element:
    """The picture as a tree of plain SVG. The same specification gives the same bytes; ids begin with `prefix`."""
    tree = ET.fromstring(vl_convert().vega_to_svg(vega))  # noqa: S314 - what vl-convert has just written
    names: dict[str, str] = {}
    for element in tree.iter():
        if (old := element.get("id")) is not None:
            names[old] = f"{prefix}-{len(names) + 1}"
    return _cleaned(tree, names)


def for_page(tree: ET.Element) -> Markup:
    """The picture as it stands in a page, which says how wide it is."""
    page = ET.Element("svg", {"viewBox": tree.get("viewBox", "")})
    page.extend(tree)
    return Markup(ET.tostring(page, encoding="unicode", short_empty_elements=True))  # noqa: S704 - cleaned above


def as_file(tree: ET.Element, below: tuple[ET.Element, int] | None = None) -> str:
    """The picture as a file, on paper, with what stands below it."""
    width, height = int(tree.get("width", "0")), int(tree.get("height", "0"))
    whole = height + (below[1] if below is not None else 0)
    size = {"width": str(width), "height": str(whole), "viewBox": f"0 0 {width} {whole}"}
    file = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, "font-family": FONTS})
    file.append(ET.Element("rect", {"width": str(width), "height": str(whole), "fill": palette.PAPER}))
    file.extend(tree)
    if below is not None:
        group = ET.SubElement(file, "g", {"transform": f"translate(0,{height})"})
        group.append(below[0])
    return ET.tostring(file, encoding="unicode") + "\n"


def png(svg: str, scale: float = 2.0) -> bytes:
    """A picture that is a file, as PNG, twice as many pixels wide and high."""
    content: bytes = vl_convert().svg_to_png(svg, scale=scale)
    return content


def without_glyphs(svg: str) -> str:
    """The characters of a picture that no font of this machine has: in a PNG of it they would be empty boxes."""
    text = "".join(ET.fromstring(svg).itertext())  # noqa: S314 - a picture from `as_file`
    return "".join(one for one in dict.fromkeys(text) if ord(one) > _ASCII and not _has_glyph(one))


@cache
def _has_glyph(character: str) -> bool:
    return _alone(character) != _alone(_NEVER)


def _alone(character: str) -> bytes:
    sizes = {"width": "24", "height": "24", "font-family": FONTS, "font-size": "16"}
    file = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **sizes})
    ET.SubElement(file, "text", {"x": "2", "y": "20"}).text = character
    return png(ET.tostring(file, encoding="unicode"), 1)


def _cleaned(element: ET.Element, names: Mapping[str, str]) -> ET.Element:
    tag = element.tag.removeprefix(_SVG)
    if tag not in _ELEMENTS:
        raise ValueError(f"a chart came out with the element {tag!r}")
    kept = ET.Element(tag, dict(_attributes(element, names)))
    kept.text = element.text if tag in ("text", "tspan", "title") else None
    for child in element:
        clean = _cleaned(child, names)
        if not _is_empty(clean):
            kept.append(clean)
    return kept


def _attributes(element: ET.Element, names: Mapping[str, str]) -> list[tuple[str, str]]:
    found = []
    for name, value in element.attrib.items():
        if name not in _ATTRIBUTES or _PLAIN.get(name) == value:
            continue
        if name == "id":
            found.append((name, names[value]))
        elif name == "d" and _POLYLINE.fullmatch(value):
            found.append((name, _short(value)))
        elif name in _PLACES:
            found.append((name, _NUMBER.sub(_rounded, value)))
        else:
            found.append((name, _REFERENCE.sub(lambda match: f"url(#{names[match.group(1)]})", value)))
    return found


def _short(path: str) -> str:
    """The same lines in half the characters: to tenths of a pixel, each point from the one before."""
    said: list[str] = []
    x = y = 0
    for command, here_x, here_y in _POINT.findall(path):
        to_x, to_y = round(float(here_x) * 10), round(float(here_y) * 10)
        said.append(
            f"M{_tenths(to_x)},{_tenths(to_y)}" if command == "M" else f"l{_tenths(to_x - x)},{_tenths(to_y - y)}"
        )
        x, y = to_x, to_y
    return "".join(said).replace(",-", "-") + ("Z" if path.endswith("Z") else "")


def _tenths(number: int) -> str:
    sign, (whole, rest) = "-" if number < 0 else "", divmod(abs(number), 10)
    return f"{sign}{whole}.{rest}" if rest else f"{sign}{whole}"


def _rounded(match: re.Match[str]) -> str:
    """A tenth of a pixel is finer than anybody sees."""
    text = f"{float(match.group()):.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _is_empty(element: ET.Element) -> bool:
    """Whether an element draws nothing."""
    if element.tag in ("g", "defs", "clipPath"):
        return len(element) == 0
    if element.tag == "path":
        colours = element.get("fill"), element.get("stroke")
        return not element.get("d") or all(colour in (None, "none") for colour in colours)
    return element.tag == "text" and not element.text and len(element) == 0
