"""Sources that are already columns: Parquet files, Arrow tables, pandas data frames; and rows held in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa

from toolkit.engine.ingest.chunks import CHUNK_ROWS, Chunk, chunk_of_records
from toolkit.engine.ingest.files import LogFile
from toolkit.engine.ingest.findings import Report, unreadable

_BATCH_ROWS = 65_536


def read_parquet(file: LogFile) -> Iterator[Chunk]:
    """The rows of a Parquet file, by batches. A finding's line is the number of the row."""
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file.path) as parquet:
            yield from _batches(parquet.iter_batches(batch_size=_BATCH_ROWS), file.name)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(file.path, f"cannot be read as Parquet: {error}") from None


def read_arrow(table: Any) -> Iterator[Chunk]:
    """The rows of an Arrow table, record batch or stream of batches."""
    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    batches = table.to_batches(max_chunksize=_BATCH_ROWS) if isinstance(table, pa.Table) else table
    return _batches(batches, "arrow")


def _batches(batches: Iterable[Any], source: str) -> Iterator[Chunk]:
    row = 1
    for batch in batches:
        names = batch.schema.names
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise unreadable(source, f"expected one column of each name, found {min(twice)!r} more than once")
        yield Chunk(dict(zip(names, batch.columns, strict=True)), range(row, row + batch.num_rows))
        row += batch.num_rows


def read_pandas(frame: Any) -> Iterator[Chunk]:
    """The rows of a data frame; its index is not a column. Columns of mixed objects are read value by value."""
    frame = frame.rename(columns=str)
    try:
        return read_arrow(pa.Table.from_pandas(frame, preserve_index=False))
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return read_records(frame.astype(object).where(frame.notna(), None).to_dict("records"), Report())


def read_records(records: Iterable[Any], report: Report, source: str = "rows") -> Iterator[Chunk]:
    """Rows held in memory as mappings from column name to value. A finding's line is the number of the row."""
    numbered = enumerate(records, 1)
    while batch := list(islice(numbered, CHUNK_ROWS)):
        good: list[tuple[int, Mapping[str, Any]]] = []
        for number, record in batch:
            if isinstance(record, Mapping) and all(isinstance(key, str) for key in record):
                good.append((number, record))
            else:
                found = f"{type(record).__name__}" if not isinstance(record, Mapping) else "a key that is not text"
                report.error(f"expected a mapping from column name to value, found {found}", source, number)
        yield chunk_of_records([record for _, record in good], [number for number, _ in good])


def is_pandas(source: Any) -> bool:
    """Whether this is a pandas data frame, without importing pandas."""
    return type(source).__module__.partition(".")[0] == "pandas" and hasattr(source, "columns")


def is_arrow(source: Any) -> bool:
    return isinstance(source, (pa.Table, pa.RecordBatch, pa.RecordBatchReader))


def is_records(source: Any) -> bool:
    return isinstance(source, Sequence) and not isinstance(source, (str, bytes))
