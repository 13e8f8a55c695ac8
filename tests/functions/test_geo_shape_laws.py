"""Lines and polygons against S2 point by point, against their definitions, and against one another, over generated shapes."""

from __future__ import annotations

import json
import math
import random
from contextlib import closing
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit import Workspace
from toolkit.engine.geo import buffers, coverings, densify, lines, overlay, polygons, simplify
from toolkit.engine.geo.library import s2
from toolkit.engine.geo.shapes import EARTH_RADIUS_METERS, degrees, meters_between, read_line, read_polygon, s2_point

pytest.importorskip("s2geometry")

EXAMPLES = settings(max_examples=25, deadline=None)
SEEDS = st.integers(0, 2**32)
DEGREE = 111_195.0
Ring = list[list[float]]


def _ring(dice: random.Random, corners: int, size: float, noise: float = 0.5) -> Ring:
    """A star around a random place, its corners in order."""
    x, y = dice.uniform(-150, 150), dice.uniform(-60, 60)
    turns = [2 * math.pi * (corner + dice.uniform(-0.3, 0.3)) / corners for corner in range(corners)]
    radii = [size * (1 + dice.uniform(-noise, noise)) for _ in turns]
    return [[x + r * math.cos(turn) / math.cos(math.radians(y)), y + r * math.sin(turn)] for r, turn in zip(radii, turns, strict=True)]


def _polygon(*rings: Ring) -> str:
    return json.dumps({"type": "Polygon", "coordinates": [[*ring, ring[0]] for ring in rings]})


def _line(points: Ring) -> str:
    return json.dumps({"type": "LineString", "coordinates": points})


def _walk(dice: random.Random, count: int, step: float) -> Ring:
    found, turn = [[dice.uniform(-150, 150), dice.uniform(-60, 60)]], 0.0
    for _ in range(count):
        turn += dice.uniform(-1.5, 1.5)
        found.append([found[-1][0] + step * math.cos(turn), found[-1][1] + step * math.sin(turn)])
    return found


def _around(dice: random.Random, ring: Ring, count: int, margin: float) -> Ring:
    sides = [(min(values) - margin, max(values) + margin) for values in zip(*ring, strict=True)]
    return [[dice.uniform(*side) for side in sides] for _ in range(count)]


@EXAMPLES
@given(SEEDS, st.integers(3, 60), st.floats(0.001, 5))
def test_points_in_batches_are_as_s2_has_them_one_by_one(seed: int, corners: int, size: float) -> None:
    dice = random.Random(seed)
    ring = _ring(dice, corners, size)
    shape = read_polygon(_polygon(ring))
    assert shape is not None
    points = [*_around(dice, ring, 1_000, size / 10), *ring]
    with closing(Workspace({"T": {"i": "long", "x": "real", "y": "real"}})) as workspace:
        workspace.ingest("T", [{"i": index, "x": x, "y": y} for index, (x, y) in enumerate(points)])
        rows = workspace.query(f"T | order by i asc | project geo_point_in_polygon(x, y, dynamic({_polygon(ring)}))").rows()
    assert [inside for (inside,) in rows] == [shape.polygon.Contains(s2_point(*point)) for point in points]


@EXAMPLES
@given(SEEDS, st.integers(1, 8), st.sampled_from([0.0, 2_000.0]))
def test_a_lookup_is_a_join_by_the_function(seed: int, count: int, radius: float) -> None:
    dice = random.Random(seed)
    rings = [_ring(dice, 6, 0.3)]
    for _ in range(count):
        x, y = dice.uniform(-0.3, 0.3), dice.uniform(-0.3, 0.3)
        rings.append([[corner[0] + x, corner[1] + y] for corner in rings[0]])
    points = _around(dice, rings[0], 200, 0.3)
    with closing(Workspace({"T": {"x": "real", "y": "real"}, "P": {"n": "long", "p": "dynamic"}})) as workspace:
        workspace.ingest("T", [{"x": x, "y": y} for x, y in points])
        workspace.ingest("P", [{"n": index, "p": json.loads(_polygon(ring))} for index, ring in enumerate(rings)])
        near = f"geo_distance_point_to_polygon(x, y, p) <= {radius}" if radius else "geo_point_in_polygon(x, y, p)"
        joined = workspace.query(f"T | extend k = 1 | join kind=inner (P | extend k = 1) on k | where {near} | project x, y, n")
        found = workspace.query(f"T | evaluate geo_polygon_lookup(P, p, x, y{f', {radius}' if radius else ''})")
        assert sorted(found.rows()) == sorted(joined.rows())


@EXAMPLES
@given(SEEDS, st.integers(3, 12), st.floats(0.01, 3))
def test_areas_of_union_and_intersection_add_up(seed: int, corners: int, size: float) -> None:
    dice = random.Random(seed)
    one = _ring(dice, corners, size)
    x, y = dice.uniform(-size, size), dice.uniform(-size, size)
    other = [[corner[0] + x, corner[1] + y] for corner in one]
    union, common = polygons.union(f"[{_polygon(one)},{_polygon(other)}]"), overlay.polygon_intersection(_polygon(one), _polygon(other))
    assert union is not None
    assert common is not None
    shared = (polygons.area(common) or 0.0) if overlay.polygons_intersect(_polygon(one), _polygon(other)) else 0.0
    together = (polygons.area(_polygon(one)) or 0.0) + (polygons.area(_polygon(other)) or 0.0)
    assert (polygons.area(union) or 0.0) + shared == pytest.approx(together, rel=1e-9)


@EXAMPLES
@given(SEEDS, st.integers(1, 12), st.floats(0.001, 2), st.sampled_from([0.3, 0.05, 0.005]))
def test_a_buffered_line_holds_what_is_near_it(seed: int, count: int, step: float, fraction: float) -> None:
    dice = random.Random(seed)
    walk, radius = _walk(dice, count, step), step * DEGREE * dice.uniform(0.05, 2)
    line = read_line(_line(walk))
    assert line is not None
    area = buffers.around_line(line, radius, fraction)
    for x, y in _around(dice, walk, 100, 3 * radius / DEGREE):
        meters = lines.closest(line, s2_point(x, y))[0]
        if abs(meters - radius) > 1.001 * fraction * radius:
            assert area.Contains(s2_point(x, y)) == (meters < radius)


@EXAMPLES
@given(SEEDS, st.integers(3, 150), st.floats(0.01, 2), st.floats(0.001, 0.5))
def test_a_simplified_polygon_stays_near_and_its_vertices_apart(seed: int, corners: int, size: float, part: float) -> None:
    dice = random.Random(seed)
    ring, tolerance = _ring(dice, corners, size, noise=dice.choice([0.02, 0.5])), part * size * DEGREE
    shape = read_polygon(_polygon(ring))
    assert shape is not None
    found = simplify.simplified_polygons([shape.polygon], tolerance / EARTH_RADIUS_METERS)[0]
    border = read_line(_line([*ring, ring[0]]))
    assert border is not None
    vertices = [found.loop(index).vertex(place) for index in range(found.num_loops()) for place in range(found.loop(index).num_vertices())]
    for vertex in vertices:
        assert lines.closest(border, vertex)[0] <= 1e-6
    distinct = {degrees(vertex): vertex for vertex in vertices}
    assert all(meters_between(one, other) >= tolerance * (1 - 1e-9) for one, other in combinations(distinct.values(), 2))


@EXAMPLES
@given(SEEDS, st.floats(0.1, 40), st.floats(1, 10_000))
def test_densified_edges_follow_the_straight_ones(seed: int, length: float, tolerance: float) -> None:
    dice = random.Random(seed)
    start = [dice.uniform(-80, 80), dice.uniform(-45, 45)]
    turn = dice.uniform(0, 2 * math.pi)
    end = [start[0] + length * math.cos(turn), start[1] + length * math.sin(turn)]
    points: Any = json.loads(densify.line(_line([start, end]), tolerance, False) or "null")["coordinates"]
    assert points[0] == start
    assert points[-1] == end
    for one, other in pairwise(points):
        for part in (0.25, 0.5, 0.75):
            straight = s2_point(*((1 - part) * a + part * b for a, b in zip(one, other, strict=True)))
            assert meters_between(straight, s2().Interpolate(s2_point(*one), s2_point(*other), part)) <= tolerance


@EXAMPLES
@given(SEEDS, st.integers(1, 6), st.floats(0.001, 0.5), st.integers(6, 12))
def test_a_covering_has_every_cell_within_the_radius_and_no_other(seed: int, count: int, step: float, level: int) -> None:
    dice = random.Random(seed)
    walk, radius = _walk(dice, count, step), step * DEGREE * dice.uniform(0.05, 1)
    line = read_line(_line(walk))
    assert line is not None
    tokens = coverings.line_to_s2cells(_line(walk), level, radius)
    if tokens is None:
        return
    covered = set(json.loads(tokens))
    for x, y in _around(dice, walk, 100, 2 * radius / DEGREE):
        if lines.closest(line, s2_point(x, y))[0] <= radius:
            assert s2().S2CellId(s2_point(x, y)).parent(level).ToToken() in covered
    for token in covered:
        cell = s2().S2Cell(s2().S2CellId.FromToken(token))
        edges = [cell.GetDistance(one, other).ToAngle().radians() for one, other in line.edges]
        assert min(edges) * EARTH_RADIUS_METERS <= radius * (1 + 1e-9)
