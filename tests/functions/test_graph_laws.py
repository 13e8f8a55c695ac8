"""graph-match and graph-shortest-paths against a search that tries everything, over small generated graphs and patterns (R-320, R-321)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit import Workspace

EXAMPLES = settings(max_examples=60, deadline=None)

Edge = tuple[str, str]
IDS = st.sampled_from(["A", "B", "C", ""])
GRAPHS = st.lists(st.tuples(IDS, IDS), min_size=1, max_size=6)


@dataclass(frozen=True)
class Part:
    """One edge of a pattern: from `left` to `right` ("out", "in", "any"), fixed when `low` is None."""

    left: str
    right: str
    direction: str
    low: int | None = None
    high: int = 0

    def text(self, name: str) -> str:
        length = "" if self.low is None else f"*{self.low}..{self.high}"
        before, after = {"out": ("-", "->"), "in": ("<-", "-"), "any": ("-", "-")}[self.direction]
        return f"{before}[{name}{length}]{after}"


@st.composite
def patterns(draw: st.DrawFn, lowest: int = 0, directions: tuple[str, ...] = ("out", "in", "any")) -> list[Part]:
    """A chain of up to three edges; names may come again."""
    names = [draw(st.sampled_from("ab"))]
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        names.append(draw(st.sampled_from("abcd")))
        low = draw(st.one_of(st.none(), st.integers(lowest, 2)))
        high = 0 if low is None else draw(st.integers(low, 3))
        parts.append(Part(names[-2], names[-1], draw(st.sampled_from(directions)), low, high))
    return parts


def _steps(edges: list[Edge], node: str, direction: str) -> Iterator[tuple[int, str]]:
    for row, (source, target) in enumerate(edges):
        if direction in ("out", "any") and source == node:
            yield row, target
        if direction in ("in", "any") and target == node:
            yield row, source


def _ways(edges: list[Edge], node: str, part: Part) -> Iterator[tuple[tuple[int, ...], tuple[str, ...]]]:
    """Every way over one part: its edges, and all its nodes."""
    low, high = (1, 1) if part.low is None else (part.low, part.high)
    pending: list[tuple[tuple[int, ...], tuple[str, ...]]] = [((), (node,))]
    while pending:
        rows, nodes = pending.pop()
        if low <= len(rows):
            yield rows, nodes
        if len(rows) < high:
            pending += [((*rows, row), (*nodes, target)) for row, target in _steps(edges, nodes[-1], part.direction)]


Match = tuple[dict[str, str], tuple[tuple[tuple[int, ...], tuple[str, ...]], ...]]


def _matches(edges: list[Edge], parts: list[Part]) -> Iterator[Match]:
    """All matches without any rule about cycles."""

    def grow(names: dict[str, str], ways: tuple[Any, ...], rest: list[Part]) -> Iterator[Match]:
        if not rest:
            yield names, ways
            return
        part = rest[0]
        for way in _ways(edges, names[part.left], part):
            end = way[1][-1]
            if names.get(part.right, end) == end:
                yield from grow({**names, part.right: end}, (*ways, way), rest[1:])

    for node in sorted({node for edge in edges for node in edge}):
        yield from grow({parts[0].left: node}, (), parts)


def _allowed(parts: list[Part], match: Match, cycles: str) -> bool:
    names, ways = match
    if cycles == "all":
        return True
    if cycles == "unique_edges":
        rows = [row for way in ways for row in way[0]]
        return len(rows) == len(set(rows))
    inner = [node for way, part in zip(ways, parts, strict=True) if part.low is not None for node in way[1][1:-1]]
    simple = all(part.low is None or len(set(way[1])) == len(way[1]) for way, part in zip(ways, parts, strict=True))
    nodes = [*names.values(), *inner]
    return simple and len(nodes) == len(set(nodes))


def _run(edges: list[Edge], parts: list[Part], operator: str, clauses: str = "") -> Counter[str]:
    """What the engine finds: the nodes of each match by name, then the rows of each part."""
    names = list(dict.fromkeys(name for part in parts for name in (part.left, part.right)))
    pattern = f"({parts[0].left})" + "".join(f"{part.text(f'e{index}')}({part.right})" for index, part in enumerate(parts))
    items = [f"{name}_ = {name}.id" for name in names]
    items += [f"r{index} = {f'e{index}.row' if part.low is None else f'map(e{index}, row)'}" for index, part in enumerate(parts)]
    query = f"E | make-graph s --> t with_node_id=id | {operator} {pattern} {clauses} project {', '.join(items)}"
    with closing(Workspace({"E": {"s": "string", "t": "string", "row": "long"}})) as workspace:
        workspace.ingest("E", [{"s": source, "t": target, "row": row} for row, (source, target) in enumerate(edges)])
        found = workspace.query(query, timeout=60).rows()
        return Counter(_key(row[: len(names)], [[part] if isinstance(part, int) else part for part in row[len(names) :]]) for row in found)


def _key(nodes: Any, rows: Any) -> str:
    return json.dumps([list(nodes), [list(part) for part in rows]])


@EXAMPLES
@given(GRAPHS, patterns(), st.sampled_from(["unique_edges", "all"]))
def test_every_match_is_found_once(edges: list[Edge], parts: list[Part], cycles: str) -> None:
    expected = Counter(
        _key(match[0].values(), [way[0] for way in match[1]]) for match in _matches(edges, parts) if _allowed(parts, match, cycles)
    )
    assert _run(edges, parts, f"graph-match cycles={cycles}") == expected


@EXAMPLES
@given(GRAPHS, patterns(lowest=1))
def test_without_cycles_no_node_comes_twice(edges: list[Edge], parts: list[Part]) -> None:
    expected = Counter(
        _key(match[0].values(), [way[0] for way in match[1]]) for match in _matches(edges, parts) if _allowed(parts, match, "none")
    )
    assert _run(edges, parts, "graph-match cycles=none") == expected


@EXAMPLES
@given(GRAPHS, patterns(lowest=1), st.sampled_from(["any", "all"]), st.booleans())
def test_shortest_paths_are_the_shortest_simple_ones(edges: list[Edge], parts: list[Part], output: str, few: bool) -> None:
    paths = [index for index, part in enumerate(parts) if part.low is not None]
    if not paths:
        return
    # a condition on every edge takes paths out before the shortest is chosen
    clauses = f"where all(e{paths[0]}, row > 0)" if few else ""
    groups: dict[tuple[str, ...], list[Match]] = {}
    for match in _matches(edges, parts):
        if _allowed(parts, match, "none") and not (few and 0 in match[1][paths[0]][0]):
            groups.setdefault(tuple(match[0].values()), []).append(match)
    found = _run(edges, parts, f"graph-shortest-paths output={output}", clauses)
    shortest: Counter[str] = Counter()
    for nodes, matches in groups.items():
        least = min(sum(len(way[0]) for way in match[1]) for match in matches)
        ties = [match for match in matches if sum(len(way[0]) for way in match[1]) == least]
        keys = Counter(_key(nodes, [way[0] for way in match[1]]) for match in ties)
        shortest += keys
        if output == "any":
            assert sum((found & keys).values()) == 1
    assert found == shortest if output == "all" else found.total() == len(groups)
