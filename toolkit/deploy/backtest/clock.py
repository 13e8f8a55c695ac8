"""A query whose clock is a parameter: every `now()` and `ago()` of the rule becomes the time of the run (S-10, S-11).

The Logs query API has no `query_now`, which is how the service itself does it. The calls are found in the syntax tree, so a
string, a comment or a column that says `ago(` stays as it is; everything else of the text stays too, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from toolkit.deploy.backtest.errors import BacktestError
from toolkit.kql import syntax
from toolkit.kql.parser import parse

CLOCK = frozenset({"now", "ago"})
_OPTION = "query_now"


@dataclass(frozen=True)
class Pinned:
    """A text with holes for one moment: the parts between the holes."""

    parts: tuple[str, ...]

    def at(self, moment: datetime) -> str:
        """The text of one run."""
        utc = moment.astimezone(UTC)
        return f"datetime({utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond:06}0Z)".join(self.parts)


@dataclass(frozen=True)
class Edit:
    """What stands in place of the characters [start, end)."""

    start: int
    end: int
    new: Pinned


def edited(text: str, edits: Iterable[Edit]) -> Pinned:
    """A text after edits that do not overlap."""
    parts, at = [""], 0
    for edit in sorted(edits, key=lambda each: (each.start, each.end)):
        first, *rest = edit.new.parts
        parts[-1] += text[at : edit.start] + first
        parts += rest
        at = edit.end
    parts[-1] += text[at:]
    return Pinned(tuple(parts))


def clock_edits(tree: syntax.Query) -> Iterator[Edit]:
    """`now()`, `now(x)` and `ago(x)` as the run's time. BacktestError where they may mean something else."""
    for node in walk(tree):
        if isinstance(node, syntax.Let) and node.name.text in CLOCK:
            raise BacktestError(f"the query has a function {node.name.text} of its own, so its clock cannot be set; give it another name")
        if isinstance(node, syntax.SetOption) and node.name == _OPTION:
            raise BacktestError(f"the query sets {_OPTION} itself, which the service does in front of every rule (S-10); remove it")
        if isinstance(node, syntax.Call) and node.name.text in CLOCK:
            yield from _moment(node)


def _moment(call: syntax.Call) -> Iterator[Edit]:
    start, end = call.span
    if not call.arguments:
        if call.name.text == "now":
            yield Edit(start, end, Pinned(("", "")))
        return
    first, last = call.arguments[0].span, call.arguments[-1].span
    sign = "-" if call.name.text == "ago" else "+"
    yield Edit(start, first.start, Pinned(("(", f" {sign} (")))
    yield Edit(last.end, end, Pinned(("))",)))


def uses_clock(tree: syntax.Node) -> bool:
    """Whether a tree asks for the time."""
    return any(isinstance(node, syntax.Call) and node.name.text in CLOCK for node in walk(tree))


def walk(tree: syntax.Node) -> Iterator[syntax.Node]:
    """Every node of a tree, but not the name behind a dot: `cluster(...).database(...).f()` is another place's function."""
    waiting: list[syntax.Node] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, syntax.Path):
            waiting.append(node.base)
            waiting += node.member.arguments if isinstance(node.member, syntax.Call) else ()
        else:
            waiting += node.children()


def checked(pinned: Pinned, moment: datetime) -> Pinned:
    """The same; BacktestError if its text is no KQL any more or still asks for the time. Both would be defects of this module."""
    found = parse(pinned.at(moment))
    if not found.ok or uses_clock(found.query):
        raise BacktestError("the clock of this query cannot be set; this is a defect of the toolkit, please report it with the query")
    return pinned
