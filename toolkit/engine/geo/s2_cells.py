"""S2 cells as tokens: the hexadecimal id without its trailing zeros.

The cells of many points are computed with numpy, by the definition of the S2 cell hierarchy (face of the cube, quadratic
projection, Hilbert curve); everything about one cell is left to the library.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from toolkit.engine.geo.geojson import Point, Polygons, write_point, write_polygons
from toolkit.engine.geo.hash_order import hash_order
from toolkit.engine.geo.library import s2
from toolkit.engine.udf.strings import json_text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Reals = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.int64]

LEVELS = 30
_TOKEN = re.compile(r"[0-9a-fA-F]{1,16}", re.ASCII)
# By orientation (bit 0: axes swapped, bit 1: inverted) and by 2 * i + j: the position on the Hilbert curve, and how the
# orientation of the quarter at that position differs.
_POSITION = ((0, 1, 3, 2), (0, 3, 1, 2), (2, 3, 1, 0), (2, 1, 3, 0))
_TURN = (1, 0, 0, 3)


def tokens(x: Any, y: Any, z: Any, level: Any) -> Any:
    """Arrow arrays of points on the unit sphere, and of levels of 0 to 30, as an array of tokens."""
    import numpy as np
    import pyarrow as pa

    ids = leaf_ids(*(np.asarray(axis.to_numpy(), dtype=np.float64) for axis in (x, y, z)))
    lowest = np.uint64(1) << (2 * (LEVELS - np.asarray(level.to_numpy(), dtype=np.int64))).astype(np.uint64)
    ids = (ids & (~lowest + np.uint64(1))) | lowest
    return pa.array([f"{value:016x}".rstrip("0") for value in ids.tolist()], pa.string())


def leaf_ids(x: Reals, y: Reals, z: Reals) -> npt.NDArray[np.uint64]:
    """The ids of the leaf cells that hold the points."""
    import numpy as np

    face, u, v = _on_face(x, y, z)
    i, j = _grid(u), _grid(v)
    positions, turns = np.array(_POSITION, dtype=np.int64), np.array(_TURN, dtype=np.int64)
    orientation, path = face & 1, face
    for bit in range(LEVELS - 1, -1, -1):
        position = positions[orientation, (i >> bit & 1) * 2 + (j >> bit & 1)]
        path = path << 2 | position
        orientation = orientation ^ turns[position]
    return path.astype(np.uint64) << np.uint64(1) | np.uint64(1)


def _on_face(x: Reals, y: Reals, z: Reals) -> tuple[Whole, Reals, Reals]:
    """The face of the cube that a point is seen through, and where, each coordinate within -1 to 1."""
    import numpy as np

    a, b, c = np.abs(x), np.abs(y), np.abs(z)
    axis = np.where(a > b, np.where(a > c, 0, 2), np.where(b > c, 1, 2))
    depth = np.choose(axis, [x, y, z])
    back = depth < 0
    u = np.choose(axis, [np.where(back, z, y), np.where(back, z, -x), np.where(back, -y, -x)]) / depth
    v = np.choose(axis, [np.where(back, y, z), np.where(back, -x, z), np.where(back, -x, -y)]) / depth
    return axis + 3 * back, u, v


def _grid(u: Reals) -> Whole:
    """The column or row of 2**30 on a face, after the projection that makes cells similar in size."""
    import numpy as np

    size = 1 << LEVELS
    s = np.where(u >= 0, 0.5 * np.sqrt(1 + 3 * np.abs(u)), 1 - 0.5 * np.sqrt(1 + 3 * np.abs(u)))
    found: Whole = np.floor(np.clip(size * s, 0, size - 1)).astype(np.int64)
    return found


# --- one cell -------------------------------------------------------------------------------------------------------


def _cell(token: str) -> Any:
    """The cell's id; None for what is no token."""
    if not _TOKEN.fullmatch(token):
        return None
    cell = s2().S2CellId.FromToken(token)
    return cell if cell.is_valid() else None


def central_point(token: str) -> str | None:
    cell = _cell(token)
    return None if cell is None else write_point(*_degrees(cell.ToLatLng()))


def polygon(token: str) -> str | None:
    cell = _cell(token)
    if cell is None:
        return None
    square = s2().S2Cell(cell)
    vertices = tuple(_degrees(s2().S2LatLng(square.GetVertex(corner))) for corner in range(4))
    return write_polygons(Polygons(((vertices,),), False))


def neighbors(token: str) -> str | None:
    """The cells of the same level that share an edge or a corner: eight, fewer at the corners of the cube."""
    cell = _cell(token)
    if cell is None:
        return None
    return json_text(hash_order(other.ToToken() for other in cell.GetAllNeighbors(cell.level())))


def _degrees(position: Any) -> Point:
    return position.lng().degrees(), position.lat().degrees()
