"""H3 cells as tokens: the hexadecimal index."""

from __future__ import annotations

import re
from itertools import pairwise

from toolkit.engine.geo.geojson import Polygons, write_point, write_polygons
from toolkit.engine.geo.library import h3
from toolkit.engine.udf.strings import json_text

FINEST = 15
_DEEPEST = 5
_FARTHEST = 142
_TOKEN = re.compile(r"[0-9a-fA-F]{1,16}", re.ASCII)


def _cell(token: str) -> str | None:
    """The token as the library writes it; None for what is no cell."""
    if not _TOKEN.fullmatch(token):
        return None
    cell = f"{int(token, 16):x}"
    return cell if h3().is_valid_cell(cell) else None


def of_point(longitude: float, latitude: float, resolution: int) -> str:
    """The cell of a valid point at a valid resolution."""
    return str(h3().latlng_to_cell(latitude, longitude, resolution))


def level(token: str) -> int | None:
    cell = _cell(token)
    return None if cell is None else int(h3().get_resolution(cell))


def central_point(token: str) -> str | None:
    cell = _cell(token)
    if cell is None:
        return None
    latitude, longitude = h3().cell_to_latlng(cell)
    return write_point(longitude, latitude)


def polygon(token: str) -> str | None:
    cell = _cell(token)
    if cell is None:
        return None
    vertices = tuple((longitude, latitude) for latitude, longitude in h3().cell_to_boundary(cell))
    return write_polygons(Polygons(((vertices,),), False))


def children(token: str, resolution: int) -> str | None:
    """The cells within one, at most five levels below."""
    cell, own = _cell(token), level(token)
    if cell is None or own is None or not (1 <= resolution <= FINEST and own <= resolution <= own + _DEEPEST):
        return None
    return json_text(list(h3().cell_to_children(cell, resolution)))


def all_children(token: str) -> str | None:
    """The cells of the next level within one."""
    own = level(token)
    return None if own is None else children(token, own + 1)


def parent(token: str, resolution: int) -> str:
    """The cell around one; '' for none."""
    cell, own = _cell(token), level(token)
    if cell is None or own is None or not 0 <= resolution <= min(own, FINEST - 1):
        return ""
    return str(h3().cell_to_parent(cell, resolution))


def next_parent(token: str) -> str:
    """The cell of the level above around one; '' for none."""
    own = level(token)
    return "" if own is None else parent(token, own - 1)


def neighbors(token: str) -> str | None:
    """Six cells, or five around a pentagon."""
    cell = _cell(token)
    return None if cell is None else json_text([other for other in h3().grid_disk(cell, 1) if other != cell])


def rings(token: str, distance: int) -> str | None:
    """One array of cells per distance of 0 to `distance`."""
    cell = _cell(token)
    if cell is None or not 0 <= distance <= _FARTHEST:
        return None
    disk = h3().grid_disk(cell, distance)
    if any(map(h3().is_pentagon, disk)):
        return json_text(_by_distance(cell, disk, distance))
    # ring after ring, of 6 cells per step from the centre
    starts = [0, *(3 * ring * (ring - 1) + 1 for ring in range(1, distance + 2))]
    return json_text([disk[start:end] for start, end in pairwise(starts)])


def _by_distance(cell: str, disk: list[str], distance: int) -> list[list[str]]:
    """The rings of a disk that a pentagon has thrown out of order."""
    steps = {cell: 0}
    edge = [cell]
    for step in range(1, distance + 1):
        edge = [other for inner in edge for other in h3().grid_disk(inner, 1) if steps.setdefault(other, step) == step]
        edge = list(dict.fromkeys(edge))
    found: list[list[str]] = [[] for _ in range(distance + 1)]
    for other in disk:
        found[steps[other]].append(other)
    return found
