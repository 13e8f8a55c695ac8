"""Microsoft's clients, unmodified, against the server."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.kusto.data import ClientRequestProperties, KustoClient, KustoConnectionStringBuilder
from azure.kusto.data.aio import KustoClient as AsyncKustoClient
from azure.kusto.data.exceptions import KustoApiError, KustoMultiApiError, KustoServiceError
from azure.monitor.query import LogsBatchQuery, LogsQueryClient, LogsQueryPartialResult, LogsQueryResult

from tests.serve.conftest import SLOW, Serving, Wire
from toolkit.serve.guard import Guard

VALUES = (
    "print a = 1, b = 'x\"y', c = 1.5, d = 3.0, e = true, f = 1d, g = datetime(2026-01-01T00:00:00.1234567), "
    "h = dynamic({'k': [1, null]}), i = guid(0f8fad5b-d9cb-469f-a165-70867728950e), j = decimal(1.50), k = long(null), l = int(7)"
)


def _properties(parameters: dict[str, str] | None = None, **options: Any) -> ClientRequestProperties:
    found = ClientRequestProperties()  # type: ignore[no-untyped-call]  # the package has no types here
    for name, value in options.items():
        found.set_option(name, value)
    for name, text in (parameters or {}).items():
        found.set_parameter(name, text)
    return found


# --- azure-kusto-data -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kusto(wire: Wire) -> KustoClient:
    return KustoClient(wire.server.url)


def test_kusto_reads_every_type(kusto: KustoClient) -> None:
    (table,) = kusto.execute("any database", VALUES).primary_results
    (row,) = table.rows
    assert row.to_list()[:6] == [1, 'x"y', 1.5, 3.0, True, timedelta(days=1)]
    assert isinstance(row["d"], float)
    assert (row["g"], row["h"]) == (datetime(2026, 1, 1, 0, 0, 0, 123456, UTC), {"k": [1, None]})
    assert (row["i"], str(row["j"]), row["k"], row["l"]) == ("0f8fad5b-d9cb-469f-a165-70867728950e", "1.5", None, 7)
    assert [column.column_type for column in table.columns][:4] == ["long", "string", "real", "real"]


def test_kusto_streams(kusto: KustoClient) -> None:
    answer = kusto.execute_streaming_query("soc", "range x from 1 to 100000 step 1 | extend s = strcat('row ', x)", timedelta(minutes=1))
    table = next(answer.iter_primary_results())
    assert sum(row["x"] == int(row["s"][4:]) for row in table) == 100_000
    answer.set_skip_incomplete_tables(True)
    assert [table.table_kind for table in answer] == ["QueryCompletionInformation"]
    assert answer.errors_count == 0


def test_kusto_reads_several_results(kusto: KustoClient) -> None:
    found = kusto.execute("soc", "T | fork First=(where A < 2 | project A) (count)").primary_results
    assert [[row.to_list() for row in table.rows] for table in found] == [[[0], [1]], [[10]]]


def test_kusto_asks_with_properties(kusto: KustoClient) -> None:
    query = "declare query_parameters(n:long, s:string, at:datetime, d:dynamic); print n + 1, s, at, d.k, now()"
    given = {"n": "5", "s": "a'b", "at": "datetime(2026-01-01)", "d": 'dynamic({"k": 1})'}
    found = kusto.execute("soc", query, _properties(given, query_now="2026-02-03T00:00:00Z", servertimeout=timedelta(seconds=50)))
    expected = [6, "a'b", datetime(2026, 1, 1, tzinfo=UTC), 1, datetime(2026, 2, 3, tzinfo=UTC)]
    assert found.primary_results[0][0].to_list() == expected


def test_kusto_is_told_what_is_wrong(kusto: KustoClient) -> None:
    with pytest.raises(KustoApiError) as semantic:
        kusto.execute("soc", "T | where Nope > 1")
    assert semantic.value.is_semantic_error()
    assert semantic.value.get_api_error().code == "General_BadRequest"
    with pytest.raises(KustoApiError, match=r"Syntax error: Query could not be parsed at '' on line \[1,11\]"):
        kusto.execute("soc", "T | where (")
    with pytest.raises(KustoApiError, match="time limit") as late:
        kusto.execute("soc", SLOW, _properties(servertimeout=timedelta(seconds=1)))
    assert late.value.get_api_error().permanent is False


def test_kusto_is_told_that_a_result_was_cut(kusto: KustoClient) -> None:
    with pytest.raises(KustoMultiApiError, match=r"set limit of 3 records.*0x80DA0003") as cut:
        kusto.execute("soc", "T", _properties(truncationmaxrecords=3))
    assert [error.code for error in cut.value.get_api_errors()] == ["LimitsExceeded"]
    deferred = kusto.execute("soc", "T", _properties(truncationmaxrecords=3, deferpartialqueryfailures=True))
    assert (len(deferred.primary_results[0]), deferred.errors_count) == (3, 1)
    assert len(kusto.execute("soc", "T", _properties(query_take_max_records=4)).primary_results[0]) == 4


@pytest.mark.parametrize(
    ("command", "column", "values"),
    [
        (".show version", "ServiceType", ["Engine"]),
        (".show databases", "DatabaseName", ["soc"]),
        (".show database ['soc'] schema", "ColumnType", ["", "", "System.DateTime", "System.Int64", "System.String"]),
        (".show tables", "TableName", ["T"]),
        (".show table T cslschema", "Schema", ["TimeGenerated:datetime,A:long,B:string"]),
        (".show functions", "Parameters", ["(least:long = 7)"]),
        (".show function Late", "Name", ["Late"]),
        (".show databases entities with (showObfuscatedStrings=true) | where EntityType == 'Function'", "EntityName", ["Late"]),
        (".show materialized-views", "Name", []),
    ],
)
def test_kusto_asks_about_the_database(kusto: KustoClient, command: str, column: str, values: list[str]) -> None:
    assert [row[column] for row in kusto.execute_mgmt("soc", command).primary_results[0]] == values


def test_kusto_reads_the_schema(kusto: KustoClient) -> None:
    text = kusto.execute_mgmt("soc", ".show schema as json").primary_results[0][0][0]
    database = json.loads(text)["Databases"]["soc"]
    assert [column["CslType"] for column in database["Tables"]["T"]["OrderedColumns"]] == ["datetime", "long", "string"]
    assert database["Functions"]["Late"]["InputParameters"] == [
        {"Name": "least", "Type": "System.Int64", "CslType": "long", "CslDefaultValue": "7"}
    ]


def test_kusto_is_refused_commands_that_change_something(kusto: KustoClient) -> None:
    with pytest.raises(KustoApiError, match=r"'\.drop table T' is not supported by this server, which is read only"):
        kusto.execute_mgmt("soc", ".drop table T")


def test_kusto_brings_the_token(serving: Serving) -> None:
    url = serving(guard=Guard(local=False, token="open sesame")).server.url
    good = KustoConnectionStringBuilder.with_aad_application_token_authentication(url, "open sesame")
    assert KustoClient(good).execute("soc", "print 1").primary_results[0][0][0] == 1
    for wrong in (KustoConnectionStringBuilder.with_aad_application_token_authentication(url, "nope"), url):
        with pytest.raises(KustoServiceError, match="401"):
            KustoClient(wrong).execute("soc", "print 1")


def test_kusto_asynchronously(wire: Wire) -> None:
    async def ask() -> tuple[list[Any], int]:
        async with AsyncKustoClient(wire.server.url) as client:
            asked = [client.execute("soc", f"print x = {number}") for number in range(20)]
            answers = await asyncio.gather(*asked)
            with pytest.raises(KustoApiError, match="Semantic error"):
                await client.execute("soc", "Gone")
            streamed = await client.execute_streaming_query("soc", "T | project A", timedelta(minutes=1))
            async for table in streamed.iter_primary_results():
                return [answer.primary_results[0][0]["x"] for answer in answers], len([row async for row in table])
        raise AssertionError

    assert asyncio.run(ask()) == (list(range(20)), 10)


# --- azure-monitor-query --------------------------------------------------------------------------------------------------


class _Credential:
    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("token", 2_000_000_000)


@pytest.fixture(scope="module")
def logs(wire: Wire) -> LogsQueryClient:
    nothing: Any = SansIOHTTPPolicy()  # bearer tokens refuse plain HTTP
    return LogsQueryClient(_Credential(), endpoint=wire.server.url, authentication_policy=nothing, retry_total=0)


def test_logs_reads_every_type(logs: LogsQueryClient) -> None:
    found = logs.query_workspace("any workspace", VALUES, timespan=None)
    assert isinstance(found, LogsQueryResult)
    (table,) = found.tables
    assert list(table.rows[0])[:6] == [1, 'x"y', 1.5, 3.0, True, "1.00:00:00"]
    assert table.rows[0]["g"] == datetime(2026, 1, 1, 0, 0, 0, 123456, UTC)
    assert (table.rows[0]["h"], table.rows[0]["j"], table.rows[0]["k"]) == ('{"k":[1,null]}', "1.5", None)


def test_logs_asks_in_a_time_span(logs: LogsQueryClient) -> None:
    def count(timespan: Any) -> int:
        found = logs.query_workspace("soc", "T | count", timespan=timespan)
        assert isinstance(found, LogsQueryResult)
        return int(found.tables[0].rows[0][0])

    start = datetime(2026, 3, 2, 2, tzinfo=UTC)
    assert count(timedelta(hours=2)) == 2
    assert count((start, start + timedelta(hours=3))) == 3
    assert count((start, timedelta(hours=3))) == 3
    assert count(None) == 10


def test_logs_asks_for_more_parts(logs: LogsQueryClient) -> None:
    query = "T | summarize count() by B | render piechart"
    found = logs.query_workspace("soc", query, timespan=None, include_statistics=True, include_visualization=True)
    assert isinstance(found, LogsQueryResult)
    assert found.visualization is not None
    assert found.visualization["visualization"] == "piechart"
    assert found.statistics is not None
    assert found.statistics["query"]["datasetStatistics"][0]["tableRowCount"] == 10


def test_logs_reads_a_partial_result(logs: LogsQueryClient) -> None:
    found = logs.query_workspace("soc", "set truncationmaxrecords=4; T", timespan=None)
    assert isinstance(found, LogsQueryPartialResult)
    assert found.partial_error is not None
    assert (len(found.partial_data[0].rows), found.partial_error.code) == (4, "PartialError")


def test_logs_is_told_what_is_wrong(logs: LogsQueryClient) -> None:
    with pytest.raises(HttpResponseError, match="SEM0100") as wrong:
        logs.query_workspace("soc", "T | where Nope", timespan=None)
    assert wrong.value.status_code == 400
    with pytest.raises(HttpResponseError) as late:
        logs.query_workspace("soc", SLOW, timespan=None, server_timeout=1)
    assert late.value.status_code == 504


def test_logs_asks_in_a_batch(logs: LogsQueryClient) -> None:
    queries = ["print 1", "Gone", "set truncationmaxrecords=4; T", "print 2"]
    found = logs.query_batch([LogsBatchQuery(workspace_id="soc", query=query, timespan=None) for query in queries])
    kinds = [type(each).__name__ for each in found]
    assert kinds == ["LogsQueryResult", "LogsQueryError", "LogsQueryPartialResult", "LogsQueryResult"]
    assert isinstance(found[3], LogsQueryResult)
    assert found[3].tables[0].rows[0][0] == 2
