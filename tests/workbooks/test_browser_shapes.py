"""Graphs, honeycombs, maps, trees and brushes in a real browser: drawn, clicked, by keyboard, and as one file without a server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.workbooks.making import Items, query, read, text, write
from tests.workbooks.shown import CONTRAST, wait
from toolkit import Workspace
from toolkit.workbooks.preview.listening import PreviewServer
from toolkit.workbooks.preview.page import page as html
from toolkit.workbooks.preview.session import Preview

_EVIL = "<script>alert(1)</script>"
_CALLS = [
    {"TimeGenerated": "2026-03-01T10:00:00Z", "Caller": "web", "Target": "api", "N": 5, "Lat": 52.5, "Lon": 13.4},
    {"TimeGenerated": "2026-03-02T10:00:00Z", "Caller": "api", "Target": _EVIL, "N": 2, "Lat": 40.7, "Lon": -74.0},
    {"TimeGenerated": "2026-03-03T10:00:00Z", "Caller": "api", "Target": "web", "N": 9, "Lat": 35.7, "Lon": 139.7},
]
_ENDS = "union (Calls | project Id = Caller), (Calls | project Id = Target) | distinct Id"
_GRAPH = {"type": 0, "nodeIdField": "Id", "sourceIdField": "Caller", "targetIdField": "Target", "edgeSize": "N",
          "colorSettings": {"type": 1, "nodeColorField": "Id"}}  # fmt: skip
_HIVES = {"type": 2, "nodeIdField": "Caller", "centerContent": {"columnMatch": "N"}, "groupByField": "Target",
          "colorSettings": {"type": 4, "nodeColorField": "N", "heatmapPalette": "greenRed"}}  # fmt: skip
_MAP = {"locInfo": "LatLong", "latitude": "Lat", "longitude": "Lon", "sizeSettings": "N", "labelSettings": "Caller"}
_TREE = {"hierarchySettings": {"treeType": 1, "groupBy": ["Caller"], "finalBy": "Target"}, "filter": True}
_ITEMS: Items = [
    query(f"{_ENDS} | union (Calls | project Caller, Target, N)", "graph", visualization="graph", graphSettings=_GRAPH,
          exportFieldName="Id", exportParameterName="Picked", exportDefaultValue="nobody"),
    text("Picked is {Picked}."),
    query("Calls", "hives", visualization="graph", graphSettings=_HIVES),
    query("Calls", "map", visualization="map", mapSettings=_MAP),
    query("Calls | project Caller, Target, N", "tree", gridSettings=_TREE),
    query("Calls | summarize sum(N) by bin(TimeGenerated, 1d)", "over time", visualization="timechart", title="Over time",
          timeContext={"durationMs": 604_800_000}, timeBrushParameterName="Brush"),
    query("Calls | where TimeGenerated {Brush} | project Caller", "brushed"),
    query("Calls | distinct Caller", "several", exportMultipleValues=True,
          exportedParameters=[{"parameterName": "Names", "fieldName": "Caller", "quote": "'", "delimiter": ","}]),
    query("Calls | where Caller in (dynamic([{Names}])) | count", "named"),
    query("Calls | extend N = N - 4 | summarize sum(N) by Target = strcat('a longer name ', Target)", "signed", visualization="barchart"),
]  # fmt: skip
_PALE = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const paint = (...colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    const part = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => value / 255).map(
      (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
  };
  const fill = (node) => getComputedStyle(node).fill;
  return [...document.querySelectorAll('.node text')].filter((node) => {
    const [base, over] = node.parentElement.querySelectorAll('rect, polygon');
    const [a, b] = [paint(fill(base), fill(over), fill(node)), paint(fill(base), fill(over))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05) < 4.5;
  }).map((node) => node.textContent);
}"""


@pytest.fixture
def preview(tmp_path: Path) -> Iterator[Preview]:
    columns = {"TimeGenerated": "datetime", "Caller": "string", "Target": "string", "N": "int", "Lat": "real", "Lon": "real"}
    workspace = Workspace({"Calls": columns})
    workspace.ingest("Calls", _CALLS)
    yield Preview(read(write(tmp_path, _ITEMS))[0], workspace, datetime(2026, 3, 4, tzinfo=UTC))
    workspace.close()


@pytest.fixture
def shown(page: Any, preview: Preview) -> Iterator[Any]:
    with PreviewServer(preview) as server:
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        page.goto(server.url)
        page.wait_for_selector("svg.graph")
        yield page


def test_everything_is_drawn(shown: Any) -> None:
    assert shown.locator("svg.graph .node").count() == 3
    assert shown.locator("svg.graph .edge").count() == 3
    assert shown.locator("figure").count() == 3
    assert shown.locator("svg.map .point").count() == 3
    assert _EVIL in shown.locator("svg.graph .node title").all_text_contents()
    assert not shown.evaluate("document.querySelectorAll('main script').length")


def test_values_below_nothing_hang_down(shown: Any) -> None:
    boxes = shown.evaluate("""() => [...document.querySelectorAll("[data-step='signed'] svg.chart rect")].map((bar) => {
        const [own, all] = [bar.getBBox(), bar.ownerSVGElement.viewBox.baseVal];
        return [own.y, own.height, all.height];
    })""")
    assert len(boxes) == 3
    zero = min(top + height for top, height, _ in boxes)
    assert sorted(top >= zero - 1 for top, _, _ in boxes) == [False, False, True]
    assert all(top >= 0 and top + height <= whole for top, height, whole in boxes)


def test_a_node_is_chosen_by_keyboard(shown: Any) -> None:
    assert shown.get_by_text("Picked is nobody.").is_visible()
    shown.locator("svg.graph .node", has_text="web").focus()
    wait(shown, lambda: shown.keyboard.press("Enter"))
    assert shown.get_by_text("Picked is web.").is_visible()
    assert shown.locator("svg.graph .node[aria-pressed='true']").text_content().startswith("web")
    wait(shown, lambda: shown.keyboard.press("Space"))
    assert shown.get_by_text("Picked is nobody.").is_visible()


def test_a_tree_opens_and_closes_by_keyboard(shown: Any) -> None:
    rows = shown.locator("[data-step='tree'] tbody tr:visible")
    assert rows.count() == 2
    shown.locator("[data-step='tree'] .branch > button").first.focus()
    shown.keyboard.press("ArrowRight")
    assert shown.locator("[data-step='tree'] tr[aria-expanded='true']").count() == 1
    opened = rows.count()
    assert opened > 2
    shown.keyboard.press("ArrowDown")
    shown.keyboard.press("Enter")
    assert rows.count() == 5
    shown.keyboard.press("ArrowLeft")
    shown.keyboard.press("ArrowUp")
    shown.keyboard.press("ArrowLeft")
    assert rows.count() == 2
    shown.get_by_label("Search in the table").fill("script")
    assert rows.count() == 2
    assert shown.locator("[data-step='tree'] tbody tr:visible", has_text="<script>").count() == 1
    shown.locator("[data-step='tree']").get_by_role("button", name="N", exact=True).click()
    assert shown.locator("[data-step='tree'] th[aria-sort='ascending']").count() == 1


def test_a_range_of_a_chart_sets_a_parameter(shown: Any) -> None:
    rows = shown.locator("[data-step='brushed'] tbody tr")
    assert rows.count() == 3
    shown.locator("[data-step='over time'] summary", has_text="Time range").click()
    shown.get_by_label("Over time, from (UTC)").fill("2026-03-02T00:00")
    shown.get_by_label("Over time, to (UTC)").fill("2026-03-03T00:00")
    wait(shown, lambda: shown.get_by_role("button", name="Apply").click())
    assert rows.count() == 1
    wait(shown, lambda: shown.get_by_role("button", name="All of it").click())
    assert rows.count() == 3
    box = shown.locator("svg.brushed").bounding_box()

    def drag() -> None:
        shown.mouse.move(box["x"] + box["width"] * 0.45, box["y"] + 60)
        shown.mouse.down()
        shown.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + 60, steps=4)
        shown.mouse.up()

    wait(shown, drag)
    assert rows.count() < 3


def test_several_rows_are_chosen(shown: Any) -> None:
    wait(shown, lambda: shown.locator("[data-step='several'] tr.click", has_text="web").click())
    assert shown.locator("[data-step='named'] td").inner_text() == "1"
    wait(shown, lambda: shown.locator("[data-step='several'] tr.click", has_text="api").click())
    assert shown.locator("[data-step='named'] td").inner_text() == "3"
    wait(shown, lambda: shown.locator("[data-step='several'] tr.click", has_text="web").click())
    assert shown.locator("[data-step='several'] tr[aria-selected='true']").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(shown: Any, scheme: str) -> None:
    if scheme == "dark":
        shown.get_by_role("button", name="Dark").click()
    assert not shown.evaluate(CONTRAST)
    assert not shown.evaluate(_PALE)


def test_one_file_draws_all_of_it_too(page: Any, preview: Preview, tmp_path: Path) -> None:
    (tmp_path / "book.html").write_text(html(preview.view(every_tab=True)), encoding="utf-8")
    page.goto((tmp_path / "book.html").as_uri())
    assert page.locator("svg.graph .node").count() == 3
    assert page.locator("svg.hive .node").count() == 3
    assert not page.locator("[role='button'], .brush").count()
    page.locator("[data-step='tree'] .branch > button").first.click()
    assert page.locator("[data-step='tree'] tbody tr:visible").count() > 2
