"""Workbook files: JSON with positions, texts in files of their own, the YAML beside it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workbooks.making import check, query, read, underlined, workspace, write
from toolkit.content.findings import ContentError
from toolkit.content.json.reader import parse_json
from toolkit.content.yaml.nodes import Scalar, plain
from toolkit.workbooks.validate import check_workbook

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(_JSON, st.sampled_from([None, 1]), st.booleans())
def test_what_is_read_is_what_was_written(value: Any, indent: int | None, ascii_only: bool) -> None:
    document, findings = parse_json(json.dumps(value, indent=indent, ensure_ascii=ascii_only), "x.json")
    assert not findings.found
    assert plain(document.root) == value


@given(_TEXT, st.booleans())
def test_every_character_of_a_string_is_found_again(value: str, ascii_only: bool) -> None:
    text = json.dumps([value], ensure_ascii=ascii_only)
    document, _ = parse_json(text, "x.json")
    node = document.node((0,))
    assert isinstance(node, Scalar)
    places = [document.text_offset(node, at) for at in range(len(value) + 1)]
    assert "".join(json.loads(f'"{text[a:b]}"') for a, b in itertools.pairwise(places)) == value
    assert text[places[-1]] == '"'


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    document, findings = parse_json(text, "x.json")
    try:
        value = json.loads(text, parse_constant=pytest.fail)
    except (ValueError, RecursionError, pytest.fail.Exception):
        value = None
    if findings.found:
        assert all(finding.position.line >= 1 for finding in findings.found)
    else:
        assert plain(document.root) == value


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ('{"a": 1, "a": 2}', "stands here a second time", '"a"'),
        ('{"a": 1,}', "comma stands before the closing bracket", ","),
        ('{"a" 1}', "Expected a colon", "1"),
        ("{'a': 1}", "Expected a key in double quotes", "'"),
        ('["a" "b"]', "Expected a comma or ]", '"'),
        ('["a\nb"]', "line break or tab", "\n"),
        ('["\\x"]', "is not one of JSON", "\\"),
        ("[NaN]", "Expected a JSON value, found 'NaN'", "N"),
        ("[1e999]", "too large", "1"),
        ("[01]", "Expected a JSON value", "0"),
        ('["a"', "found the end of the file", ""),
        ("[1] 2", "nothing after the end", "2"),
        ('["\\ud83d"]', "half of a surrogate pair", '"'),
        ("", "The file is empty", ""),
        ("[" * 5000, "nests deeper", "["),
    ],
)
def test_broken_json(text: str, message: str, place: str) -> None:
    _, findings = parse_json(text, "x.json")
    assert len(findings.found) == 1
    assert message in findings.found[0].diagnostic.message
    assert underlined(findings.found[0]) == place


def test_a_query_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "calls.kql").write_text("Logs\n| where Caler == 'x'\n", encoding="utf-8")
    path = write(tmp_path, [query({"$file": "book/calls.kql"})])  # type: ignore[arg-type]
    files, findings = read(path)
    findings += check_workbook(files, workspace().analyze)
    assert [(finding.code, finding.source.name, finding.position, underlined(finding)) for finding in findings] == [
        ("unknown-name", "book/calls.kql", (2, 9), "Caler")
    ]
    assert files.content()["items"][0]["content"]["query"] == "Logs\n| where Caler == 'x'"
    assert json.loads(files.source().json.text) == files.content()


def test_a_workbook_of_one_file_is_deployed_as_it_stands(tmp_path: Path) -> None:
    path = write(tmp_path, [query("Logs")])
    assert read(path)[0].source().json.text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ({"$file": "gone.kql"}, "no-such-file"),
        ({"$file": "../outside.kql"}, "no-such-file"),
        ({"$file": "/etc/hostname"}, "no-such-file"),
        ({"$file": "link.kql"}, "no-such-file"),
        ({"$file": "binary.kql"}, "binary-file"),
        ({"$file": 7}, "bad-value"),
        ({"$file": "book.kql", "other": 1}, "bad-value"),
    ],
)
def test_references_that_lead_nowhere(tmp_path: Path, reference: dict[str, Any], code: str) -> None:
    folder = tmp_path / "workbooks"
    folder.mkdir()
    (tmp_path / "outside.kql").write_text("Logs", encoding="utf-8")
    (folder / "link.kql").symlink_to(tmp_path / "outside.kql")
    (folder / "binary.kql").write_bytes(b"\0\1")
    assert code in [finding.code for finding in check(folder, [query(reference)])]  # type: ignore[arg-type]


def test_the_name_that_people_see(tmp_path: Path) -> None:
    path = write(tmp_path, [query("Logs")])
    assert read(path)[0].title == "book"
    (tmp_path / "book.yaml").write_text("displayName: Calls and callers\n", encoding="utf-8")
    assert read(path)[0].title == "Calls and callers"


@pytest.mark.parametrize("text", ["[]", '{"a": 1}', "7", '{"version": 3, "rules": []}'])
def test_json_that_is_no_workbook(tmp_path: Path, text: str) -> None:
    path = tmp_path / "book.json"
    path.write_text(text, encoding="utf-8")
    files, findings = read(path)
    assert [finding.code for finding in findings] == ["not-a-workbook"]
    assert check_workbook(files, workspace().analyze) is not None


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "book.json").write_bytes(b"\xff\xfe\0")
    with pytest.raises(ContentError, match="UTF-16"):
        read(tmp_path / "book.json")
