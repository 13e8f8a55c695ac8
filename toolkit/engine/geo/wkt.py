"""Well-known text as GeoJSON."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

from toolkit.engine.geo.geojson import number_text

_TOKEN = re.compile(r"\s*([A-Za-z]+|[(),]|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))", re.ASCII)
_MOST_DEPTH = 64


class UndocumentedError(Exception):
    """Well-known text of a kind for which the service's answer is not documented; the text becomes the query's diagnostic."""


class _InvalidError(Exception):
    pass


def from_wkt(text: str) -> str | None:
    """The shape as GeoJSON; None for what is no well-known text, or of a kind that GeoJSON has no name for."""
    try:
        parser = _Parser(_tokens(text))
        found = parser.shape(0)
        parser.take("")
    except _InvalidError:
        return None
    return found


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _InvalidError
        found.append(match[1])
        at = match.end()
    return found


class _Parser:
    """Recursive descent; every method gives GeoJSON text."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens: Iterator[str] = iter(tokens)
        self._next = next(self._tokens, "")

    def take(self, expected: str) -> None:
        if self._next != expected:
            raise _InvalidError
        self._next = next(self._tokens, "")

    def shape(self, depth: int) -> str:
        kind = self._next.upper()
        if kind not in _SHAPES or depth > _MOST_DEPTH:
            raise _InvalidError
        self.take(self._next)
        if self._next.upper() in ("Z", "M", "ZM", "EMPTY"):
            raise UndocumentedError(f"kql: geo_from_wkt: what the service gives for {kind} {self._next.upper()} is not documented")
        name, read = _SHAPES[kind]
        if name == "GeometryCollection":
            return f'{{"type":"{name}","geometries":[{",".join(self.items(lambda: self.shape(depth + 1)))}]}}'
        return f'{{"type":"{name}","coordinates":{read(self)}}}'

    def items(self, read: Callable[[], str], least: int = 1) -> list[str]:
        """What stands between parentheses, separated by commas."""
        self.take("(")
        found = [read()]
        while self._next == ",":
            self.take(",")
            found.append(read())
        self.take(")")
        if len(found) < least:
            raise _InvalidError
        return found

    def number(self) -> str:
        try:
            value = float(self._next)
        except ValueError:
            raise _InvalidError from None
        if not math.isfinite(value):
            raise _InvalidError
        self.take(self._next)
        return number_text(value)

    def position(self) -> str:
        return f"[{self.number()},{self.number()}]"

    def point(self) -> str:
        self.take("(")
        found = self.position()
        self.take(")")
        return found

    def multipoint_item(self) -> str:
        """With or without parentheses of its own."""
        return self.point() if self._next == "(" else self.position()

    def multipoint(self) -> str:
        return _array(self.items(self.multipoint_item))

    def line(self) -> str:
        return _array(self.items(self.position, 2))

    def ring(self) -> str:
        positions = self.items(self.position, 4)
        if positions[0] != positions[-1]:
            raise _InvalidError
        return _array(positions)

    def polygon(self) -> str:
        return _array(self.items(self.ring))

    def lines(self) -> str:
        return _array(self.items(self.line))

    def polygons(self) -> str:
        return _array(self.items(self.polygon))


def _array(items: list[str]) -> str:
    return "[" + ",".join(items) + "]"


_SHAPES: dict[str, tuple[str, Callable[[_Parser], str]]] = {
    "POINT": ("Point", _Parser.point),
    "LINESTRING": ("LineString", _Parser.line),
    "POLYGON": ("Polygon", _Parser.polygon),
    "MULTIPOINT": ("MultiPoint", _Parser.multipoint),
    "MULTILINESTRING": ("MultiLineString", _Parser.lines),
    "MULTIPOLYGON": ("MultiPolygon", _Parser.polygons),
    "GEOMETRYCOLLECTION": ("GeometryCollection", _Parser.point),
}
