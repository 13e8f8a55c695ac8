"""Large files of JSON lines, read by DuckDB's JSON reader: about ten times as fast as value by value.

Only for files in which nothing is unusual. Whatever is, a broken line, a key twice, a value that does not fit its column, an
export's envelope, makes this reader step back, and the file is read line by line with its findings. Both give the same
table, but for two spellings where a string column has numbers or objects: very large and very small fractions (1e+16,
10000000000000000.0) and escaped control characters (\\u001f, \\u001F).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from toolkit.engine.ingest.chunks import Chunk
from toolkit.engine.ingest.files import LogFile
from toolkit.engine.ingest.json_reader import WRAPPERS, first_line_is_object
from toolkit.engine.ingest.logtime import TimeReading
from toolkit.engine.ingest.naming import Naming, UnknownZoneError
from toolkit.engine.ingest.scalars import Refusal, dynamic_of_json
from toolkit.engine.ingest.scanner import RESPELLED, scanner
from toolkit.kql.types import ScalarType

LARGE_BYTES = 4 * 1024 * 1024
"""Files below this size are read line by line anyway: a fraction of a second."""

_BATCH_ROWS = 65_536
_GLOB = frozenset("*?[]{}")
# A number as text and a number of the type are read alike for every type but these.
_UNSUPPORTED = (ScalarType.TIMESPAN, ScalarType.DECIMAL)
_SPECIAL_REALS = r"(?i)(?:^|[:\[,])-?(?:nan|inf)"
_NEEDS_A_LOOK = r'^"(?:\s|\\[nrt])*(?:[{\[]|"$)|' + RESPELLED


def read_json_fast(file: LogFile, naming: Naming, minimum: int = LARGE_BYTES) -> Chunk | None:
    """All records of a file of JSON lines; None when the file is small, of another shape, or needs a closer look."""
    eligible = file.encoding == "utf-8" and file.compression in (None, "gzip") and not _GLOB.intersection(file.name)
    if not eligible or file.path.stat().st_size < minimum or not first_line_is_object(file):
        return None
    import duckdb

    try:
        with scanner() as connection:
            keys = _keys(connection, file)
            if keys is None:
                return None
            return _chunk(connection, file, keys, naming)
    except (duckdb.Error, UnknownZoneError, Refusal):
        return None


def _keys(connection: Any, file: LogFile) -> list[str] | None:
    """Every key in order of first appearance; None when a record is unusual."""
    query = "select k, min(i) from (select json_keys(json) as k, row_number() over () as i from {}) group by k order by 2"
    found = connection.execute(query.format(_scan("read_ndjson_objects", file, "")), [file.name]).fetchall()
    keys = dict.fromkeys(key for names, _ in found for key in names)
    usual = all(names and len(set(names)) == len(names) for names, _ in found)
    if not usual or len({key.casefold() for key in keys}) < len(keys):
        return None
    is_wrapped = any(key in keys for key in WRAPPERS)
    is_envelope = "properties" in keys and "time" in keys
    return None if is_wrapped or is_envelope else list(keys)


def _scan(function: str, file: LogFile, options: str) -> str:
    compression = file.compression or "uncompressed"
    return f"{function}(?, compression='{compression}'{options})"


def _chunk(connection: Any, file: LogFile, keys: Sequence[str], naming: Naming) -> Chunk | None:
    targets = {key: naming.target(key) for key in keys}
    types = {key: target.type for key, target in targets.items()}
    one_key_each = len({target.column for target in targets.values()}) == len(keys)
    if not one_key_each or any(kind in _UNSUPPORTED for kind in types.values()):
        return None
    as_json = [key for key, kind in types.items() if kind is None or kind is ScalarType.DYNAMIC]
    fields = ", ".join(f"{_quoted(key)}: '{'JSON' if key in as_json else 'VARCHAR'}'" for key in keys)
    options = f", format='newline_delimited', records='true', columns={{{fields}}}"
    rows = connection.sql(f"select * from {_scan('read_json', file, options)}", params=[file.name])
    table = rows.to_arrow_reader(_BATCH_ROWS).read_all()  # in one batch, strings would end at 2 GiB
    columns: dict[str, Any] = dict(zip(keys, table.columns, strict=True))
    for key in as_json:
        text = columns[key].cast(pa.string())
        if types[key] is None:
            columns[key] = [None if value is None else json.loads(value) for value in text.to_pylist()]
        elif pc.any(pc.match_substring_regex(text, _SPECIAL_REALS)).as_py():
            return None
        else:
            columns[key] = _dynamic(text)
    ready = frozenset(key for key in as_json if types[key] is not None)
    return Chunk(columns, range(1, table.num_rows + 1), ready=ready)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _dynamic(text: Any) -> Any:
    """JSON text of a dynamic column, spelled as Python does; strings that are empty or hold JSON themselves get the value they mean."""
    return pa.chunked_array([_meant(chunk) for chunk in text.chunks], pa.string())


def _meant(text: Any) -> Any:
    needs = pc.fill_null(pc.match_substring_regex(text, _NEEDS_A_LOOK), False)
    if not pc.any(needs).as_py():
        return text
    values = (json.loads(value) for value in text.filter(needs).to_pylist())
    meant = [dynamic_of_json(value, TimeReading()) if value != "" else None for value in values]
    return pc.replace_with_mask(text, needs, pa.array(meant, pa.string()))
