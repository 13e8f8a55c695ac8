"""Geohashes: rectangles of longitude and latitude, named by their bits in groups of five. Encoding is SQL."""

from __future__ import annotations

from toolkit.engine.geo.geojson import Polygons, write_point, write_polygons
from toolkit.engine.geo.hash_order import hash_order
from toolkit.engine.udf.strings import json_text

ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz"
MOST = 18
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}
# From the north-west by rows.
_AROUND = ((-1, 1), (0, 1), (1, 1), (-1, 0), (1, 0), (-1, -1), (0, -1), (1, -1))


class PoleError(Exception):
    """The neighbours of a cell at a pole; the text becomes the diagnostic of the query."""


def bits(length: int) -> tuple[int, int]:
    """How many bits of longitude and of latitude a geohash of this length has."""
    return (5 * length + 1) // 2, 5 * length // 2


def _cell(geohash: str) -> tuple[int, int] | None:
    """The column from the west and the row from the south; None for what is no geohash."""
    if not 1 <= len(geohash) <= MOST or any(letter not in _VALUES for letter in geohash):
        return None
    column = row = 0
    for index, bit in enumerate(f"{_VALUES[letter]:05b}"[place] for letter in geohash for place in range(5)):
        if index % 2 == 0:
            column = column * 2 + (bit == "1")
        else:
            row = row * 2 + (bit == "1")
    return column, row


def _named(column: int, row: int, length: int) -> str:
    across, up = bits(length)
    interleaved = 0
    for index in range(across + up):
        from_left = index // 2
        bit = column >> (across - 1 - from_left) & 1 if index % 2 == 0 else row >> (up - 1 - from_left) & 1
        interleaved = interleaved * 2 + bit
    return "".join(ALPHABET[interleaved >> 5 * (length - 1 - place) & 31] for place in range(length))


def _rectangle(geohash: str) -> tuple[float, float, float, float] | None:
    """West, south, width and height in degrees, all exact."""
    cell = _cell(geohash)
    if cell is None:
        return None
    across, up = bits(len(geohash))
    width, height = 360 / 2**across, 180 / 2**up
    return cell[0] * width - 180, cell[1] * height - 90, width, height


def central_point(geohash: str) -> str | None:
    found = _rectangle(geohash)
    if found is None:
        return None
    west, south, width, height = found
    return write_point(west + width / 2, south + height / 2)


def polygon(geohash: str) -> str | None:
    found = _rectangle(geohash)
    if found is None:
        return None
    west, south, width, height = found
    east, north = west + width, south + height
    return write_polygons(Polygons(((((west, south), (east, south), (east, north), (west, north)),),), False))


def neighbors(geohash: str) -> str | None:
    """The eight cells around one; at 180 degrees of longitude the first column follows the last."""
    cell = _cell(geohash)
    if cell is None:
        return None
    across, up = bits(len(geohash))
    if cell[1] in (0, 2**up - 1):
        raise PoleError(f"kql: geo_geohash_neighbors: what the service gives for a cell at a pole ({geohash!r}) is not documented")
    around = (((cell[0] + x) % 2**across, cell[1] + y) for x, y in _AROUND)
    return json_text(hash_order(_named(column, row, len(geohash)) for column, row in around))
