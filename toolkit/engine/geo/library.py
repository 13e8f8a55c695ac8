"""The libraries behind the geospatial functions, imported when the first row needs them."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any


class LibraryMissing(Exception):
    """A function needs a package that is not installed here. The text becomes the diagnostic of the query."""


@cache
def s2() -> Any:
    """`s2geometry`, Google's own bindings. It has no wheels for Windows and for Linux on ARM, and no source package."""
    return _imported("s2geometry", "lines and polygons")


@cache
def h3() -> Any:
    """`h3`, Uber's own bindings."""
    return _imported("h3", "H3 cells")


def _imported(name: str, purpose: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        message = f"kql: the geospatial functions of {purpose} need the Python package {name}, which is not installed on this machine"
        raise LibraryMissing(f"{message} (pip install {name}, on a platform that it is published for)") from None
