"""Arithmetic of points on the unit sphere, as tuples: for the few places where S2's bindings have no function."""

from __future__ import annotations

import math
from fractions import Fraction

from toolkit.engine.geo.library import s2

Vector = tuple[float, float, float]

# The square of what rounding can do to the sine of an angle.
_UNSURE = (16 * 2.0**-53) ** 2
# What rounding can do to the difference of two squared chords, as a part of the chord.
_UNSURE_DISTANCE = 16 * 2.0**-53


def dot(one: Vector, other: Vector) -> float:
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]


def cross(one: Vector, other: Vector) -> Vector:
    return (
        one[1] * other[2] - one[2] * other[1],
        one[2] * other[0] - one[0] * other[2],
        one[0] * other[1] - one[1] * other[0],
    )


def plus(one: Vector, other: Vector) -> Vector:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def minus(one: Vector, other: Vector) -> Vector:
    return one[0] - other[0], one[1] - other[1], one[2] - other[2]


def scaled(one: Vector, factor: float) -> Vector:
    return one[0] * factor, one[1] * factor, one[2] * factor


def normalized(one: Vector) -> Vector:
    return scaled(one, 1 / math.sqrt(dot(one, one)))


def normal(one: Vector, other: Vector) -> Vector:
    """Twice the cross product of two points, which points to the left of the edge; exact enough for close ones."""
    return cross(minus(one, other), plus(one, other))


def angle(one: Vector, other: Vector) -> float:
    """Radians between two directions."""
    return math.atan2(math.hypot(*cross(one, other)), dot(one, other))


def chord2(one: Vector, other: Vector) -> float:
    """The squared distance through the sphere."""
    between = minus(one, other)
    return dot(between, between)


def side(one: Vector, other: Vector, point: Vector) -> int:
    """1 when a point is to the left of an edge, -1 to the right. S2 decides where rounding could, also about points on the edge."""
    first, second = minus(one, point), minus(other, point)
    found = dot(cross(first, second), point)
    if found * found > _UNSURE * dot(first, first) * dot(second, second):
        return 1 if found > 0 else -1
    if point in (one, other) or one == other:
        return 0
    library = s2()
    edge = library.S2Polyline()
    edge.InitFromS2Points([library.S2Point_FromRaw(*one), library.S2Point_FromRaw(*other)])
    return -1 if edge.IsOnRight(library.S2Point_FromRaw(*point)) else 1


def compare_distances(point: Vector, one: Vector, other: Vector) -> int:
    """-1 when the first of two points is closer, 1 when the second is; of two at the same distance the larger one is."""
    first, second = chord2(point, one), chord2(point, other)
    if abs(first - second) > _UNSURE_DISTANCE * (first + second) ** 0.5:
        return -1 if first < second else 1
    exact = [_signed_square(point, candidate) for candidate in (one, other)]
    if exact[0] != exact[1]:
        return -1 if exact[0] > exact[1] else 1
    return (one < other) - (one > other)


def _signed_square(one: Vector, other: Vector) -> Fraction:
    """The square of the cosine between two points, with its sign, without rounding: points are not exactly of length 1."""
    product = sum((Fraction(a) * Fraction(b) for a, b in zip(one, other, strict=True)), Fraction(0))
    length2 = sum((Fraction(part) ** 2 for part in other), Fraction(0))
    return product * abs(product) / length2


def edge_chord2(point: Vector, start: Vector, end: Vector) -> float:
    """The squared chord from a point to the closest point of an edge."""
    axis = normal(start, end)
    across = cross(axis, point)
    if start != end and dot(minus(start, point), across) < 0 < dot(minus(end, point), across):
        height2 = min(1.0, dot(point, axis) ** 2 / dot(axis, axis))
        return 2 * height2 / (1 + math.sqrt(1 - height2))
    return min(chord2(point, start), chord2(point, end))


def on_ray(origin: Vector, direction: Vector, distance: float) -> Vector:
    """The point at an angle from the origin towards a direction perpendicular to it."""
    return normalized(plus(scaled(origin, math.cos(distance)), scaled(direction, math.sin(distance))))
