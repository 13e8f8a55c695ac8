"""Which of many points are inside of a polygon, or near a line or polygon: numpy first, S2 for what remains (R-332).

Points outside of the bounding rectangle are out; of the others those in cells that lie inside of the polygon are in, those
in no cell of its covering are out, and only points in the cells along the border are asked one by one.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from toolkit.engine.geo.library import s2
from toolkit.engine.geo.lines import closest
from toolkit.engine.geo.polygons import distance_to
from toolkit.engine.geo.s2_cells import leaf_ids
from toolkit.engine.geo.shapes import EARTH_RADIUS_METERS, S2, LineShape, PolygonShape, read_line, read_polygon, s2_point
from toolkit.engine.udf.json_text import array_elements

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


_INDEXES: OrderedDict[str, _Index] = OrderedDict()
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
        _INDEXES[handle] = _Index(found)
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
        index = _INDEXES.get(handles[0].as_py())
        if index is None:
            raise LookupGone(f"kql: more than {_MOST_INDEXES} lookups of shapes ran at the same time")
        valid = np.nonzero((np.abs(x) <= 180) & (np.abs(y) <= 90))[0]
        for key, places in index.held(x[valid], y[valid], float(radius[0])):
            for place in valid[places].tolist():
                found[place].append(key)
    return pa.array(['["' + '","'.join(keys) + '"]' if keys else "[]" for keys in found], pa.string())


class _Index:
    """Shapes by key, and the rectangles around their parts."""

    def __init__(self, shapes: Mapping[str, PolygonShape | LineShape]) -> None:
        self._shapes = list(shapes.items())
        self._rectangles: dict[float, tuple[list[int], Any]] = {}

    def held(self, x: Reals, y: Reals, radius: float) -> Iterator[tuple[str, Places]]:
        """The keys of shapes with the places of the points in them, or within a radius unless that is NaN."""
        import numpy as np

        owners, (west, east, south, north) = self._around(0.0 if math.isnan(radius) else radius)
        crossing = west > east
        after, before = x >= west, x <= east
        hits = np.where(crossing, after | before, after & before) & (y >= south) & (y <= north)
        for owner, parts in itertools.groupby(range(len(owners)), key=owners.__getitem__):
            rows = np.nonzero(np.any(hits[list(parts)], axis=0))[0]
            if len(rows):
                key, shape = self._shapes[owner]
                yield key, rows[_held(shape, x[rows], y[rows], radius)]

    def _around(self, radius: float) -> tuple[list[int], Any]:
        """For every part of a shape the shape's number, and the sides of the rectangle around it as columns."""
        import numpy as np

        if radius not in self._rectangles:
            angle = s2().S1Angle.Radians(radius / EARTH_RADIUS_METERS)
            parts = [(owner, part) for owner, (_, shape) in enumerate(self._shapes) for part in shape.parts]
            sides = [_bounds(part.GetRectBound().ExpandedByDistance(angle)) for _, part in parts]
            columns = np.array([(side.west, side.east, side.south, side.north) for side in sides]).reshape(-1, 4).T[:, :, None]
            self._rectangles = {radius: ([owner for owner, _ in parts], columns)}
        return self._rectangles[radius]


def _held(shape: PolygonShape | LineShape, x: Reals, y: Reals, radius: float) -> Places:
    """The places of the points that a shape holds, or that are within a radius of it."""
    import numpy as np

    if isinstance(shape, PolygonShape) and math.isnan(radius):
        return _inside(_area(shape), x, y)
    points = enumerate(zip(x.tolist(), y.tolist(), strict=True))
    return np.array([place for place, point in points if _meters(shape, s2_point(*point)) <= radius], dtype=np.intp)


def _meters(shape: PolygonShape | LineShape, point: S2) -> float:
    return distance_to(shape, point) if isinstance(shape, PolygonShape) else closest(shape, point)[0]
