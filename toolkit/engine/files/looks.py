"""A look through text files at the time of attaching: what their values are, and whether DuckDB reads them as an ingest does.

One bit per kind of value, gathered by DuckDB in one pass. Values that only look like times are settled by an ingest's own rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from toolkit.engine.files.paths import sql_text
from toolkit.engine.ingest.infer import _unify
from toolkit.engine.ingest.logtime import looks_like_time
from toolkit.kql.types import ScalarType

TEXT, OBJECT, ARRAY, BOOL, INTEGER, REAL, MAYBE_TIME, LARGE, INEXACT, NOT_INT = (1 << bit for bit in range(10))

_TIME_START = r"(?s)\s*(\d{4}-\d{2}-\d{2}|\d{1,2}[/.-]\d{1,2}[/.-]\d{4}).*"
_WHOLE = r"-?(0|[1-9]\d{0,18})"
_FRACTION = r"-?(0|[1-9]\d{0,14})\.\d{1,15}([eE][+-]?\d{1,2})?"


def json_bits(column: str) -> str:
    """The kind of a JSON value, `column` being its text."""
    number = f"TRY_CAST({column} AS HUGEINT)"
    whole = (
        f"({INTEGER} | CASE WHEN {number} IS NULL OR {number} NOT BETWEEN -9223372036854775808 AND 9223372036854775807 THEN {LARGE}"
        f" WHEN abs({number}) > 9007199254740992 THEN {INEXACT} ELSE 0 END"
        f" | CASE WHEN {number} BETWEEN -2147483648 AND 2147483647 THEN 0 ELSE {NOT_INT} END)"
    )
    inner = f"({column} ->> '$')"
    text = f"CASE WHEN {column} = '\"\"' THEN 0 WHEN regexp_full_match({inner}, {sql_text(_TIME_START)}) THEN {MAYBE_TIME} ELSE {TEXT} END"
    rest = f"CASE WHEN regexp_full_match({column}, '-?\\d+') THEN {whole} ELSE {REAL} END"
    constants = f"WHEN 123 THEN {OBJECT} WHEN 91 THEN {ARRAY} WHEN 116 THEN {BOOL} WHEN 102 THEN {BOOL}"
    return f"CASE WHEN {column} IS NULL THEN 0 ELSE CASE ascii({column}) WHEN 34 THEN {text} {constants} ELSE {rest} END END"


def field_bits(column: str) -> str:
    """The kind of a field of a CSV file."""
    number = f"TRY_CAST({column} AS BIGINT)"
    return (
        f"CASE WHEN coalesce({column}, '') = '' THEN 0 WHEN regexp_full_match({column}, {sql_text(_TIME_START)}) THEN {MAYBE_TIME}"
        f" WHEN regexp_full_match({column}, {sql_text(_WHOLE)}) AND {number} IS NOT NULL THEN {INTEGER}"
        f" | CASE WHEN {number} NOT BETWEEN -9007199254740992 AND 9007199254740992 THEN {INEXACT} ELSE 0 END"
        f" WHEN regexp_full_match({column}, {sql_text(_FRACTION)}) THEN {REAL}"
        f" WHEN {column} IN ('true', 'false', 'True', 'False', 'TRUE', 'FALSE') THEN {BOOL} ELSE {TEXT} END"
    )


def only_times(texts: Iterable[Any]) -> tuple[bool, bool]:
    """(some are times, some are not) of arrays of texts; ends when both are known."""
    yes = no = False
    for array in texts:
        for text in array.unique().to_pylist():
            if text:
                found = looks_like_time(text)
                yes, no = yes or found, no or not found
        if yes and no:
            break
    return yes, no


def kind_of_bits(bits: int, times: Iterator[Any]) -> ScalarType:
    """The type that an ingest infers for a column; `times` are the texts among its values that may be times."""
    kinds: set[ScalarType] = set()
    for bit, kind in (
        (TEXT, ScalarType.STRING),
        (OBJECT, ScalarType.DYNAMIC),
        (ARRAY, ScalarType.DYNAMIC),
        (BOOL, ScalarType.BOOL),
        (REAL, ScalarType.REAL),
    ):
        if bits & bit:
            kinds.add(kind)
    if bits & INTEGER:
        kinds.add(ScalarType.LONG)
    if bits & LARGE:
        kinds.add(ScalarType.STRING)
    if bits & MAYBE_TIME and not bits & TEXT:
        yes, no = only_times(times)
        kinds |= ({ScalarType.DATETIME} if yes else set()) | ({ScalarType.STRING} if no else set())
    return _unify(kinds, 2**53 + 1 if bits & INEXACT else 0)
