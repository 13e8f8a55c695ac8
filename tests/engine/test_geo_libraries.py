"""The libraries behind the geospatial functions: loaded when a row needs them, named when they are not there."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import pytest

from toolkit import Workspace
from toolkit.engine.errors import QueryFailed
from toolkit.engine.geo import library

_LIBRARIES = ("h3", "s2geometry", "geographiclib")
_LOOK = f"""
import sys
from toolkit import Workspace
Workspace().query("print geo_point_to_s2cell(1, 2), geo_distance_2points(1, 2, 3, 4), geo_point_to_geohash(1, 2)")
Workspace({{"T": {{"s": "string"}}}}).query("T | project geo_h3cell_level(s), geo_s2cell_neighbors(s)")
print(sorted(set(sys.modules) & set({_LIBRARIES!r})))
"""


def test_they_are_not_loaded_for_nothing() -> None:
    found = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "call"), [("h3", "geo_h3cell_level('862a1072fffffff')"), ("s2geometry", "geo_s2cell_to_central_point('89c259')")]
)
def test_a_missing_one_is_named(name: str, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)  # the import system's own mark for a module that is not there
    library.h3.cache_clear()
    library.s2.cache_clear()
    try:
        with closing(Workspace()) as workspace, pytest.raises(QueryFailed, match=f"need the Python package {name}, which is not installed"):
            workspace.query(f"print {call}")
    finally:
        library.h3.cache_clear()
        library.s2.cache_clear()
