"""The project's own saved functions that a query calls, as `let` statements in front of what calls them.

So they run as the project has them, whether or not they are deployed, and their clock can be set like the rule's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from toolkit.content.findings import ContentError
from toolkit.content.items import Item
from toolkit.content.models.function import FunctionFile
from toolkit.content.project import Project
from toolkit.content.values import ItemQuery
from toolkit.deploy.backtest.clock import Pinned, clock_edits, edited, uses_clock, walk
from toolkit.deploy.backtest.errors import BacktestError
from toolkit.kql import syntax
from toolkit.kql.parser import parse
from toolkit.kql.printer.names import bare

WATCHLISTS = frozenset({"_GetWatchlist", "_GetWatchlistAlias"})
PARSERS = ("_Im_", "_ASim_")


def called(tree: syntax.Node) -> set[str]:
    """Names that may be those of functions. A function without arguments may be called by its bare name (R-294)."""
    names: set[str] = set()
    for node in walk(tree):
        if isinstance(node, syntax.Call):
            names.add(node.name.text)
        elif isinstance(node, syntax.NameRef):
            names.add(node.name)
    return names


def declared(tree: syntax.Node) -> set[str]:
    """Names that a query or a function gives itself."""
    return {node.name.text for node in walk(tree) if isinstance(node, syntax.Let | syntax.FunctionParameter)}


@dataclass
class ProjectFunctions:
    """The saved functions of a project by name, rendered for an environment when they are called."""

    project: Project
    environment: str | None
    _items: dict[str, Item] = field(init=False)

    def __post_init__(self) -> None:
        items = list(self.project.items("function"))
        self._items = {item.model.name: item for item in items if isinstance(item.model, FunctionFile) and item.model.name}

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def declaration(self, name: str) -> str:
        """`let name = (parameters) { body }`. ContentError for a function that cannot be used."""
        item = self._items[name]
        model, findings = item.model, item.collect()
        assert isinstance(model, FunctionFile)
        query = ItemQuery(item, self.project, self.environment).render(findings)
        if query is None or findings.errors:
            raise ContentError(item.findings)
        return f"let {bare(name)} = ({model.signature}) {{\n{query.text}\n}}"


def inlined(tree: syntax.Query, functions: ProjectFunctions) -> tuple[list[str], Pinned]:
    """The functions of the project that a query calls, also through one another, and their declarations, each before its callers.

    Raises ContentError, and BacktestError for a function that calls itself or is no KQL.
    """
    own = {statement.name.text for statement in tree.statements if isinstance(statement, syntax.Let)}
    found: dict[str, Pinned] = {}
    for name in sorted(called(tree) - own):
        _add(name, functions, found, ())
    parts = [""]
    for declaration in found.values():
        first, *rest = declaration.parts
        parts[-1] += first
        parts += rest
        parts[-1] += ";\n"
    return list(found), Pinned(tuple(parts))


def _add(name: str, functions: ProjectFunctions, found: dict[str, Pinned], callers: tuple[str, ...]) -> None:
    if name in found or name not in functions:
        return
    if name in callers:
        raise BacktestError(f"the function {name} calls itself ({' -> '.join((*callers, name))}); no workspace runs that")
    text = functions.declaration(name)
    parsed = parse(text)
    let = parsed.query.statements[0] if len(parsed.query.statements) == 1 else None
    if not parsed.ok or not isinstance(let, syntax.Let):
        problem = next((each.message for each in parsed.diagnostics if each.severity == "error"), "it has more than one statement")
        raise BacktestError(f"the function {name} of the project is no function that KQL can call: {problem}")
    for other in sorted(called(let.value) - declared(let.value)):
        _add(other, functions, found, (*callers, name))
    found[name] = edited(text, clock_edits(parsed.query))


def other_clocks(names: set[str], bodies: Mapping[str, str | None]) -> list[str]:
    """Functions of the workspace among `names` whose answers may depend on the time at which they are asked.

    `bodies`: the workspace's functions; None for a body that it does not tell. The parsers that Sentinel brings are taken for
    such, the functions that read watchlists are not.
    """
    found = [name for name in sorted(names) if (_may_ask(name, bodies, set()) if name in bodies else name.startswith(PARSERS))]
    return [name for name in found if name not in WATCHLISTS]


def _may_ask(name: str, bodies: Mapping[str, str | None], seen: set[str]) -> bool:
    body = bodies[name]
    if body is None:
        return True
    tree = parse(body).query
    seen.add(name)
    return uses_clock(tree) or any(_may_ask(other, bodies, seen) for other in called(tree) if other in bodies and other not in seen)
