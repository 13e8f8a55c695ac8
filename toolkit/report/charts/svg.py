"""SVG as text: elements whose contents are always escaped, and how wide a text is about."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from toolkit.report.charts.theme import DASHES, LIGHT, SERIES
from toolkit.report.text import visible

_NARROW = frozenset("iljtfrI.,:;'|!()[]{} -")
_WIDE = frozenset("mwMWQOGD@%&")
_WIDE_SCRIPTS = 0x2E80
_NO_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")


def text_width(text: str, size: float = 12.0, *, bold: bool = False) -> float:
    """About how wide a text is at most in the fonts that are used, of which DejaVu Sans is the widest."""
    return sum(map(_units, text)) * size * (1.1 if bold else 1.0)


def _units(char: str) -> float:
    if char in _NARROW:
        return 0.37
    if char in _WIDE:
        return 0.9
    if ord(char) > _WIDE_SCRIPTS:
        return 1.0
    return 0.68 if char.isupper() else 0.62


def cut(text: str, width: float, size: float = 12.0, *, bold: bool = False) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if text_width(text, size, bold=bold) <= width:
        return text
    while text and text_width(text, size, bold=bold) > width - size:
        text = text[:-1]
    return text.rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def escaped(text: str) -> str:
    """Text as XML may hold it."""
    return html.escape(_NO_XML.sub("\ufffd", visible(text)), quote=True)


def num(value: float) -> str:
    """A coordinate with one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def element(name: str, inner: str = "", /, **attributes: object) -> str:
    """An element. `inner` is markup; attributes are escaped, `_` stands for `-`, None is left out."""
    written = "".join(
        f' {key.strip("_").replace("_", "-")}="{escaped(num(value) if isinstance(value, float) else str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>"


def fill(colour: str) -> dict[str, object]:
    """The attributes of an element filled with a colour of the theme."""
    return {"fill": LIGHT[colour], "class_": f"f-{colour}"}


def stroke(colour: str, width: float = 1.0, dash: str = "") -> dict[str, object]:
    return {"stroke": LIGHT[colour], "class_": f"l-{colour}", "stroke_width": width, "stroke_dasharray": dash or None, "fill": "none"}


def series_colour(index: int) -> str:
    return f"s{index % len(SERIES)}"


def series_dash(index: int) -> str:
    """Series beyond the number of colours are told apart by their dashes."""
    return DASHES[index // len(SERIES) % len(DASHES)]


def label(text: str, x: float, y: float, *, colour: str = "muted", size: float = 12.0, anchor: str = "start") -> str:
    """One line of text at its baseline. The colour `strong` is bold ink."""
    style = {
        "font_size": size,
        "text_anchor": None if anchor == "start" else anchor,
        "font_weight": 600 if colour == "strong" else None,
        **fill("ink" if colour == "strong" else colour),
    }
    return element("text", escaped(text), x=x, y=y, **style)


def tooltip(*lines: str) -> str:
    """What is shown while the pointer rests on the element; read aloud as well."""
    return element("title", escaped("\n".join(lines))) if lines else ""


def group(parts: Iterable[str], /, **attributes: object) -> str:
    return element("g", "".join(parts), **attributes)
