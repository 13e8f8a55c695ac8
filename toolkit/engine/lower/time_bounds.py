"""Comparisons of a file's time column with constants, said once more in the file's own terms.

A datetime is ticks inside the engine; a Parquet file holds timestamps, and knows the least and greatest of each row group. A bound on
the timestamp itself reaches the scan of the file, which then leaves out row groups; the exact comparison stays beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from toolkit.engine.sql import Form, Literal, Lowered, Sql
from toolkit.kql import plan

_EPOCH_TICKS = 621_355_968_000_000_000
FROM_MICROSECONDS = f"(epoch_us({{0}}) * 10 + {_EPOCH_TICKS})"
FROM_NANOSECONDS = f"((epoch_ns({{0}}) - (((epoch_ns({{0}}) % 100) + 100) % 100)) // 100 + {_EPOCH_TICKS})"
# The same of timestamps with a zone and of dates; the spelling tells them apart.
FROM_ZONED = f"(10 * epoch_us({{0}}) + {_EPOCH_TICKS})"
FROM_ZONED_NANOSECONDS = f"({_EPOCH_TICKS} + (epoch_ns({{0}}) - (((epoch_ns({{0}}) % 100) + 100) % 100)) // 100)"
FROM_DATES = f"({_EPOCH_TICKS} + CAST({{0}} - DATE '1970-01-01' AS BIGINT) * 864000000000)"
FILE_TIMES = {
    FROM_MICROSECONDS: "TIMESTAMP",
    FROM_NANOSECONDS: "TIMESTAMP_NS",
    FROM_ZONED: "TIMESTAMPTZ",
    FROM_ZONED_NANOSECONDS: "TIMESTAMPTZ_NS",
    FROM_DATES: "DATE",
}

FILE = "kql file"
"""The column of files in place that holds the path of a row's file."""

_MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "=="}
# What timestamps of nanoseconds reach; an ordinary timestamp holds every datetime.
_NANOSECONDS = (datetime(1678, 1, 1), datetime(2262, 1, 1))  # noqa: DTZ001  # a file's timestamps as they are written, without a zone


Spans = Mapping[Sql, Sequence[tuple[str, int, int]]]


def bounds(predicate: plan.Expr, columns: Mapping[int, Lowered], lower: Callable[[plan.Expr], Lowered], spans: Spans) -> Iterator[Sql]:
    """Necessary conditions for a comparison of a file's time, on the file's column; nothing for any other predicate."""
    if not isinstance(predicate, plan.Call):
        return
    if predicate.name in _MIRRORED:
        left, right = predicate.args
        yield from _bound(left, predicate.name, right, (columns, spans), lower)
        yield from _bound(right, _MIRRORED[predicate.name], left, (columns, spans), lower)
    elif predicate.name == "between":
        value, low, high = predicate.args
        yield from _bound(value, ">=", low, (columns, spans), lower)
        yield from _bound(value, "<=", high, (columns, spans), lower)


def _bound(
    value: plan.Expr,
    operator: str,
    limit: plan.Expr,
    known: tuple[Mapping[int, Lowered], Spans],
    lower: Callable[[plan.Expr], Lowered],
) -> Iterator[Sql]:
    columns, spans = known
    column = columns.get(value.column.id) if isinstance(value, plan.Ref) else None
    if column is None or not isinstance(column.sql, Form) or not (column.sql.template in FILE_TIMES or column.sql in spans):
        return
    ticks = _ticks(lower(limit).sql)
    if ticks is None:
        return
    if column.sql in spans:
        yield from _files(spans[column.sql], operator, ticks)
        return
    stored = column.sql.args[0]
    for sign in (">=", "<=") if operator == "==" else (operator,):
        moment = _timestamp(ticks, up=sign.startswith("<"))
        if moment is None:
            continue
        kind = FILE_TIMES[column.sql.template]
        if "NS" not in kind or _NANOSECONDS[0] < moment < _NANOSECONDS[1]:
            yield _compared(stored, sign, moment, kind)


def _files(spans: Sequence[tuple[str, int, int]], operator: str, ticks: int) -> Iterator[Sql]:
    """Leaves out the files none of whose times can fit."""
    fits = {">": lambda low, high: high > ticks, ">=": lambda low, high: high >= ticks, "<": lambda low, high: low < ticks}
    fits |= {"<=": lambda low, high: low <= ticks, "==": lambda low, high: low <= ticks <= high}
    outside = [path for path, low, high in spans if low > high or not fits[operator](low, high)]
    if outside:
        places = ", ".join(f"{{{index}}}" for index in range(len(outside)))
        yield Form(f'"{FILE}" NOT IN ({places})', tuple(Literal(path, "VARCHAR") for path in outside))


def _compared(stored: Sql, sign: str, moment: datetime, kind: str) -> Sql:
    # the least and greatest are kept in, whatever the exact comparison says
    if kind == "DATE":
        whole = moment.date() + timedelta(days=1 if sign[0] == "<" and moment.time() != time.min and moment.date() < date.max else 0)
        text = whole.isoformat()
    else:
        text = moment.isoformat(" ", "microseconds") + ("+00" if "TZ" in kind else "")
    return Form(f"{{0}} {sign[0]}= CAST({{1}} AS {kind})", (stored, Literal(text, "VARCHAR")))


def _ticks(sql: Sql) -> int | None:
    """A constant number of ticks, or a sum or difference of two."""
    if isinstance(sql, Literal):
        return sql.value if isinstance(sql.value, int) and not isinstance(sql.value, bool) else None
    if isinstance(sql, Form) and sql.template in ("({0} - {1})", "({0} + {1})"):
        one, other = map(_ticks, sql.args)
        if one is not None and other is not None:
            return one - other if "-" in sql.template else one + other
    return None


def _timestamp(ticks: int, *, up: bool) -> datetime | None:
    """The moment in whole microseconds, at or beyond the ticks."""
    try:
        return datetime(1, 1, 1) + timedelta(microseconds=-(-ticks // 10) if up else ticks // 10)  # noqa: DTZ001  # see above
    except OverflowError:
        return None
