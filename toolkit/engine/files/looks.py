"""A look through text files at the time of attaching: what their values are, and whether DuckDB reads them as an ingest does.

One bit per kind of value, gathered by DuckDB in one pass. Values that only look like times are settled by an ingest's own rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from toolkit.engine.files.paths import sql_text
from toolkit.engine.ingest import scanner
from toolkit.engine.ingest.infer import unified
from toolkit.engine.ingest.logtime import looks_like_time
from toolkit.kql.types import ScalarType

TEXT, OBJECT, ARRAY, BOOL, INTEGER, REAL, TIME, MAYBE_TIME, LARGE, INEXACT, NOT_INT = (1 << bit for bit in range(11))
FINE, FAR, ODD = (1 << bit for bit in range(11, 14))
"""Of times: more digits than microseconds have, years beyond the reach of nanoseconds. ODD: only the code of an ingest reads a value."""
TEXTS = TEXT | TIME | MAYBE_TIME | FINE | FAR
WHOLE = INTEGER | INEXACT | NOT_INT
NUMBERS = WHOLE | LARGE | REAL

RESPELLED = rf"{scanner.RESPELLED}|[:\[,]-?[NI]"
"""What DuckDB spells in another way than Python, in the text of a JSON value; and what is no JSON."""
_ISO = r"[1-9]\d{3}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z?"
"""Times that are read alike everywhere, if there is such a day."""
_TIME_START = r"\s*(?:\d{4}-\d{2}-\d{2}|\d{1,2}[/.-]\d{1,2}[/.-]\d{4})"
_ESCAPED_START = _TIME_START.replace(r"\s*", r'"(?:\s|\\[tnrf]|\\u000[bB])*', 1)
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_WHOLE = r"-?(?:0|[1-9]\d{0,18})"
_FRACTION = r"-?(?:0|[1-9]\d{0,14})\.\d{1,15}(?:[eE][+-]?\d{1,2})?"
_NUMBER = r"-?\d{1,60}(?:\.\d{1,60})?(?:[eE][+-]?\d{1,2})?"
_TRUTHS = "('true', 'false', 'True', 'False', 'TRUE', 'FALSE')"


def moment(text: str, *, quoted: bool) -> str:
    """The time that a text is, to the microsecond below, NULL for what DuckDB does not read."""
    return f"TRY_CAST({text}[2:-2] AS TIMESTAMP)" if quoted else f"TRY_CAST({text} AS TIMESTAMP)"


def json_bits(text: str, kind: ScalarType | None, time: str = "") -> str:
    """The kind of a JSON value, `text` being its text, for a column of a type or of one that is still to be found.

    `time`: the name under which the value's `moment` is at hand.
    """
    number = f"CASE WHEN regexp_matches({text}, '^-?\\d') THEN {_json_number(text, kind)} ELSE {REAL | ODD} END"
    by_start = {'"': _json_text(text, kind, time), "{": _nested(text, OBJECT, kind), "[": _nested(text, ARRAY, kind)}
    cases = " ".join(f"WHEN {ord(start)} THEN {found}" for start, found in {**by_start, "t": BOOL, "f": BOOL}.items())
    return f"CASE WHEN {text} IS NULL THEN 0 ELSE CASE ascii({text}) {cases} ELSE {number} END END"


def _json_text(text: str, kind: ScalarType | None, time: str) -> str:
    if kind is ScalarType.GUID:
        return f"CASE WHEN regexp_full_match({text}, {_quoted(_GUID)}) THEN {TEXT} ELSE {TEXT | ODD} END"
    if kind not in (None, ScalarType.DATETIME):
        return str(TEXT)
    iso = f"regexp_full_match({text}, {_quoted(_ISO)}) AND {time or moment(text, quoted=True)} IS NOT NULL"
    is_time = _time_bits(text, quote='"')
    if kind is ScalarType.DATETIME:
        return f"CASE WHEN {iso} THEN {is_time} ELSE {TEXT | ODD} END"
    maybe = f"CASE WHEN regexp_matches({text}, {sql_text('^' + _ESCAPED_START)}) THEN {MAYBE_TIME} ELSE {TEXT} END"
    return f"CASE WHEN {text} = '\"\"' THEN 0 WHEN {iso} THEN {is_time} ELSE {maybe} END"


def _quoted(pattern: str) -> str:
    return sql_text(f'"(?:{pattern})"')


def _time_bits(text: str, quote: str = "") -> str:
    fine, far = len("2026-03-01T00:00:00.123456") + 2 * len(quote), f"{text} < '{quote}17' OR {text} >= '{quote}22'"
    return f"{TIME} | CASE WHEN strlen({text}) > {fine} THEN {FINE} ELSE 0 END | CASE WHEN {far} THEN {FAR} ELSE 0 END"


def _nested(text: str, bit: int, kind: ScalarType | None) -> str:
    if kind not in (None, ScalarType.DYNAMIC):
        return str(bit)
    return f"CASE WHEN regexp_matches({text}, {sql_text(RESPELLED)}) THEN {bit | ODD} ELSE {bit} END"


def _json_number(text: str, kind: ScalarType | None) -> str:
    if kind is ScalarType.REAL:
        return str(REAL)
    number = f"TRY_CAST({text} AS HUGEINT)"
    large = f"CASE WHEN {number} IS NULL OR {number} NOT BETWEEN {-(2**63)} AND {2**63 - 1} THEN {LARGE} ELSE {NOT_INT} END"
    inexact = f"CASE WHEN abs({number}) > {2**53} THEN {INEXACT} ELSE 0 END"
    short = f"WHEN regexp_full_match({text}, '-?\\d{{1,9}}') THEN {INTEGER}"
    middle = f"WHEN regexp_full_match({text}, '-?\\d{{1,15}}') THEN {INTEGER | NOT_INT}"
    return f"CASE {short} {middle} WHEN regexp_full_match({text}, '-?\\d+') THEN {INTEGER} | {large} | {inexact} ELSE {REAL} END"


def field_bits(text: str, kind: ScalarType | None, time: str = "") -> str:
    """The kind of a field of a CSV file, for a column of a type (not of texts) or of one that is still to be found."""
    iso = f"regexp_full_match({text}, {sql_text(_ISO)}) AND {time or moment(text, quoted=False)} IS NOT NULL"
    number = f"TRY_CAST({text} AS BIGINT)"
    inexact = f"CASE WHEN abs(CAST({number} AS HUGEINT)) > {2**53} THEN {INEXACT} ELSE 0 END"
    not_int = f"CASE WHEN {number} BETWEEN {-(2**31)} AND {2**31 - 1} THEN 0 ELSE {NOT_INT} END"
    whole = f"WHEN regexp_full_match({text}, {sql_text(_WHOLE)}) AND {number} IS NOT NULL THEN {INTEGER} | {inexact} | {not_int}"
    is_time, truth = f"WHEN {iso} THEN {_time_bits(text)}", f"WHEN {text} IN {_TRUTHS} THEN {BOOL}"
    cases = {
        ScalarType.DATETIME: is_time,
        ScalarType.LONG: whole,
        ScalarType.INT: whole,
        ScalarType.REAL: f"WHEN regexp_full_match({text}, {sql_text(_NUMBER)}) THEN {REAL}",
        ScalarType.BOOL: truth,
        ScalarType.GUID: f"WHEN regexp_full_match({text}, {sql_text(_GUID)}) THEN {TEXT}",
    }
    rest = str(TEXT | ODD)
    if kind is None:
        maybe = f"WHEN regexp_matches({text}, {sql_text('^' + _TIME_START)}) THEN {MAYBE_TIME}"
        real = f"WHEN regexp_full_match({text}, {sql_text(_FRACTION)}) THEN {REAL}"
        case, rest = f"{is_time} {maybe} {whole} {real} {truth}", str(TEXT)
    else:
        case = cases.get(kind, "")
    return f"CASE WHEN coalesce({text}, '') = '' THEN 0 {case} ELSE {rest} END"


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
    found = {
        TEXT: ScalarType.STRING,
        OBJECT: ScalarType.DYNAMIC,
        ARRAY: ScalarType.DYNAMIC,
        BOOL: ScalarType.BOOL,
        REAL: ScalarType.REAL,
        TIME: ScalarType.DATETIME,
        INTEGER: ScalarType.LONG,
        LARGE: ScalarType.STRING,
    }
    kinds = {kind for bit, kind in found.items() if bits & bit}
    if bits & MAYBE_TIME and not bits & TEXT:
        yes, no = only_times(times)
        kinds |= ({ScalarType.DATETIME} if yes else set()) | ({ScalarType.STRING} if no else set())
    return unified(kinds, 2**53 + 1 if bits & INEXACT else 0)
