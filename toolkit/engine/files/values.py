"""Text of files in place as values of a column's type: by the code that an ingest uses, called by the engine batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.engine.functions.registry import REGISTRY, PythonFunction
from toolkit.engine.sql import PHYSICAL
from toolkit.kql.types import ScalarType

if TYPE_CHECKING:
    from collections.abc import Callable

_ORDER = "the order of day and month in its times is decided by the whole file"
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


def udf_of(kind: ScalarType, source: str = "field") -> str:
    """The engine's function for texts of a type.

    `source`: "field" of a file whose text has no types, "json" for the texts of a JSON record, "value" for any value of one, as JSON.
    """
    return f"kql_in_place_{kind.value}_{source}"


def register(connection: Any, name: str) -> None:
    """Makes a function known to an engine that has no workspace."""
    row = REGISTRY.python[name]
    special: Any = "special"
    connection.create_function(name, row.function, list(row.arguments), row.result, type="arrow", null_handling=special)


def _reader(kind: ScalarType, source: str) -> Callable[[Any, Any, Any], Any]:
    def read(texts: Any, column: Any, files: Any) -> Any:
        from toolkit.engine.ingest.coerce import coerce_strings, coerce_values
        from toolkit.engine.ingest.json_reader import strict_json
        from toolkit.engine.ingest.logtime import TimeReading, has_numeric_order

        if (
            kind is ScalarType.DATETIME
            and source != "value"
            and any(text and has_numeric_order(text) for text in texts.unique().to_pylist())
        ):
            raise ValueError(_refusal(column, files, 0, _ORDER))
        if source == "value":
            values = [None if text is None else strict_json(text) for text in texts.to_pylist()]
            if kind is ScalarType.DATETIME and any(isinstance(value, str) and has_numeric_order(value) for value in values):
                raise ValueError(_refusal(column, files, 0, _ORDER))
            found = coerce_values(values, kind, TimeReading(), text_source=False)
        else:
            found = coerce_strings(texts, kind, TimeReading(), text_source=source == "field")
        for row, reason in found.bad.items():
            raise ValueError(_refusal(column, files, row, reason))
        return found.array

    return read


def _refusal(column: Any, files: Any, row: int, reason: str) -> str:
    return f"kql: {files[row].as_py()}: column {column[row].as_py()!r} is not read in place: {reason}; ingest the file"


for _kind in (*_KINDS, ScalarType.STRING):
    for _source in ("field", "json", "value"):
        _name = udf_of(_kind, _source)
        REGISTRY.python[_name] = PythonFunction(
            _name, _reader(_kind, _source), ("VARCHAR", "VARCHAR", "VARCHAR"), PHYSICAL[_kind], strict=False, vectorized=True
        )
