"""How the values of text files become those of a KQL type: by DuckDB alone where all have one plain form, else by an ingest's code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from toolkit.engine.files import looks
from toolkit.engine.files.parquet import literal, text_column
from toolkit.engine.files.paths import PlacedFile, sql_name
from toolkit.engine.files.values import udf_of
from toolkit.engine.ingest.findings import unreadable
from toolkit.engine.ingest.partitions import NO_VALUE, is_date, is_whole
from toolkit.engine.lower.context import StoredColumn
from toolkit.engine.lower.time_bounds import FILE, FROM_DATES, FROM_MICROSECONDS, FROM_NANOSECONDS
from toolkit.engine.sql import PHYSICAL
from toolkit.kql.types import ScalarType


class Reading(NamedTuple):
    """`sql_type`: the type by which DuckDB reads the column."""

    sql_type: str
    column: StoredColumn


_PLAIN = {
    ScalarType.LONG: looks.WHOLE,
    ScalarType.INT: looks.INTEGER,
    ScalarType.REAL: looks.NUMBERS,
    ScalarType.BOOL: looks.BOOL,
    ScalarType.GUID: looks.TEXT,
    ScalarType.STRING: looks.TEXTS,
    ScalarType.DATETIME: looks.TIME | looks.FINE | looks.FAR,
}
"""The bits that the values of a column may have, for DuckDB to read it alone."""
_PLAIN_JSON = looks.OBJECT | looks.ARRAY | looks.BOOL | looks.INTEGER | looks.NOT_INT


def field_reading(name: str, kind: ScalarType, bits: int) -> Reading:
    """A column of a CSV file."""
    if kind is not ScalarType.STRING and _is_plain(kind, bits):
        return _plain_reading(name, kind, bits, truth="(lower({0}) = 'true')")
    return Reading("VARCHAR", text_column(sql_name(name), name, kind))


def json_reading(name: str, kind: ScalarType, bits: int) -> Reading:
    """A member of the objects of a file of JSON lines."""
    if _is_plain(kind, bits):
        return _plain_reading(name, kind, bits)
    column, text = sql_name(name), "CAST({0} AS VARCHAR)"
    if kind is ScalarType.DYNAMIC and not bits & ~_PLAIN_JSON:
        return Reading("JSON", StoredColumn(column, True, text))
    if kind is not ScalarType.DYNAMIC and not bits & ~(looks.TEXTS | looks.ODD):
        return Reading("VARCHAR", text_column(column, name, kind, json=True))
    udf = udf_of(kind, "value")
    call = f"{udf}({text}, {literal(name)}, {sql_name(FILE)})"
    if kind is ScalarType.STRING:
        call = f"coalesce({call}, '')"
    elif kind is ScalarType.DYNAMIC:
        call = f"CASE WHEN ascii({text}) = 34 OR regexp_matches({text}, {literal(looks.RESPELLED)}) THEN {call} ELSE {text} END"
    return Reading("JSON", StoredColumn(column, True, call, udf=udf))


def _is_plain(kind: ScalarType, bits: int) -> bool:
    beyond = kind is ScalarType.DATETIME and bits & looks.FINE and bits & looks.FAR
    return kind in _PLAIN and not bits & ~_PLAIN[kind] and not beyond


def _plain_reading(name: str, kind: ScalarType, bits: int, truth: str = "") -> Reading:
    sql_type, template = PHYSICAL[kind], "{0}"
    if kind is ScalarType.DATETIME:
        sql_type, template = ("TIMESTAMP_NS", FROM_NANOSECONDS) if bits & looks.FINE else ("TIMESTAMP", FROM_MICROSECONDS)
    elif kind is ScalarType.STRING:
        template = "coalesce({0}, '')"
    elif kind is ScalarType.GUID:
        template = "lower({0})"
    elif kind is ScalarType.BOOL and truth:
        sql_type, template = "VARCHAR", truth
    return Reading(sql_type, StoredColumn(sql_name(name), True, template))


def partition_reading(key: str, kind: ScalarType, files: Sequence[PlacedFile]) -> StoredColumn:
    """The value that a file's folder has for a name: of the file's path alone, therefore a condition on it leaves out whole files.

    Raises IngestError for a value that is none of the type.
    """
    values = [file.partition[key] for file in files]
    pattern = f"/{re.escape(key)}=([^/]+)/(?:[^/=]+=[^/]+/)*[^/]*$"
    coded = f"regexp_extract({sql_name(FILE)}, {literal(pattern)}, 1)"
    text = f"nullif(coalesce(TRY(url_decode({coded})), {coded}), {literal(NO_VALUE)})"
    texts = [value for value in values if value is not None]
    if kind is ScalarType.LONG and all(map(is_whole, texts)):
        return StoredColumn(text, True, f"CAST({{0}} AS {PHYSICAL[kind]})")
    if kind is ScalarType.DATETIME and all(map(is_date, texts)):
        return StoredColumn(text, True, FROM_DATES.replace("{0}", "CAST({0} AS DATE)"))
    if kind is not ScalarType.STRING:
        _check_folders(key, kind, files)
    return text_column(text, key, kind)


def _check_folders(key: str, kind: ScalarType, files: Sequence[PlacedFile]) -> None:
    import pyarrow as pa

    from toolkit.engine.ingest.coerce import coerce_strings
    from toolkit.engine.ingest.logtime import TimeReading

    values = [file.partition[key] for file in files]
    for row, reason in coerce_strings(pa.array(values, pa.string()), kind, TimeReading(), text_source=True).bad.items():
        raise unreadable(files[row].path, f"the folder {key}={values[row]}: {reason}")
