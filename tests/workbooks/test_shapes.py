"""Graphs, honeycombs, maps and trees: what is drawn where, without a browser."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.report.charts.layers import in_layers
from toolkit.workbooks.preview.colours import colours
from toolkit.workbooks.preview.graphs import graph
from toolkit.workbooks.preview.grids import grid
from toolkit.workbooks.preview.maps import points
from toolkit.workbooks.tables import Table

_COLUMNS = [("Id", "string"), ("From", "string"), ("To", "string"), ("N", "long"), ("Kind", "string")]
_GRAPH = {"type": 0, "nodeIdField": "Id", "sourceIdField": "From", "targetIdField": "To", "edgeLabel": "Kind", "edgeSize": "N"}


def _node(name: str, size: int = 1, kind: str = "") -> tuple[Any, ...]:
    return name, "", "", size, kind


def _edge(source: str, target: str, size: int = 1, kind: str = "") -> tuple[Any, ...]:
    return None, source, target, size, kind


def _drawn(*rows: tuple[Any, ...], **settings: Any) -> dict[str, Any]:
    found = graph(Table(_COLUMNS, rows), {**_GRAPH, **settings})
    assert found is not None
    return found[0]


def test_a_graph_leads_from_left_to_right() -> None:
    view = _drawn(_node("a"), _node("b"), _node("c"), _edge("a", "b", 4, "calls"), _edge("a", "b", 4, "calls"), _edge("b", "c", 2))
    places = {node["id"]: node for node in view["graph"]["nodes"]}
    assert places["a"]["x"] < places["b"]["x"] < places["c"]["x"]
    assert [(edge["hint"], edge["label"], edge["width"]) for edge in view["graph"]["edges"]] == [
        ("a → b: calls", "calls", 5.3),
        ("b → c", "", 2.3),
    ]
    view = _drawn(_node("a"), _node("b"), _edge("a", "b"), graphOrientation=2)
    places = {node["id"]: node for node in view["graph"]["nodes"]}
    assert places["a"]["y"] < places["b"]["y"]


def test_edges_need_a_node_at_each_end() -> None:
    view = _drawn(_node("a"), _edge("a", "b"), _edge("c", "a"))
    assert view["graph"]["edges"] == []
    assert view["remark"] == "2 edges without a node at each end are left out."


def test_a_graph_says_how_much_of_it_is_drawn() -> None:
    view = _drawn(*(_node(f"n{number}") for number in range(200)))
    assert len(view["graph"]["nodes"]) == 150
    assert view["remark"] == "The first 150 of 200 nodes are shown."
    assert graph(Table(_COLUMNS, [_node("a")]), {"nodeIdField": "Nope"}) is None


def test_the_parts_of_a_node() -> None:
    settings = {
        "topContent": {"columnMatch": "Kind", "formatter": 1},
        "centerContent": {"columnMatch": "N", "formatter": 12, "numberFormat": {"unit": 17, "options": {}}},
        "rightContent": {"columnMatch": "Id"},
    }
    lines = _drawn(_node("web", 1200, "service"), **settings)["graph"]["nodes"][0]["lines"]
    assert [(line["part"], line["t"]) for line in lines] == [("top", "service"), ("center", "1.2K web")]
    assert [line["t"] for line in _drawn(_node("web"))["graph"]["nodes"][0]["lines"]] == ["web"]


_NAMES = st.sampled_from(["a", "b", "c", "d", ""])


@given(st.lists(_NAMES, max_size=5), st.lists(st.tuples(_NAMES, _NAMES), max_size=8), st.sampled_from([0, 1, 2, 3, None, "x"]))
def test_any_graph_is_drawn_inside_its_picture(nodes: list[str], edges: list[tuple[str, str]], orientation: Any) -> None:
    found = _drawn(*(_node(name) for name in nodes), *(_edge(*ends) for ends in edges), graphOrientation=orientation)["graph"]
    assert sorted(node["id"] for node in found["nodes"]) == sorted(set(nodes) - {""})
    for node in found["nodes"]:
        assert 0 <= node["x"] <= node["x"] + node["width"] <= found["width"]
        assert 0 <= node["y"] <= node["y"] + node["height"] <= found["height"]


@given(st.lists(_NAMES, min_size=1), st.lists(st.tuples(_NAMES, _NAMES)))
def test_layers_hold_every_node_once(nodes: list[str], edges: list[tuple[str, str]]) -> None:
    layers = in_layers(nodes, edges)
    assert sorted(node for layer in layers for node in layer) == sorted({*nodes, *(end for edge in edges for end in edge)})
    assert all(layers)


def test_a_honeycomb_in_groups() -> None:
    rows = [_node("a", 1, "x"), _node("b", 5, "y"), _node("c", 9, "x")]
    settings = {"type": 2, "groupByField": "Kind", "staticNodeSize": 5000, "hivesMargin": "x", "centerContent": {"columnMatch": "N"}}
    view = _drawn(*rows, **settings, colorSettings={"type": 4, "nodeColorField": "N", "heatmapPalette": "greenRed"})["hexagons"]
    assert (view["size"], view["margin"]) == (200, 5)
    groups = {group["name"]: [(cell["id"], cell["center"], cell["tone"]["heat"]) for cell in group["cells"]] for group in view["groups"]}
    assert groups == {"x": [("a", "1", 0.0), ("c", "9", 1.0)], "y": [("b", "5", 0.5)]}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [{}, {}]),
        ({"type": 1, "nodeColorField": "Kind"}, [{"series": 0}, {"series": 1}]),
        ({"type": 2, "nodeColorField": "Id"}, [{"hex": "#fd7f23"}, {}]),
        ({"type": 3, "nodeColorField": "N", "thresholdsGrid": [{"operator": ">", "thresholdValue": "3", "representation": "red"}]},
         [{}, {"color": "red"}]),
        ({"type": "heatmap", "nodeColorField": "N", "heatmapMin": 0, "heatmapMax": 10},
         [{"heat": 0.1, "palette": "blue"}, {"heat": 0.5, "palette": "blue"}]),
        ({"type": 9, "nodeColorField": "N"}, [{}, {}]),
    ],
)  # fmt: skip
def test_colours(settings: dict[str, Any], expected: list[Any]) -> None:
    table = Table(_COLUMNS, [_node("FD7F23", 1, "x"), _node("url(javascript:0)", 5, "y")])
    assert colours(table, table.rows, settings) == expected


def test_points_of_a_map() -> None:
    table = Table([("Lat", "real"), ("Lon", "real"), ("N", "long"), ("City", "string")],
                  [(52.5, 13.4, 1, "Berlin"), (48.9, 2.4, 4, "Paris"), (None, 1.0, 9, "Nowhere"), (91.0, 0.0, 1, "Above")])  # fmt: skip
    settings = {"locInfo": "LatLong", "latitude": "Lat", "longitude": "Lon", "sizeSettings": "N", "labelSettings": "City"}
    found = points(table, settings)
    assert found is not None
    assert [(point["label"], point["x"], point["y"], point["share"]) for point in found[0]["points"]] == [
        ("Paris", 2.4, 48.9, 1.0),
        ("Berlin", 13.4, 52.5, 0.25),
    ]
    assert found[0]["remark"] == "Points at their longitude and latitude; this preview draws no coastlines. 2 rows have no place."
    assert points(table, {**settings, "locInfo": "CountryRegion"}) is None


# --- trees -------------------------------------------------------------------------------------------------------------

_CALLS = Table(
    [("Who", "string"), ("What", "string"), ("N", "long")], [("bob", "get", 1), ("eve", "get", 5), ("bob", "put", 2), ("bob", "get", 4)]
)


def _outline(view: dict[str, Any]) -> list[str]:
    tree = view["tree"]

    def said(cell: Any) -> str:
        return str(cell["t"] if isinstance(cell, dict) else cell)

    found = []
    for entry in tree["entries"]:
        cells = entry.get("cells") or view["rows"][entry["row"]]
        found.append("  " * entry["depth"] + " ".join(filter(None, map(said, cells))) + (" open" if entry["open"] else ""))
    return found


def test_rows_in_groups() -> None:
    settings = {
        "formatters": [
            {"columnMatch": "Who", "formatter": 5},
            {"columnMatch": "N", "formatter": 1, "formatOptions": {"aggregation": "Sum"}},
        ],
        "hierarchySettings": {"treeType": 1, "groupBy": ["Who", "What"], "expandTopLevel": True, "finalBy": "What"},
    }
    view, rows = grid(_CALLS, settings, None)
    assert [column["title"] for column in view["columns"]] == ["Group", "What", "N"]
    assert _outline(view) == [
        "bob 7 open",
        "  get 5",
        "    get get 1",
        "    get get 4",
        "  put 2",
        "    put put 2",
        "eve 5 open",
        "  get 5",
        "    get get 5",
    ]
    assert len(rows) == 4


@pytest.mark.parametrize(
    ("aggregation", "expected"), [("Sum", "7"), ("Average", "2.33333"), ("Max", "4"), ("Min", "1"), ("Count", "3"), ("Unique", "3")]
)
def test_groups_add_up(aggregation: str, expected: str) -> None:
    settings = {
        "formatters": [{"columnMatch": "N", "formatter": 1, "formatOptions": {"aggregation": aggregation}}],
        "hierarchySettings": {"treeType": 1, "groupBy": ["Who"]},
    }
    view, _ = grid(_CALLS, settings, None)
    cell = view["tree"]["entries"][0]["cells"][-1]
    assert (cell["t"] if isinstance(cell, dict) else cell) == expected


_FAMILY = {
    "hierarchySettings": {"treeType": 0, "idColumn": "Id", "parentColumn": "Parent", "expanderColumn": "Name", "expandTopLevel": True}
}


def _family(*rows: tuple[str, str]) -> list[str]:
    table = Table([("Id", "string"), ("Parent", "string"), ("Name", "string")], [(*row, row[0].upper()) for row in rows])
    settings = {**_FAMILY, "formatters": [{"columnMatch": "Id|Parent", "formatter": 5}]}
    return _outline(grid(table, settings, None)[0])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("b", "a"), ("a", ""), ("c", "b"), ("d", "a")], ["A open", "  B", "    C", "  D"]),
        ([("a", "gone")], ["A open"]),
        ([("a", "a")], ["A open"]),
        ([("a", "b"), ("b", "a")], ["A open", "  B"]),
    ],
)
def test_rows_under_their_parents(rows: list[tuple[str, str]], expected: list[str]) -> None:
    assert _family(*rows) == expected


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", "d"]), _NAMES), max_size=12))
def test_every_row_stands_in_the_tree_once(rows: list[tuple[str, str]]) -> None:
    assert sorted(line.removesuffix(" open").strip() for line in _family(*rows)) == sorted(name.upper() for name, _ in rows)


def test_a_composite_bar() -> None:
    parts = [{"columnName": "N", "color": "green"}, {"columnName": "Nope", "color": "red"}]
    options = {"compositeBarSettings": {"labelText": '["N"] of it', "columnSettings": parts}}
    settings = {"formatters": [{"columnMatch": "Who", "formatter": 22, "formatOptions": options}]}
    view, _ = grid(_CALLS, settings, None)
    assert view["rows"][1][0] == {"t": "5 of it", "parts": [{"share": 1.0, "color": "green", "t": "N: 5"}]}
