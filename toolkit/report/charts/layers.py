"""The nodes of a graph in layers, so that most edges lead from one layer to the next and few of them cross."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

_SWEEPS = 4


def in_layers(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Nodes by their distance from where edges only begin; in each layer near those that they are connected with.

    The ends of the edges are nodes too. There is at least one node.
    """
    after: dict[str, list[str]] = defaultdict(list)
    before: dict[str, list[str]] = defaultdict(list)
    every: dict[str, None] = dict.fromkeys(nodes)
    for source, target in edges:
        every |= {source: None, target: None}
        if source != target:
            after[source].append(target)
            before[target].append(source)
    depth = _depths(every, after, before)
    layers = [[node for node in every if depth[node] == number] for number in range(max(depth.values()) + 1)]
    for _ in range(_SWEEPS):
        for number in range(1, len(layers)):
            layers[number] = _near(layers[number], layers[number - 1], before)
        for number in range(len(layers) - 2, -1, -1):
            layers[number] = _near(layers[number], layers[number + 1], after)
    return layers


def _depths(nodes: dict[str, None], after: dict[str, list[str]], before: dict[str, list[str]]) -> dict[str, int]:
    depth = {node: 0 for node in nodes if not before[node]} or {next(iter(nodes)): 0}
    waiting = list(depth)
    while waiting or len(depth) < len(nodes):
        if not waiting:  # what is left is a circle that nothing leads to
            waiting.append(next(node for node in nodes if node not in depth))
            depth[waiting[0]] = 0
        node = waiting.pop(0)
        for following in after[node]:
            if following not in depth:
                depth[following] = depth[node] + 1
                waiting.append(following)
    return depth


def _near(layer: list[str], other: list[str], ends: dict[str, list[str]]) -> list[str]:
    place = {node: index for index, node in enumerate(other)}

    def middle(node: str) -> float:
        found = [place[end] for end in ends[node] if end in place]
        return sum(found) / len(found) if found else len(other) / 2

    return sorted(layer, key=middle)
