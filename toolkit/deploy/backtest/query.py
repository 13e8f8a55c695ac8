"""From a rule's rendered query to what is asked of the workspace: clock set, functions in front, rows counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from toolkit.deploy.backtest.clock import Edit, Pinned, checked, clock_edits, edited
from toolkit.deploy.backtest.errors import BacktestError
from toolkit.deploy.backtest.functions import ProjectFunctions, called, inlined
from toolkit.kql import syntax
from toolkit.kql.parser import parse

# After these a query cannot go on, or `count` would count something else than its rows.
_ENDS = (
    syntax.BadOperator,
    syntax.Consume,
    syntax.Facet,
    syntax.Fork,
    syntax.GraphMarkComponents,
    syntax.GraphToTable,
    syntax.GraphWhere,
    syntax.MakeGraph,
    syntax.Render,
)


@dataclass(frozen=True)
class RunQuery:
    """The query of one run. `counts`: its answer is the number of rows, not the rows. `functions` are the project's in it.

    `names` are all that it may call besides; some of them may be functions of the workspace.
    """

    text: Pinned
    counts: bool
    functions: tuple[str, ...]
    names: frozenset[str]


def run_query(text: str, functions: ProjectFunctions, moment: datetime) -> RunQuery:
    """The query of a rule, which is KQL, for any run; `moment` is one of the runs. Raises BacktestError and ContentError."""
    parsed = parse(text)
    last = _last(parsed.query)
    names, declarations = inlined(parsed.query, functions)
    edits = [*clock_edits(parsed.query), *_placed(parsed.query, names, declarations)]
    counts = not _ends(last)
    if counts:
        edits.append(Edit(last.span.end, last.span.end, Pinned(("\n| count",))))
    pinned = checked(edited(text, edits), moment)
    every = called(parse(pinned.at(moment)).query)
    return RunQuery(pinned, counts, tuple(names), frozenset(every) - set(names))


def _last(query: syntax.Query) -> syntax.QueryStatement:
    results = [each for each in query.statements if isinstance(each, syntax.QueryStatement)]
    if len(results) != 1:
        raise BacktestError(f"the query has {len(results)} results; a rule has exactly one, the service refuses to run this one (S-29)")
    return results[0]


def _ends(statement: syntax.QueryStatement) -> bool:
    value: syntax.Node = statement.value
    while isinstance(value, syntax.Pipeline):
        if value.operators:
            return isinstance(value.operators[-1], _ENDS)
        value = value.source
    return not isinstance(value, syntax.Call | syntax.NameRef | syntax.DataTable | syntax.Operator)


def _placed(query: syntax.Query, names: list[str], declarations: Pinned) -> Iterator[Edit]:
    """In front of the first statement that calls one of the functions: the `let`s before it can be seen in a saved function (R-306)."""
    if not names:
        return
    calling = next(statement for statement in query.statements if called(statement) & set(names))
    yield Edit(calling.span.start, calling.span.start, declarations)
