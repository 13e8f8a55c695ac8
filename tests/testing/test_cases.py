"""Tests files: what is refused and where; and the logs of a case as rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.content.sections import Section, check, parameters
from toolkit.catalog import Catalog
from toolkit.engine.ingest import IngestError
from toolkit.testing.cases import LogItem, load_cases
from toolkit.testing.logs import inline_row, patched_records
from toolkit.testing.patch import PatchError


@pytest.mark.parametrize("section", parameters("cases.txt", Path(__file__).parent))
def test_findings(section: Section, tmp_path: Path) -> None:
    path = tmp_path / "x.tests.yaml"
    path.write_text(section.text, encoding="utf-8")
    check(load_cases(path, "x.tests.yaml").findings, section.expected)


def test_the_logs_of_a_case_begin_with_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.tests.yaml"
    path.write_text(
        "logs: {T: [day.jsonl]}\ncases:\n- {name: a, logs: {T: [a.jsonl], U: b.csv}, expect: none}\n"
        "- {name: b, inherit: false, logs: {T: [{A: 1}]}, expect: none}\n- {name: c, expect: {rows: 1}}\n",
        encoding="utf-8",
    )
    first, second, third = load_cases(path, "x").cases
    assert [(item.table, item.file) for item in first.logs] == [("T", "day.jsonl"), ("T", "a.jsonl"), ("U", "b.csv")]
    assert [(item.table, item.file) for item in second.logs] == [("T", None)]
    assert [(item.table, item.file) for item in third.logs] == [("T", "day.jsonl")]
    assert [case.model.expect.positive for case in (first, second, third)] == [False, False, True]


def _item(tmp_path: Path, text: str) -> LogItem:
    path = tmp_path / "x.tests.yaml"
    path.write_text(f"cases:\n- name: a\n  logs: {{AzureDiagnostics: [{text}]}}\n  expect: none\n", encoding="utf-8")
    cases = load_cases(path, "x")
    assert not cases.findings
    return cases.cases[0].logs[0]


_COLUMNS = {"TimeGenerated": "datetime", "Category": "string", "log_s": "string", "Tags": "dynamic", "N": "long"}
_SCHEMA = Catalog.of({"AzureDiagnostics": _COLUMNS}).table("AzureDiagnostics")
_NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("{TimeGenerated: 2026-03-02T09:14:07Z, Category: 1.0}", {"TimeGenerated": "2026-03-02T09:14:07Z", "Category": "1.0"}),
        ("{Category: yes, N: 5}", {"Category": "yes", "N": 5, "TimeGenerated": "2026-03-02T10:00:00+00:00"}),
        ("{TimeGenerated: null, Category: null}", {"TimeGenerated": None, "Category": None}),
        ("{TimeGenerated: x, log_s: {verb: create, n: [1, null]}}", {"TimeGenerated": "x", "log_s": '{"verb":"create","n":[1,null]}'}),
        ("{TimeGenerated: x, Tags: {a: [1, b]}}", {"TimeGenerated": "x", "Tags": {"a": [1, "b"]}}),
    ],
)
def test_inline_rows_by_column_type(tmp_path: Path, text: str, row: dict[str, Any]) -> None:
    assert inline_row(_item(tmp_path, text), _SCHEMA, _NOW) == row


def test_an_inline_row_has_only_columns_of_its_table(tmp_path: Path) -> None:
    with pytest.raises(PatchError, match="has no column 'Categry'") as refused:
        inline_row(_item(tmp_path, "{Categry: x}"), _SCHEMA, _NOW)
    assert refused.value.hints == ("Did you mean 'Category'?",)


_RECORDS = [{"Category": "a", "log_s": json.dumps({"verb": verb}), "N": number} for number, verb in enumerate(["create", "list", "create"])]


@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv"])
def test_a_patched_copy_takes_and_changes_records(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "x.csv":
        lines = ["Category,log_s,N", *(f'a,"{{""verb"":""{verb}""}}",{number}' for number, verb in enumerate(["create", "list", "create"]))]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        separator = "\n" if name == "x.jsonl" else ",\n"
        text = separator.join(map(json.dumps, _RECORDS))
        path.write_text(text if name == "x.jsonl" else f"[{text}]", encoding="utf-8")
    item = _item(tmp_path, f"{{file: {name}, where: {{log_s.verb: create}}, set: {{log_s.verb: patch, Category: 1.0}}}}")
    records = patched_records(item, path, _SCHEMA)
    assert [(record["Category"], json.loads(record["log_s"]), str(record["N"])) for record in records] == [
        ("1.0", {"verb": "patch"}, "0"),
        ("1.0", {"verb": "patch"}, "2"),
    ]


@pytest.mark.parametrize(
    ("text", "patch", "error", "words"),
    [
        ('{"Category": "a"}\n', "where: {Category: b}", PatchError, "No record of x.jsonl has the values of `where`"),
        ('{"Category": "a"}\n', "set: {Categry: b}", PatchError, "no column 'Categry'"),
        ('{"Category": "a"}\n{"Category": \n', "set: {Category: b}", IngestError, "x.jsonl:2"),
        ("", "set: {Category: b}", IngestError, "found an empty file"),
    ],
)
def test_what_cannot_be_patched(tmp_path: Path, text: str, patch: str, error: type[Exception], words: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=words):
        patched_records(_item(tmp_path, f"{{file: x.jsonl, {patch}}}"), path, _SCHEMA)
