"""Which of many points are inside of a polygon, or near a line or polygon: numpy first, S2 for what remains (R-332).

Points outside of the bounding rectangle are out; of the others those in cells that lie inside of the polygon are in, those
in no cell of its covering are out, and only points in the cells along the border are asked one by one.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from toolkit.engine.geo.library import s2
from toolkit.engine.geo.lines import closest
from toolkit.engine.geo.polygons import distance_to
from toolkit.engine.geo.s2_cells import leaf_ids
from toolkit.engine.geo.shapes import EARTH_RADIUS_METERS, S2, LineShape, PolygonShape, read_line, read_polygon, s2_point
from toolkit.engine.udf.json_text import array_elements
from toolkit.engine.udf.strings import json_text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Reals = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]
    Places = npt.NDArray[np.intp]

_MANY = 500
_CELLS = 1024
_MARGIN_DEGREES = 1e-9


def contains(longitudes: Any, latitudes: Any, texts: Any) -> Any:
    """Arrow arrays of coordinates and polygons as an array of truth values; null where one of them is invalid."""
    import numpy as np
    import pyarrow as pa

    x, y = _reals(longitudes), _reals(latitudes)
    valid = (np.abs(x) <= 180) & (np.abs(y) <= 90)
    inside, known = np.zeros(len(x), dtype=bool), np.zeros(len(x), dtype=bool)
    for text, rows in _by_text(texts):
        shape = read_polygon(text)
        if shape is None:
            continue
        rows = rows[valid[rows]]
        known[rows] = True
        inside[rows[_inside(_area(shape), x[rows], y[rows])]] = True
    return pa.array(inside, mask=~known)


def _reals(values: Any) -> Reals:
    """NaN for null."""
    import numpy as np

    found: Reals = np.asarray(values.to_numpy(), dtype=np.float64)
    return found


def _by_text(texts: Any) -> list[tuple[str, Places]]:
    """Each distinct text and the rows that have it; nearly always there is one."""
    import numpy as np

    if len(texts) and texts.num_chunks == 1 and _all_equal(texts.chunk(0)):
        return [(texts[0].as_py(), np.arange(len(texts)))]
    encoded = texts.combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return [(text, np.nonzero(codes == code)[0]) for code, text in enumerate(encoded.dictionary.to_pylist())]


def _all_equal(texts: Any) -> bool:
    """Whether the texts are one repeated: their bytes, moved by the length of one, are the same. Hashing them would cost more."""
    import numpy as np
    import pyarrow as pa

    if texts.null_count or texts.type != pa.string():
        return False
    _, ends, data = texts.buffers()
    offsets = np.frombuffer(ends, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    lengths = np.diff(offsets)
    start, length, size = int(offsets[0]), int(lengths[0]), int(offsets[-1] - offsets[0])
    if not bool((lengths == length).all()):
        return False
    return size == length or bool(data.slice(start, size - length).equals(data.slice(start + length, size - length)))


# --- one shape ------------------------------------------------------------------------------------------------------


class _Area:
    """A polygon with what is known about it without asking S2 point by point."""

    def __init__(self, shape: PolygonShape) -> None:
        self.polygon = shape.polygon
        self.bounds = _bounds(shape.polygon.GetRectBound())

    @cached_property
    def cells(self) -> tuple[_Ranges, _Ranges]:
        """Cells that are inside, and cells that cover it."""
        coverer = s2().S2RegionCoverer()
        coverer.set_max_cells(_CELLS)
        return _Ranges(coverer.GetInteriorCovering(self.polygon)), _Ranges(coverer.GetCovering(self.polygon))


@lru_cache(maxsize=4096)
def _area(shape: PolygonShape) -> _Area:
    return _Area(shape)


class _Ranges:
    """Ranges of leaf cells, in order."""

    def __init__(self, cells: Sequence[S2]) -> None:
        import numpy as np

        found = sorted((cell.range_min().id(), cell.range_max().id()) for cell in cells)
        self._low = np.array([low for low, _ in found], dtype=np.uint64)
        self._high = np.array([high for _, high in found], dtype=np.uint64)

    def hold(self, ids: npt.NDArray[np.uint64]) -> Flags:
        import numpy as np

        if not len(self._low):
            return np.zeros(len(ids), dtype=bool)
        place = np.searchsorted(self._low, ids, side="right") - 1
        found: Flags = (place >= 0) & (ids <= self._high[place])
        return found


@dataclass(frozen=True)
class _Bounds:
    """A rectangle of degrees; across the antimeridian `west` is the larger one."""

    west: float
    east: float
    south: float
    north: float

    def hold(self, x: Reals, y: Reals) -> Flags:
        between = (x >= self.west) & (x <= self.east) if self.west <= self.east else (x >= self.west) | (x <= self.east)
        found: Flags = between & (y >= self.south) & (y <= self.north)
        return found


def _bounds(rectangle: S2) -> _Bounds:
    sides = [side().degrees() for side in (rectangle.lng_lo, rectangle.lng_hi, rectangle.lat_lo, rectangle.lat_hi)]
    west, east, south, north = sides
    return _Bounds(west - _MARGIN_DEGREES, east + _MARGIN_DEGREES, south - _MARGIN_DEGREES, north + _MARGIN_DEGREES)


def _inside(area: _Area, x: Reals, y: Reals) -> Places:
    """The places of the points that the polygon contains."""
    import numpy as np

    rows = np.nonzero(area.bounds.hold(x, y))[0]
    sure = rows[:0]
    if len(rows) >= _MANY:
        inner, outer = area.cells
        ids = _leaf_ids(x[rows], y[rows])
        certain = inner.hold(ids)
        sure, rows = rows[certain], rows[~certain & outer.hold(ids)]
    points = zip(rows.tolist(), x[rows].tolist(), y[rows].tolist(), strict=True)
    asked = [row for row, longitude, latitude in points if area.polygon.Contains(s2_point(longitude, latitude))]
    return np.concatenate([sure, np.array(asked, dtype=sure.dtype)])


def _leaf_ids(x: Reals, y: Reals) -> npt.NDArray[np.uint64]:
    """Rounding moves a point by less than a leaf cell's thousandth, so that only cells along a border could differ."""
    import numpy as np

    along, up = np.radians(x), np.radians(y)
    return leaf_ids(np.cos(up) * np.cos(along), np.cos(up) * np.sin(along), np.sin(up))


# --- tables of shapes -----------------------------------------------------------------------------------------------


class LookupGone(Exception):
    """An index that is no longer kept: more lookups at the same time than it keeps."""


_INDEXES: OrderedDict[str, list[tuple[str, PolygonShape | LineShape]]] = OrderedDict()
_MOST_INDEXES = 64


def shape_key(text: str) -> str:
    """A short text that is the same for the same shape."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def lookup_index(shapes: str, lines: bool) -> str:
    """Compiles an array of shapes for `lookup`, which finds it by the text that is returned; invalid ones are left out."""
    handle = shape_key(f"{lines}{shapes}")
    if handle not in _INDEXES:
        found: dict[str, PolygonShape | LineShape] = {}
        for item in array_elements(shapes) or ():
            shape = (read_line if lines else read_polygon)(item)
            if shape is not None:
                found[shape_key(item)] = shape
        _INDEXES[handle] = list(found.items())
    _INDEXES.move_to_end(handle)
    while len(_INDEXES) > _MOST_INDEXES:
        _INDEXES.popitem(last=False)
    return handle


def lookup(longitudes: Any, latitudes: Any, handles: Any, radii: Any) -> Any:
    """For every point the keys of the shapes of an index that hold it, as a JSON array; the radius is null for containment."""
    import numpy as np
    import pyarrow as pa

    x, y, radius = _reals(longitudes), _reals(latitudes), _reals(radii)
    found: list[list[str]] = [[] for _ in range(len(x))]
    if len(x):
        handle = handles[0].as_py()
        if handle not in _INDEXES:
            raise LookupGone(f"kql: more than {_MOST_INDEXES} lookups of shapes ran at the same time")
        valid = np.nonzero((np.abs(x) <= 180) & (np.abs(y) <= 90))[0]
        for key, shape in _INDEXES[handle]:
            for place in valid[_held(shape, x[valid], y[valid], float(radius[0]))].tolist():
                found[place].append(key)
    return pa.array([json_text(keys) for keys in found], pa.string())


def _held(shape: PolygonShape | LineShape, x: Reals, y: Reals, radius: float) -> Sequence[int]:
    if isinstance(shape, PolygonShape) and math.isnan(radius):
        inside: list[int] = _inside(_area(shape), x, y).tolist()
        return inside
    import numpy as np

    near = np.zeros(len(x), dtype=bool)
    for bounds in _surroundings(shape, radius):
        near |= bounds.hold(x, y)
    rows = np.nonzero(near)[0]
    points = zip(rows.tolist(), x[rows].tolist(), y[rows].tolist(), strict=True)
    return [row for row, longitude, latitude in points if _meters(shape, s2_point(longitude, latitude)) <= radius]


def _surroundings(shape: PolygonShape | LineShape, radius: float) -> list[_Bounds]:
    angle = s2().S1Angle.Radians(radius / EARTH_RADIUS_METERS)
    parts = [shape.polygon] if isinstance(shape, PolygonShape) else shape.polylines
    return [_bounds(part.GetRectBound().ExpandedByDistance(angle)) for part in parts]


def _meters(shape: PolygonShape | LineShape, point: S2) -> float:
    return distance_to(shape, point) if isinstance(shape, PolygonShape) else closest(shape, point)[0]
