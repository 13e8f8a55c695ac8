"""Distances on the ellipsoid. Those on the sphere are SQL, in `toolkit.engine.functions.geo_points`."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def _wgs84() -> Any:
    from geographiclib.geodesic import Geodesic

    return Geodesic.WGS84


def spheroid_distance(longitude1: float, latitude1: float, longitude2: float, latitude2: float) -> float:
    """Metres along the geodesic of the WGS-84 ellipsoid. The coordinates are valid."""
    wgs84 = _wgs84()
    return float(wgs84.Inverse(latitude1, longitude1, latitude2, longitude2, wgs84.DISTANCE)["s12"])
