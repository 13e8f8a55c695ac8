"""No JSON crashes the reader or the checks; published workbooks, where there are some, are read."""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workbooks.making import TABLES, workspace
from toolkit import Workspace
from toolkit.content.json.reader import parse_json
from toolkit.content.workbooks import WorkbookDocument, read_workbook
from toolkit.workbooks.preview.page import page
from toolkit.workbooks.preview.session import Preview
from toolkit.workbooks.validate import check_workbook

PUBLIC = "TOOLKIT_PUBLIC_WORKBOOKS"
"""A folder with published workbooks, for example Workbooks/ of Azure-Sentinel. They are not part of this repository."""

_KEYS = st.sampled_from(
    "type content name items parameters links query queryType json value label cellValue subTarget linkTarget style columnMatch "
    "gridSettings formatters tileSettings chartSettings yAxis conditionalVisibility conditionalVisibilities parameterName comparison "
    "jsonData typeSettings durationMs exportFieldName exportParameterName exportedParameters sortBy itemKey customWidth $file "
    "graphSettings nodeIdField sourceIdField targetIdField groupByField colorSettings nodeColorField mapSettings locInfo latitude "
    "longitude hierarchySettings treeType groupBy idColumn parentColumn timeBrushParameterName exportMultipleValues visualization "
    "formatter formatOptions thresholdsGrid compositeBarSettings columnSettings columnName criteriaData criteriaContext operator".split()
)
_SOURCES = (
    '{"merges": [{"mergeType": "union", "leftTable": "a", "rightTable": "x"}], "projectRename": [{"isNewItem": true}]}',
    '{"content": "[{\\"a\\": 1}]", "transformers": [{"type": "jsonpath", "settings": {"tablePath": "$[*]"}}]}',
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, 2, 3, 4, 9, 10, 11, 12, -1, 1.5])
    | st.sampled_from(["Caller", "Level", "graph", "map", "table", "LatLong", "timechart", "x", *_SOURCES])
    | st.sampled_from(["", "P", "{P}", "Logs", "Logs | where Caller == '{P}'", "tabs", "parameter", "piechart", "value::all", "[1]", "("])
)
_ANY = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=6), max_leaves=30)
_ITEMS = st.lists(
    st.fixed_dictionaries({"type": st.sampled_from([1, 3, 9, 10, 11, 12]), "content": st.dictionaries(_KEYS, _ANY, max_size=8)})
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_ITEMS, st.dictionaries(_KEYS, _ANY, max_size=3))
def test_any_json_is_judged(items: list[Any], root: dict[str, Any]) -> None:
    document, findings = parse_json(json.dumps({"version": "Notebook/1.0", "items": items, **root}, indent=1), "book.json")
    assert not findings.found
    for finding in check_workbook(WorkbookDocument(Path("book.json"), document), workspace().analyze):
        assert finding.render()


_PATHS = st.dictionaries(_KEYS, _ANY, max_size=8)
_STEPS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.just(3),
            "name": st.sampled_from(["a", "x"]),
            "content": st.builds(
                lambda query, more: {**more, **query},
                st.sampled_from([{"query": "Logs"}, {"query": _SOURCES[0], "queryType": 7}, {"query": _SOURCES[1], "queryType": 8}]),
                _PATHS,
            ),
        }
    ),
    max_size=4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_STEPS, _ITEMS, st.dictionaries(st.sampled_from(["P", "x"]), _ANY))
def test_any_json_is_drawn(steps: list[Any], items: list[Any], chosen: dict[str, Any]) -> None:
    text = json.dumps({"version": "Notebook/1.0", "items": [*steps, *items]}, indent=1)
    files = WorkbookDocument(Path("book.json"), parse_json(text, "book.json")[0])
    preview = Preview(files, _rows(), datetime(2026, 3, 3, tzinfo=UTC))
    for every_tab in (False, True):
        assert page(preview.view(chosen, every_tab=every_tab)).endswith("</html>\n")


@cache
def _rows() -> Workspace:
    found = Workspace(TABLES)
    found.ingest("Logs", [{"TimeGenerated": "2026-03-02T10:00:00Z", "Caller": name, "Level": level} for level, name in enumerate("abca")])
    return found


@pytest.mark.skipif(PUBLIC not in os.environ, reason=f"published workbooks are not part of the repository; {PUBLIC} names a folder of them")
def test_published_workbooks_are_read() -> None:
    files = sorted(path for path in Path(os.environ[PUBLIC]).rglob("*") if path.suffix in (".json", ".workbook") and path.is_file())
    seen: Counter[str] = Counter()
    for path in files:
        workbook, findings = read_workbook(path)
        seen["read" if workbook.document.root is not None else "refused"] += 1
        for finding in [*findings, *check_workbook(workbook, workspace().analyze)]:
            assert finding.render()
            seen[finding.code] += 1
    assert seen["read"] >= 0.95 * len(files) > 0, seen
