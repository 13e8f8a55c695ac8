"""Connected components of a graph, in one call over all its edges."""

from __future__ import annotations

from collections.abc import Sequence


def components(places: Sequence[int] | None, sources: Sequence[int] | None, targets: Sequence[int] | None, strong: bool) -> str:
    """The component of each place as a JSON array, in the order of the places.

    Weak components are numbered in the order of their first node, strong ones in the order in which a depth-first search
    leaves them, as measured on the service (R-323). The numbers are documented as arbitrary.
    """
    index = {place: position for position, place in enumerate(places or ())}
    edges = [(index[source], index[target]) for source, target in zip(sources or (), targets or (), strict=True)]
    found = _strong(len(index), edges) if strong else _weak(len(index), edges)
    return "[" + ",".join(map(str, found)) + "]"


def _weak(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    parent = list(range(count))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for source, target in edges:
        one, other = root(source), root(target)
        # the earlier node stays the root: components come out in the order of their first node
        if one < other:
            parent[other] = one
        else:
            parent[one] = other
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(node), len(numbers)) for node in range(count)]


def _strong(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Tarjan's algorithm with a stack of its own: a long chain must not exhaust Python's."""
    following: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        following[source].append(target)
    order = [-1] * count
    low = [0] * count
    component = [-1] * count
    open_nodes: list[int] = []
    clock = found = 0
    for first in range(count):
        if order[first] >= 0:
            continue
        pending = [(first, 0)]
        while pending:
            node, position = pending.pop()
            if position == 0:
                order[node] = low[node] = clock
                clock += 1
                open_nodes.append(node)
            else:
                low[node] = min(low[node], low[following[node][position - 1]])
            while position < len(following[node]):
                target = following[node][position]
                position += 1
                if order[target] < 0:
                    pending += [(node, position), (target, 0)]
                    break
                if component[target] < 0:
                    low[node] = min(low[node], order[target])
            else:
                if low[node] == order[node]:
                    while component[node] < 0:
                        component[open_nodes.pop()] = found
                    found += 1
    return component
