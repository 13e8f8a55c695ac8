"""Queries over HTTP: typed answers, partial ones, refusals, batches, schemas."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.azure.conftest import Local
from tests.azure_server import FORBIDDEN, THROTTLED
from toolkit.azure import PUBLIC, LogsClient, LogsQuery, Options, StaticCredential, errors
from toolkit.azure.logs import LogsAnswer, LogsArgumentError, Timespan, timespan_text
from toolkit.azure.monitor import MissingQueryClientError
from toolkit.azure.tables import results_of
from toolkit.kql.types import ScalarType

EVERY_TYPE = (
    "print b=true, i=int(7), l=long(9007199254740993), r=1.5, d=decimal(0.1), s='x', t=datetime(2026-03-02T00:00:00.1234567Z), "
    "span=-timespan(1.02:03:04.5), g=guid(74be27de-1e4e-49d9-b579-fe0b331d3642), dyn=dynamic({'a':[1,'b']}), n=int(null)"
)


def _query(local: Local, text: str, **options: Any) -> LogsQuery:
    return LogsQuery(local.site.customer_id, text, **options)


def test_every_type_comes_back_as_the_engine_has_it(local: Local) -> None:
    view = local.site.view()
    assert view is not None
    here, there = view.query(EVERY_TYPE), local.logs.run(_query(local, EVERY_TYPE)).result
    assert there.columns == here.columns
    assert there.rows() == here.rows()
    assert there.to_json() == here.to_json()


def test_a_time_span_and_the_answers_extras(local: Local) -> None:
    span = (datetime(2026, 3, 2, 1, tzinfo=UTC), timedelta(hours=2))
    answer = local.logs.run(_query(local, "Heartbeat | project Computer | render barchart", timespan=span, statistics=True, render=True))
    assert sorted(answer.result.rows()) == [("h1",), ("h2",)]
    assert answer.result.visualization is not None
    assert answer.result.visualization.kind == "barchart"
    assert answer.statistics["query"]
    assert not answer.is_partial


def test_a_part_of_the_rows_says_so(local: Local) -> None:
    local.server.behaviour.row_limit = 2
    answer = local.logs.run(_query(local, "Heartbeat"))
    assert (len(answer.result), answer.is_partial) == (2, True)
    assert "exceed the set limit of 2 records" in str(answer.error)


def test_a_refused_query_says_why(local: Local) -> None:
    with pytest.raises(errors.QueryRejectedError) as caught:
        local.logs.run(_query(local, "Nonsense | take 1"))
    assert "Nonsense" in caught.value.facts.inner_message
    assert caught.value.correlation_id
    with pytest.raises(errors.ScopeNotFoundError):
        local.logs.run(LogsQuery("00000000-0000-0000-0000-00000000dead", "print 1"))


def test_a_query_is_tried_again_although_it_is_a_post(local: Local) -> None:
    local.server.faults.add(THROTTLED, method="POST", times=2)
    assert local.logs.run(_query(local, "print x=1")).result.rows() == [(1,)]
    local.server.faults.add(FORBIDDEN, method="POST")
    with pytest.raises(errors.AuthorizationError, match="Log Analytics Reader"):
        local.logs.run(_query(local, "print x=1"))


def test_a_batch_answers_each_query_in_order(local: Local) -> None:
    queries = [_query(local, f"print x={number}") for number in range(3)] + [_query(local, "Nonsense")]
    answers = local.logs.batch(queries)
    assert [each.result.rows() for each in answers if isinstance(each, LogsAnswer)] == [[(0,)], [(1,)], [(2,)]]
    assert isinstance(answers[3], errors.QueryRejectedError)
    assert local.methods() == ["POST"]


SPANS: list[tuple[Timespan, str]] = [
    ((datetime(2026, 3, 2, 1, tzinfo=UTC), datetime(2026, 3, 2, 2, 30, tzinfo=UTC)), "2026-03-02T01:00:00Z/2026-03-02T02:30:00Z"),
    ((datetime(2026, 3, 2, 1), timedelta(0)), "2026-03-02T01:00:00Z/PT0S"),  # noqa: DTZ001 - a naive time is UTC
    (timedelta(0), "PT0S"),
    (timedelta(microseconds=1), "PT0.000001S"),
    ("P1D", "P1D"),
    (None, "None"),
]


@pytest.mark.parametrize(("span", "text"), SPANS, ids=str)
def test_every_time_span_is_sent_as_it_is_meant(local: Local, span: Timespan, text: str) -> None:
    query = _query(local, "print x=1", timespan=span)
    assert local.logs.run(query).result.rows() == [(1,)]
    assert isinstance(local.logs.batch([query])[0], LogsAnswer)
    alone, batch = (record.body for record in local.server.log)
    assert {_without_zeros(str(alone["timespan"])), str(batch["requests"][0]["body"]["timespan"])} == {text}


def _without_zeros(text: str) -> str:
    """Azure's client writes the same instant with its microseconds."""
    return text.replace(".000Z", "Z").replace(".000000Z", "Z")


def test_a_query_of_a_resource_is_at_its_path(local: Local) -> None:
    assert local.logs.run(LogsQuery(local.site.id, "Heartbeat | count")).result.rows() == [(5,)]
    assert [record.path for record in local.server.log] == [f"/v1{local.site.id}/query"]


def test_what_the_wire_promises_holds_through_azures_client(local: Local) -> None:
    local.server.faults.add(THROTTLED, path="batch")
    answer = local.logs.run(_query(local, "print x=1", wait=60, statistics=True))
    assert answer.correlation_id
    local.logs.batch([_query(local, "print x=1")])
    assert [(record.path.rsplit("/", 1)[1], record.status, record.attempt) for record in local.records] == [
        ("query", 200, 1),
        ("$batch", 429, 1),
        ("$batch", 200, 2),
    ]
    first = next(iter(local.server.log))
    assert first.request.headers["prefer"] == "wait=60,include-statistics=true"
    assert first.request.headers["user-agent"].startswith("toolkit")
    assert first.correlation_id == local.records[0].correlation_id
    local.cancel.set()
    with pytest.raises(errors.CancelledError):
        local.logs.run(_query(local, "print x=1"))


def test_without_azures_client_the_error_says_what_to_install(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.monitor.query", None)
    with pytest.raises(MissingQueryClientError, match=r"toolkit\[azure\]"):
        local.logs.run(_query(local, "print x=1"))
    assert local.logs.schema(local.site.customer_id).tables


ONE_ROW = {"tables": [{"name": "PrimaryResult", "columns": [{"name": "x", "type": "long"}], "rows": [[1]]}]}


@contextmanager
def _answering(answer: Callable[[Any], Any]) -> Iterator[tuple[LogsClient, list[Any]]]:
    """A service whose answer to each request is a function of its body, a client of it, and the bodies that came."""
    bodies: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            data = json.dumps(answer(bodies[-1])).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            with LogsClient(PUBLIC.at(logs=url), StaticCredential("t"), Options(read_timeout=5.0)) as client:
                yield client, bodies
        finally:
            server.shutdown()
            thread.join()


def test_only_the_throttled_queries_of_a_batch_are_sent_again() -> None:
    def answer(body: Any) -> Any:
        busy = {"status": 429, "headers": {"Retry-After": "0"}, "body": {"error": {"code": "ThrottledError", "message": "Busy."}}}
        good = {"status": 200, "headers": {}, "body": json.dumps(ONE_ROW)}
        first = len(body["requests"]) == 3
        return {
            "responses": [{"id": each["id"], **(busy if first and "1" in each["body"]["query"] else good)} for each in body["requests"]]
        }

    with _answering(answer) as (client, bodies):
        found = client.batch([LogsQuery("w", f"print x={number}") for number in range(3)])
    assert [each.result.rows() for each in found if isinstance(each, LogsAnswer)] == [[(1,)]] * 3
    assert [[each["body"]["query"] for each in body["requests"]] for body in bodies] == [
        ["print x=0", "print x=1", "print x=2"],
        ["print x=1"],
    ]


@pytest.mark.parametrize("answer", [{}, {"responses": []}, {"responses": None}, []], ids=str)
def test_a_batch_without_its_answers_is_an_error_of_each_query(answer: Any) -> None:
    with _answering(lambda _: answer) as (client, _):
        found = client.batch([LogsQuery("w", "print 1"), LogsQuery("w", "print 2")])
    assert [type(each) for each in found] == [errors.ProtocolError] * 2


@pytest.mark.parametrize("answer", [{}, [], {"tables": "none"}, {"tables": [{"name": "T", "columns": None, "rows": []}]}], ids=str)
def test_an_answer_that_is_no_table_is_an_error(answer: Any) -> None:
    with _answering(lambda _: answer) as (client, _), pytest.raises(errors.ProtocolError, match="no table"):
        client.run(LogsQuery("w", "print 1"))


def test_the_schema_of_a_workspace(local: Local) -> None:
    schema = local.logs.schema(local.site.customer_id)
    assert schema.tables["Heartbeat"].columns == {"TimeGenerated": ScalarType.DATETIME, "Computer": ScalarType.STRING}


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (None, None),
        ("P1D", "P1D"),
        (timedelta(days=1), "PT86400S"),
        (timedelta(microseconds=1500), "PT0.0015S"),
        ((datetime(2026, 1, 1), datetime(2026, 1, 2)), "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z"),  # noqa: DTZ001 - a naive time is UTC
        ((datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), timedelta(hours=1)), "2026-01-01T00:00:00Z/PT3600S"),
    ],
)
def test_time_spans(span: Any, text: str | None) -> None:
    assert timespan_text(span) == text


@pytest.mark.parametrize(
    "options",
    [{"wait": 0}, {"wait": 601}, {"query": " "}, {"workspace": "../x"}, {"workspace": ""}, {"timespan": timedelta(-1)}],
    ids=str,
)
def test_options_that_cannot_be_sent(options: dict[str, Any]) -> None:
    with pytest.raises(LogsArgumentError):
        LogsQuery(**{"workspace": "w", "query": "print 1", **options})


@pytest.mark.parametrize(
    ("kind", "value"),
    [("long", "x"), ("datetime", "yesterday"), ("timespan", 5), ("bool", "maybe"), ("int", 2**40), ("money", 1), ("decimal", "1e99")],
)
def test_a_value_that_is_not_of_its_type_is_an_error(kind: str, value: object) -> None:
    with pytest.raises(ValueError, match="column 'c': "):
        results_of([{"name": "T", "columns": [{"name": "c", "type": kind}], "rows": [[value]]}], None)


@pytest.mark.parametrize(("sent", "value"), [("abc", "abc"), ('{"a": 1}', {"a": 1}), ("NaN", "NaN"), ([1], [1]), ("", ""), ("[1", "[1")])
def test_dynamics_come_as_json_or_as_themselves(sent: object, value: object) -> None:
    result = results_of([{"name": "T", "columns": [{"name": "c", "type": "dynamic"}], "rows": [[sent]]}], None)
    assert result.rows() == [(value,)]
