"""Directed edges between numbered sites assembled to loops, the inside on their left, in the order that S2 gives loops."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from toolkit.engine.geo.vectors import Vector, cross, dot


@dataclass(frozen=True)
class DirectedEdge:
    """`order` is the number of the first input edge that became this one."""

    start: int
    end: int
    order: int


def directed_loops(edges: Iterable[DirectedEdge], sites: Sequence[Vector]) -> list[list[int]]:
    """Loops that do not pass a site twice. An edge and its reverse enclose nothing and are left out."""
    kept = _unpaired(edges)
    leaving: dict[int, list[int]] = defaultdict(list)
    for index, edge in enumerate(kept):
        leaving[edge.start].append(index)
    used: set[int] = set()
    found: list[list[int]] = []
    for first in range(len(kept)):
        found += _loops_from(first, kept, leaving, used, sites)
    loops = [_rotated(kept, loop) for loop in found]
    return [[kept[step].start for step in loop] for loop in sorted(loops, key=lambda loop: (kept[loop[0]].order, loop[0]))]


def _unpaired(edges: Iterable[DirectedEdge]) -> list[DirectedEdge]:
    """Of copies in both directions only the excess of one; each of those left stands for all input edges of the copies."""
    copies: dict[tuple[int, int], list[int]] = defaultdict(list)
    for edge in edges:
        if edge.start != edge.end:
            copies[edge.start, edge.end].append(edge.order)
    found: list[DirectedEdge] = []
    for (start, end), orders in sorted(copies.items()):
        excess = len(orders) - len(copies.get((end, start), ()))
        found += [DirectedEdge(start, end, min(orders))] * excess
    return found


def _loops_from(
    first: int, edges: Sequence[DirectedEdge], leaving: dict[int, list[int]], used: set[int], sites: Sequence[Vector]
) -> list[list[int]]:
    """The loops on the way from an edge on, turning left wherever several meet, so that none crosses another."""
    found: list[list[int]] = []
    path: list[int] = []
    place: dict[int, int] = {}
    index = first
    while index not in used:
        used.add(index)
        place[edges[index].start] = len(path)
        path.append(index)
        at = edges[index].end
        if at in place:
            found.append(path[place[at] :])
            del path[place[at] :]
            for step in found[-1]:
                del place[edges[step].start]
        choices = [step for step in leaving[at] if step not in used]
        if not choices:
            break
        index = _leftmost(edges, index, choices, sites)
    return found


def _leftmost(edges: Sequence[DirectedEdge], arriving: int, choices: Sequence[int], sites: Sequence[Vector]) -> int:
    """Of the edges that leave a site the one that turns left the most."""
    if len(choices) == 1:
        return choices[0]
    back, at = sites[edges[arriving].start], sites[edges[arriving].end]
    return min(choices, key=lambda step: _clockwise(at, back, sites[edges[step].end]))


def _clockwise(at: Vector, back: Vector, ahead: Vector) -> float:
    """The clockwise angle at a site from one direction to another, above 0."""
    one, other = cross(at, back), cross(at, ahead)
    found = math.atan2(dot(cross(other, one), at), dot(one, other))
    return found if found > 0 else found + 2 * math.pi


def _rotated(edges: Sequence[DirectedEdge], loop: Sequence[int]) -> list[int]:
    """The loop with the edge of the highest order last; of several next to each other the last one."""
    last, gap = 0, False
    for place in range(1, len(loop)):
        difference = edges[loop[place]].order - edges[loop[last]].order
        if difference < 0:
            gap = True
        elif difference > 0 or not gap:
            last, gap = place, False
    return [*loop[last + 1 :], *loop[: last + 1]]
