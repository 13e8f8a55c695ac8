"""The forms of an answer: Kusto's frames (version 2) and tables (version 1), and the tables of Log Analytics."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from toolkit.engine.result import Result
from toolkit.kql.times import format_datetime_iso, ticks_from_datetime
from toolkit.serve import cells

DOTNET = {
    "bool": "SByte",
    "datetime": "DateTime",
    "dynamic": "Object",
    "guid": "Guid",
    "int": "Int32",
    "long": "Int64",
    "real": "Double",
    "string": "String",
    "timespan": "TimeSpan",
    "decimal": "SqlDecimal",
}
_TOO_LARGE = -2133196797  # E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003
_EVENT = (
    "Timestamp:datetime ClientRequestId:string ActivityId:guid SubActivityId:guid ParentActivityId:guid Level:int LevelName:string "
    "StatusCode:int StatusCodeName:string EventType:int EventTypeName:string Payload:string"
)
_STATUS = (
    "Timestamp:datetime Severity:int SeverityName:string StatusCode:int StatusDescription:string Count:int RequestId:guid "
    "ActivityId:guid SubActivityId:guid ClientActivityId:string"
)
_CONTENTS = "Ordinal:long Kind:string Name:string Id:string PrettyName:string"
_CHART = (
    "Visualization Title XColumn Series YColumns AnomalyColumns XTitle YTitle XAxis YAxis Legend YSplit Accumulate IsQuerySorted Kind "
    "Ymin Ymax Xmin Xmax"
)
_CHART_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(_CHART.split()),
    "Accumulate": False,
    "IsQuerySorted": False,
    "Ymin": "NaN",
    "Ymax": "NaN",
}


Part = bytes | cells.Chunk
"""A piece of an answer: as it is, or still to be written."""


@dataclass(frozen=True)
class Stamp:
    """What an answer says about its request."""

    now: datetime
    request_id: str = ""
    activity: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def time(self) -> str:
        return timestamp(self.now)


@dataclass(frozen=True)
class Found:
    """The results of a query. `cut` says which limit left rows out, and of which result (by number)."""

    results: Sequence[Result]
    seconds: float = 0.0
    cut: Mapping[int, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(map(len, self.results))

    def message(self) -> str:
        """The service's sentence for a result that was cut."""
        limit = next(iter(self.cut.values()))
        text = f"The results of this query exceed the set limit of {limit}, so not all records were returned "
        return text + "(E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003)."

    def statistics(self) -> dict[str, Any]:
        """What the query used, where we know it."""
        cache = {"hits": 0, "misses": 0, "total": 0}
        cpu = {"user": "00:00:00", "kernel": "00:00:00", "total cpu": "00:00:00"}
        sizes = [{"table_row_count": len(result), "table_size": result.size} for result in self.results]
        usage = {"cache": {"memory": cache, "disk": cache}, "cpu": cpu, "memory": {"peak_per_node": 0}}
        return {"ExecutionTime": self.seconds, "resource_usage": usage, "dataset_statistics": sizes}


def timestamp(moment: datetime) -> str:
    return format_datetime_iso(ticks_from_datetime(moment))


def result_name(result: Result, number: int) -> str:
    """The name of the n-th result of a query."""
    return result.name or f"Table_{number}" if number else "PrimaryResult"


def chart(result: Result) -> str:
    """What `render` asked for, as the text that Kusto sends."""
    asked = result.visualization
    known = {name.casefold(): name for name in _CHART_DEFAULTS}
    given = {known.get(key.casefold(), key): value for key, value in asked.properties} if asked else {}
    return _json({**_CHART_DEFAULTS, **({"Visualization": asked.kind} if asked else {}), **given})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _described(text: str) -> list[tuple[str, str]]:
    return [(name, kind) for name, _, kind in (column.partition(":") for column in text.split())]


# --- Kusto, version 2 ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frames:
    """How the frames of version 2 are wanted."""

    progressive: bool = False
    fragmented: bool = False
    errors: str = "InData"  # or EndOfTable, EndOfDataset
    deferred: bool = False  # only as an event at the end

    def in_rows(self) -> bool:
        return self.errors == "InData" and not self.deferred


def one_api_error(found: Found, stamp: Stamp) -> dict[str, Any]:
    """The error object of a partial result."""
    exception = "Kusto.Data.Exceptions.KustoServicePartialQueryFailureLimitsExceededException"
    return {
        "error": {
            "code": "LimitsExceeded",
            "message": "Request is invalid and cannot be executed.",
            "@type": exception,
            "@message": f"Query execution has exceeded the allowed limits (80DA0003): {found.message()}",
            "@context": context(stamp),
            "@permanent": False,
        }
    }


def context(stamp: Stamp) -> dict[str, Any]:
    return {
        "timestamp": stamp.time,
        "serviceAlias": "LOCAL",
        "clientRequestId": stamp.request_id,
        "activityId": stamp.activity,
        "subActivityId": stamp.activity,
        "parentActivityId": stamp.activity,
    }


def kusto_v2(found: Found, stamp: Stamp, wanted: Frames) -> Iterator[Part]:
    """The frames of a query's answer."""
    header = {
        "FrameType": "DataSetHeader",
        "IsProgressive": wanted.progressive,
        "Version": "v2.0",
        "IsFragmented": wanted.fragmented or wanted.progressive,
        "ErrorReportingPlacement": wanted.errors,
    }
    yield b"[" + _json(header).encode()
    charts = [[number, "Visualization", chart(result)] for number, result in enumerate(found.results, 1)]
    yield _small_frame("QueryProperties", "@ExtendedProperties", 0, "TableId:int Key:string Value:dynamic", charts)
    for number, result in enumerate(found.results):
        error = one_api_error(found, stamp) if number in found.cut else None
        if wanted.progressive or wanted.fragmented:
            yield from _fragments(result, number, error, wanted)
        else:
            head = {**_head("DataTable", "PrimaryResult", result_name(result, number), number + 1, result.columns), "Rows": []}
            yield b",\n" + _json(head).encode()[:-2]
            yield from _rows(result, error if wanted.in_rows() else None)
            yield b"]}"
    events = [_event(found, stamp, [4, "Info", 0, "S_OK (0)", 4, "QueryInfo"], {"Count": 1, "Text": "Query completed successfully"})]
    if found.cut and wanted.deferred:
        status = f"Query result set too large (E_QUERY_RESULT_SET_TOO_LARGE). ({_TOO_LARGE})"
        events = [_event(found, stamp, [2, "Error", _TOO_LARGE, status, 1, "QueryLimitsExceeded"], {"Count": 1, "Text": found.message()})]
    events.append(_event(found, stamp, [6, "Stats", 0, "S_OK (0)", 0, "QueryResourceConsumption"], found.statistics()))
    yield _small_frame("QueryCompletionInformation", "QueryCompletionInformation", len(found.results) + 1, _EVENT, events)
    reported = bool(found.cut) and not wanted.deferred
    errors = {"OneApiErrors": [one_api_error(found, stamp)]} if reported else {}
    yield b",\n" + _json({"FrameType": "DataSetCompletion", "HasErrors": reported, "Cancelled": False, **errors}).encode() + b"]"


def _head(frame: str, kind: str, name: str, number: int, columns: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A frame with a table, without its rows; streaming readers rely on the order of its keys."""
    described = [{"ColumnName": column, "ColumnType": type_} for column, type_ in columns]
    return {"FrameType": frame, "TableId": number, "TableKind": kind, "TableName": name, "Columns": described}


def _small_frame(kind: str, name: str, number: int, columns: str, found: list[list[Any]]) -> bytes:
    return b",\n" + _json({**_head("DataTable", kind, name, number, _described(columns)), "Rows": found}).encode()


def _rows(result: Result, error: dict[str, Any] | None, **how: bool) -> Iterator[Part]:
    """The rows, and behind them the error that says why there are no more."""
    yield from cells.rows(result, **how)
    if error is not None:
        yield (b"," if len(result) else b"") + _json({"OneApiErrors": [error]}).encode()


def _fragments(result: Result, number: int, error: dict[str, Any] | None, wanted: Frames) -> Iterator[Part]:
    yield b",\n" + _json(_head("TableHeader", "PrimaryResult", result_name(result, number), number + 1, result.columns)).encode()
    head = {
        "FrameType": "TableFragment",
        "TableFragmentType": "DataAppend",
        "TableId": number + 1,
        "FieldCount": len(result.columns),
        "Rows": [],
    }
    opening = b",\n" + _json(head).encode()[:-2]
    for rows in _rows(result, error if wanted.in_rows() else None):
        yield opening
        yield partial(_stripped, rows)
        yield b"]}"
        if wanted.progressive:
            yield b",\n" + _json({"FrameType": "TableProgress", "TableId": number + 1, "TableProgress": 100.0}).encode()
    errors = {"OneApiErrors": [error]} if error is not None and wanted.errors == "EndOfTable" and not wanted.deferred else {}
    yield b",\n" + _json({"FrameType": "TableCompletion", "TableId": number + 1, "RowCount": len(result), **errors}).encode()


def _stripped(part: Part) -> bytes:
    """A part of the rows without the commas to its neighbours."""
    return written(part).strip(b",")


def written(part: Part) -> bytes:
    return part if isinstance(part, bytes) else part()


def _event(found: Found, stamp: Stamp, what: list[Any], payload: dict[str, Any]) -> list[Any]:
    return [stamp.time, stamp.request_id, *[stamp.activity] * 3, *what, _json(payload)]


# --- Kusto, version 1 ---------------------------------------------------------------------------------------------------


def kusto_v1(found: Found, stamp: Stamp) -> Iterator[Part]:
    """The tables of a query's answer: results, properties, status, and last the table of contents."""
    contents: list[list[Any]] = []
    yield b'{"Tables":['
    for number, result in enumerate(found.results):
        described = [{"ColumnName": name, "DataType": DOTNET[kind], "ColumnType": kind} for name, kind in result.columns]
        yield (b"," if number else b"") + _json({"TableName": f"Table_{number}", "Columns": described, "Rows": []}).encode()[:-2]
        yield from _rows(result, one_api_error(found, stamp) if number in found.cut else None)
        yield b"]}"
        contents.append([number, "QueryResult", "PrimaryResult", str(uuid.uuid4()), result.name])
    number = len(contents)
    yield b"," + v1_table(f"Table_{number}", "Value:string", [[chart(result)] for result in found.results]).encode()
    ids = [stamp.activity] * 3
    events = [[stamp.time, 4, "Info", 0, "Query completed successfully", 1, *ids, stamp.request_id]]
    if found.cut:
        events.insert(0, [stamp.time, 2, "Error", _TOO_LARGE, found.message(), 1, *ids, stamp.request_id])
    events.append([stamp.time, 6, "Stats", 0, _json(found.statistics()), 1, *ids, stamp.request_id])
    yield b"," + v1_table(f"Table_{number + 1}", _STATUS, events).encode()
    contents.append([number, "QueryProperties", "@ExtendedProperties", str(uuid.uuid4()), ""])
    contents.append([number + 1, "QueryStatus", "QueryStatus", str(uuid.uuid4()), ""])
    yield b"," + v1_table(f"Table_{number + 2}", _CONTENTS, contents).encode() + b"]"
    if found.cut:
        yield b',"Exceptions":' + _json([found.message()]).encode()
    yield b"}"


def v1_table(name: str, columns: str, found: list[list[Any]]) -> str:
    """A table of version 1 with columns in the form "Name:type Other:type"."""
    described = [{"ColumnName": column, "DataType": DOTNET[kind], "ColumnType": kind} for column, kind in _described(columns)]
    return _json({"TableName": name, "Columns": described, "Rows": found})


# --- Log Analytics ------------------------------------------------------------------------------------------------------


def logs(found: Found, *, statistics: bool = False, render: bool = False) -> Iterator[Part]:
    """The tables of an answer of the Logs query API, and of the other parts those that were asked for."""
    yield b'{"tables":['
    for number, result in enumerate(found.results):
        columns = [{"name": name, "type": kind} for name, kind in result.columns]
        yield (b"," if number else b"") + _json({"name": result_name(result, number), "columns": columns, "rows": []}).encode()[:-2]
        yield from cells.rows(result, dynamic_as_text=True)
        yield b"]}"
    yield b"]"
    if statistics:
        yield b',"statistics":' + _json({"query": _logs_statistics(found)}).encode()
    if render:
        yield b',"render":' + _json(_logs_render(found.results[0])).encode()
    if found.cut:
        yield b',"error":' + _json(_partial(found)).encode()
    yield b"}"


def _logs_statistics(found: Found) -> dict[str, Any]:
    usage = {"cache": {"memory": {"hits": 0, "misses": 0, "total": 0}}, "cpu": {"user": "00:00:00", "kernel": "00:00:00"}}
    sizes = [{"tableRowCount": len(result), "tableSize": result.size} for result in found.results]
    return {"executionTime": found.seconds, "resourceUsage": usage, "datasetStatistics": sizes}


def _logs_render(result: Result) -> dict[str, Any]:
    asked = result.visualization
    names = "title accumulate isQuerySorted kind legend series yMin yMax xAxis xColumn xTitle yAxis yColumns ySplit yTitle anomalyColumns"
    empty: dict[str, Any] = dict.fromkeys(names.split())
    if asked is None:
        return {"visualization": None, **empty}
    known = {name.casefold(): name for name in empty}
    return {"visualization": asked.kind, **empty, **{known.get(key.casefold(), key): value for key, value in asked.properties}}


def _partial(found: Found) -> dict[str, Any]:
    engine = {"code": str(_TOO_LARGE), "message": found.message(), "severity": 2, "severityName": "Error"}
    detail = {"code": "EngineError", "message": "Something went wrong processing your query on the server.", "innererror": engine}
    return {"code": "PartialError", "message": "There were some errors when processing your query.", "details": [detail]}
