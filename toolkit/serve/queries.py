"""Running one query of a request: its clock, limits and parameters in, its results out."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from toolkit.engine.budget import Budget
from toolkit.engine.result import Result
from toolkit.kql import syntax
from toolkit.kql.diagnostics import ToolkitError
from toolkit.serve import cells
from toolkit.serve.answers import Found
from toolkit.serve.databases import Database, Databases
from toolkit.serve.failures import RequestFailed, failed

_LITERAL = re.compile(r"\s*(?:datetime|timespan|time|guid|dynamic|long|int|real|double|decimal|bool)\s*\((?P<value>.*)\)\s*", re.DOTALL)
_INTEGERS = frozenset({"int", "long", "int64"})
_REALS = frozenset({"real", "double"})
_MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Cuts:
    """Where a result ends. None: nowhere. `take` ends it without a word, the other two are reported."""

    rows: int | None = 500_000
    size: int | None = 64 * _MEGABYTE
    take: int | None = None

    def fetched(self) -> int | None:
        """How many rows have to be seen, to know whether there are more than may be sent."""
        limits = [limit for limit in (self.rows and self.rows + 1, self.take) if limit is not None]
        return min(limits, default=None)


@dataclass(frozen=True)
class Query:
    """A query as a request asks for it."""

    text: str
    now: datetime
    start: datetime | None = None
    end: datetime | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    cuts: Cuts = field(default_factory=Cuts)


def run(databases: Databases, asked: Sequence[Database], query: Query, budget: Budget) -> Found:
    """The results over one database, or over several together. Raises RequestFailed."""
    try:
        return _run(databases, asked, query, budget)
    except ToolkitError as error:
        raise failed(error, query.text) from None


def _run(databases: Databases, asked: Sequence[Database], query: Query, budget: Budget) -> Found:
    workspace = databases.together(asked).fork(budget)
    parameters = dict(query.parameters)
    analysis = workspace.analyze(query.text, parameters=parameters)
    if parameters:
        parameters = _typed(analysis.syntax, parameters)
    cuts = _own_cuts(analysis.syntax, query.cuts)
    budget.rows = cuts.fetched()
    began = time.perf_counter()
    first = workspace.query(query.text, now=query.now, start=query.start, end=query.end, parameters=parameters)
    results, cut = _shortened((first, *first.others), cuts)
    for result in results:
        cells.check(result)
    return Found(results, time.perf_counter() - began, cut)


def _shortened(results: Sequence[Result], cuts: Cuts) -> tuple[list[Result], dict[int, str]]:
    """What may be sent, and which results had more."""
    kept, cut = [], {}
    for number, result in enumerate(results):
        count = len(result)
        if cuts.rows is not None and count > cuts.rows:
            count, cut[number] = cuts.rows, f"{cuts.rows} records"
        if cuts.size is not None and result.size > cuts.size and count:
            fitting = max(1, cuts.size * len(result) // result.size)
            if fitting < count:
                count, cut[number] = fitting, f"{cuts.size / _MEGABYTE:g} MB"
        kept.append(result.head(count) if count < len(result) else result)
    return kept, cut


def _own_cuts(query: syntax.Query, cuts: Cuts) -> Cuts:
    """The limits with what `set` statements of the query say."""
    rows, size, take = cuts.rows, cuts.size, cuts.take
    for statement in query.statements:
        if not isinstance(statement, syntax.SetOption):
            continue
        value = statement.value.value if isinstance(statement.value, syntax.Literal) else None
        number = value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
        if statement.name == "notruncation" and value is not False:
            rows = size = None
        elif statement.name == "truncationmaxrecords" and number:
            rows = number
        elif statement.name == "truncationmaxsize" and number:
            size = number
        elif statement.name == "query_take_max_records" and number:
            take = number
    return Cuts(rows, size, take)


# --- parameters ---------------------------------------------------------------------------------------------------------


def _typed(query: syntax.Query, given: Mapping[str, object]) -> dict[str, object]:
    """Parameters arrive as texts, as they would stand in a query; the declaration says what they are."""
    kinds = {
        parameter.name.text: parameter.type
        for statement in query.statements
        if isinstance(statement, syntax.DeclareParameters)
        for parameter in statement.parameters
        if isinstance(parameter.type, str)
    }
    return {name: _value(name, value, kinds.get(name, "string")) for name, value in given.items()}


def _value(name: str, value: object, kind: str) -> object:
    if not isinstance(value, str) or kind == "string":
        return value
    match = _LITERAL.fullmatch(value)
    text = (match["value"] if match else value).strip().strip("'\"" if kind != "dynamic" else "")
    try:
        if kind in _INTEGERS:
            return int(text)
        if kind in _REALS:
            return float(text)
        if kind in ("bool", "boolean"):
            return {"true": True, "false": False, "1": True, "0": False}[text.casefold()]
    except (KeyError, ValueError):
        raise RequestFailed("request", f"The query parameter '{name}' is declared as {kind}; found {value!r}.") from None
    return text
