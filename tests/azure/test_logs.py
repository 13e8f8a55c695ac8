"""Queries over HTTP: typed answers, partial ones, refusals, batches, schemas."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.azure.conftest import Local
from tests.azure_server import FORBIDDEN, THROTTLED
from toolkit.azure import LogsQuery, errors
from toolkit.azure.logs import LogsAnswer, LogsArgumentError, timespan_text
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
