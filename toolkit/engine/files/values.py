"""Text of files in place as values of a column's type: by the code that an ingest uses, called by the engine batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.engine.functions.registry import REGISTRY, PythonFunction
from toolkit.engine.sql import PHYSICAL
from toolkit.kql.types import ScalarType

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS = (
    ScalarType.BOOL,
    ScalarType.INT,
    ScalarType.LONG,
    ScalarType.REAL,
    ScalarType.DECIMAL,
    ScalarType.DATETIME,
    ScalarType.TIMESPAN,
    ScalarType.GUID,
    ScalarType.DYNAMIC,
)


def udf_of(kind: ScalarType, *, json: bool = False) -> str:
    """The engine's function for texts of a type; `json`: for what a JSON record holds as text, not for a field of a file without types."""
    return f"kql_in_place_{kind.value}{'_json' if json else ''}"


def _reader(kind: ScalarType, text_source: bool) -> Callable[[Any, Any, Any], Any]:
    def read(texts: Any, column: Any, files: Any) -> Any:
        from toolkit.engine.ingest.coerce import coerce_strings
        from toolkit.engine.ingest.logtime import TimeReading, has_numeric_order

        if kind is ScalarType.DATETIME and any(text and has_numeric_order(text) for text in texts.unique().to_pylist()):
            raise ValueError(_refusal(column, files, 0, "the order of day and month in its times is decided by the whole file"))
        found = coerce_strings(texts, kind, TimeReading(), text_source=text_source)
        for row, reason in found.bad.items():
            raise ValueError(_refusal(column, files, row, reason))
        return found.array

    return read


def _refusal(column: Any, files: Any, row: int, reason: str) -> str:
    return f"kql: {files[row].as_py()}: column {column[row].as_py()!r} is not read in place: {reason}; ingest the file"


for _kind in _KINDS:
    for _json in (False, True):
        _name = udf_of(_kind, json=_json)
        REGISTRY.python[_name] = PythonFunction(
            _name, _reader(_kind, not _json), ("VARCHAR", "VARCHAR", "VARCHAR"), PHYSICAL[_kind], strict=False, vectorized=True
        )
