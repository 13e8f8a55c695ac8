"""The rows of a query, as each kind of reader wants them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from toolkit.engine.values import parse_dynamic, to_json, to_python
from toolkit.kql import plan
from toolkit.kql.diagnostics import ToolkitError
from toolkit.kql.times import TICKS_PER_MICROSECOND, UNIX_EPOCH_TICKS
from toolkit.kql.types import ScalarType

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# The renderers stand above the engine. They are found by name, so that the engine depends on nothing above it.
_RENDERER = "toolkit.report.charts"


class ResultError(ToolkitError, ValueError):
    """Rows that cannot be shown as asked."""


class Result:
    """A finished query. Values are converted when they are asked for; asking twice costs once.

    `columns` are (name, KQL type name) in order. `visualization` is what `render` asked for, or None. A query of several
    statements, or one that ends in `fork` or `facet`, has several results: this is the first one, `others` are the rest.
    `name` is what fork, facet or `as` calls the result.
    """

    def __init__(
        self,
        table: pa.Table,
        columns: Sequence[plan.Column],
        visualization: plan.Visualization | None = None,
        constants: Mapping[int, object] | None = None,
        *,
        name: str = "",
        others: Sequence[Result] = (),
    ) -> None:
        """`table` has a column c<id> per column that is not one of `constants` (id -> its value in every row)."""
        self._table = table
        self._columns = tuple(columns)
        self._constants = constants or {}
        self.visualization = visualization
        self.name = name
        self.others = tuple(others)

    @property
    def columns(self) -> list[tuple[str, str]]:
        return [(column.name, column.type.value) for column in self._columns]

    def rows(self) -> list[tuple[Any, ...]]:
        """All rows as tuples of Python values.

        datetime: aware UTC `datetime`; timespan: `timedelta` (both truncated to microseconds); dynamic: dict, list or
        scalar; decimal: `Decimal`; guid: `str`; real: `float` (NaN stays NaN); null: None (never for string).
        """
        return self._rows

    @cached_property
    def _rows(self) -> list[tuple[Any, ...]]:
        if not self._columns:
            return [()] * len(self)
        return list(zip(*(to_python(column.type, values) for column, values in self._physical()), strict=True))

    def values(self, index: int) -> list[Any]:
        """One column as the engine holds it: datetime and timespan as ticks, dynamic as JSON text."""
        return self._values(self._columns[index])

    @property
    def size(self) -> int:
        """Bytes of the stored columns."""
        return int(self._table.nbytes)

    def head(self, count: int) -> Result:
        """The first rows, of this result alone."""
        return Result(self._table.slice(0, count), self._columns, self.visualization, self._constants, name=self.name)

    def slices(self, rows: int = 10_000) -> Iterator[Result]:
        """The rows of this result alone, some at a time: for readers that need not hold all of them converted."""
        for start in range(0, len(self), rows):
            yield Result(self._table.slice(start, rows), self._columns, self.visualization, self._constants, name=self.name)

    def column(self, index: int) -> pa.ChunkedArray:
        """One column as `values` has it, in Arrow: without a Python object for each cell."""
        return self._arrow_values(self._columns[index])

    def _physical(self) -> Iterator[tuple[plan.Column, list[Any]]]:
        for column in self._columns:
            yield column, self._values(column)

    def _values(self, column: plan.Column) -> list[Any]:
        if column.id in self._constants:
            return [self._constants[column.id]] * len(self)
        values: list[Any] = self._table.column(f"c{column.id}").to_pylist()
        return values

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __repr__(self) -> str:
        return f"<Result: {len(self)} rows, {len(self._columns)} columns>"

    def to_dicts(self) -> list[dict[str, Any]]:
        """All rows as dictionaries by column name."""
        names = [column.name for column in self._columns]
        return [dict(zip(names, row, strict=True)) for row in self._rows]

    def to_arrow(self) -> pa.Table:
        """An Arrow table: datetime as timestamp[us, UTC], timespan as duration[us], dynamic as JSON text."""
        import pyarrow as pa

        arrays = [_arrow_column(column.type, self._arrow_values(column)) for column in self._columns]
        return pa.Table.from_arrays(arrays, names=[column.name for column in self._columns])

    def _arrow_values(self, column: plan.Column) -> pa.ChunkedArray:
        import pyarrow as pa

        from toolkit.engine.ingest.coerce import PHYSICAL

        if column.id not in self._constants:
            return self._table.column(f"c{column.id}")
        value = pa.scalar(self._constants[column.id], PHYSICAL[column.type])
        return pa.chunked_array([pa.repeat(value, len(self))])

    def to_pandas(self) -> pd.DataFrame:
        """A data frame: datetime64[us, UTC], timedelta64[us]; dynamics as Python values."""
        frame = self.to_arrow().to_pandas()
        for index, column in enumerate(self._columns):
            if column.type is ScalarType.DYNAMIC:
                texts = self._values(column)
                frame.isetitem(index, [None if text is None else parse_dynamic(text) for text in texts])
        return frame

    def to_json(self, *, indent: int | None = None) -> str:
        """A JSON array with one object per row; datetimes with 7 digits, timespans as `[-][d.]hh:mm:ss[.fffffff]`."""
        names = [column.name for column in self._columns]
        values = [to_json(column.type, found) for column, found in self._physical()]
        rows = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)] if names else [{} for _ in range(len(self))]
        return json.dumps(rows, ensure_ascii=False, indent=indent, default=str)

    def plot(self, kind: str | None = None, /, **properties: object) -> Any:
        """A chart, as `render` draws it: `result.plot()` as the query asks, `result.plot("timechart", title="Sign-ins")` otherwise.

        `properties` are those of `render`; columns are given as names (`ycolumns="a, b"` or a list). Notebooks show what it gives;
        its `.svg` is the whole picture, `.notes` say what could not be drawn as asked. Raises ResultError for rows that the
        chart cannot show.
        """
        asked = plan.Visualization(kind, tuple(properties.items())) if kind else self.visualization
        if asked is None:
            raise ResultError("expected a kind of chart, as the query has no render: plot('timechart')")
        drawn = import_module(_RENDERER).chart_of(self, asked)
        if not hasattr(drawn, "svg"):
            raise ResultError(drawn.reason or f"a {asked.kind} is no chart")
        return drawn

    def _repr_html_(self) -> str:
        """A paged table, or the chart that the query asks for, for notebooks."""
        text: str = import_module("toolkit.report.pages").result_html(self)
        return text


def _arrow_column(kind: ScalarType, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Ticks as Arrow's own times: whole columns at once, truncated to microseconds."""
    if kind not in (ScalarType.DATETIME, ScalarType.TIMESPAN):
        return column
    import pyarrow as pa
    import pyarrow.compute as pc

    column = column.cast(pa.int64())
    micros = pc.divide(column, pa.scalar(TICKS_PER_MICROSECOND, pa.int64()))
    if kind is ScalarType.TIMESPAN:
        return micros.cast(pa.duration("us"))
    for bound in pc.min_max(column).as_py().values():
        if bound is not None:
            to_python(kind, [bound])  # raises for what is no datetime
    return pc.subtract(micros, pa.scalar(UNIX_EPOCH_TICKS // TICKS_PER_MICROSECOND, pa.int64())).cast(pa.timestamp("us", "UTC"))
