"""graph-mark-components (R-323): the number of its component as one more property of every node."""

from __future__ import annotations

from toolkit.kql import plan
from toolkit.kql.binder.context import Binder, const
from toolkit.kql.binder.graphs.value import LONG, Elements, ref
from toolkit.kql.source import Span
from toolkit.kql.types import ScalarType

DYNAMIC = ScalarType.DYNAMIC


def with_components(b: Binder, nodes: Elements, arcs: Elements, name: str, *, strong: bool, span: Span) -> Elements:
    """The nodes with the number of their component, from 0. One call sees the whole graph, so that long chains cost no rounds."""
    listed, found = nodes.read(b), arcs.read(b)
    places, sources, targets = (b.column("", DYNAMIC) for _ in range(3))
    of_nodes = plan.Aggregate(listed.rel, (), ((places, _list(listed, "place", "place")),), (), (places,))
    ends = ((sources, _list(found, "source", "row")), (targets, _list(found, "target", "row")))
    of_arcs = plan.Aggregate(found.rel, (), ends, (), (sources, targets))
    whole = plan.Join("inner", of_nodes, of_arcs, (), (places, sources, targets))
    every, numbers = b.column("", DYNAMIC), b.column("", DYNAMIC)
    strongly = const(strong, ScalarType.BOOL)
    items = (
        (every, plan.Call("place_array", (ref(places),), DYNAMIC, span)),
        (numbers, plan.Call("graph_components", (ref(places), ref(sources), ref(targets), strongly), DYNAMIC, span)),
    )
    place, number = b.column("", LONG), b.column(name, LONG)
    spread = (plan.ExpandItem(place, ref(every)), plan.ExpandItem(number, ref(numbers)))
    marked = plan.Expand(plan.Extend(whole, items, (every, numbers)), spread, None, None, False, (place, number), span)
    marks = Elements(marked, {"place": place, "number": number}).shared("components").read(b)
    mine = nodes.read(b)
    on = ((ref(mine.roles["place"]), ref(marks.roles["place"])),)
    component = plan.Column(marks.roles["number"].id, name, LONG)
    joined = plan.Join("inner", mine.rel, marks.rel, on, (*mine.rel.columns, component))
    return Elements(joined, mine.roles, (*mine.properties, component))


def _list(elements: Elements, role: str, order: str) -> plan.AggregateCall:
    return plan.AggregateCall("place_list", (ref(elements.roles[role]), ref(elements.roles[order])), DYNAMIC)
