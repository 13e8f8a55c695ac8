"""Files as people write them: the diff that adopting a change gives, exactly, or why the file cannot take it."""

from __future__ import annotations

import copy
import difflib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.adopt.files import Files
from toolkit.deploy.adopt import AdoptOptions, WriteError, adopted, write_changed
from toolkit.deploy.adopt.json_edit import edited_json
from toolkit.deploy.mapping import differences

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "data" / "adoption.yaml").read_text(encoding="utf-8"))


def patched(body: Any, changes: dict[str, Any]) -> Any:
    """A body with values at dotted paths replaced, or taken out where the value is null."""
    result = copy.deepcopy(dict(body))
    for path, value in changes.items():
        here: Any = result
        *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in parents:
            here = here.setdefault(step, {}) if isinstance(step, str) else here[step]
        if value is None:
            here.pop(last, None)
        else:
            here[last] = value
    return result


def diff(old: str, new: str) -> list[str]:
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm=""))[2:]
    return [f"{line[0]} {line[1:]}".rstrip() for line in lines if not line.startswith("@@")]


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["title"])
def test_the_diff(case: dict[str, Any], newline: str) -> None:
    files = Files(case["kind"], CASES["files"][case["file"]].replace("\n", newline))
    desired = files.resource
    remote = replace(desired, body=patched(desired.body, case.get("remote", {})))
    options = AdoptOptions(case.get("prefix", ""), tuple(case.get("kept", ())))
    found = adopted(files.text, files.item, remote, files.settings, options)
    expected = [line.rstrip() for line in case.get("diff", "").splitlines()]
    assert diff(files.text.replace("\r\n", "\n"), found.text.replace("\r\n", "\n")) == expected
    assert found.text.count("\n") == found.text.count(newline)
    assert [(one.code, one.source.text[one.diagnostic.start :].split()[0]) for one in found.refused] == [
        tuple(one) for one in case.get("refused", [])
    ]
    if not case.get("refused") and not options.prefix and not options.kept:
        assert differences(remote.kind, files.with_changes(found).resource.body, remote.body) == ()


WATCHLIST = "alias: Hosts\ndisplayName: Hosts  # ours\nitemsSearchKey: Name\n"


@pytest.mark.parametrize("case", CASES["rows"], ids=lambda case: case["title"])
def test_rows(case: dict[str, Any]) -> None:
    files = Files("watchlist", WATCHLIST, case["old"])
    children = tuple(
        replace(files.resource.children[0], name=str(number), body={"properties": {"itemsKeyValue": row}})
        for number, row in enumerate(case["rows"])
    )
    found = adopted(files.text, files.item, replace(files.resource, children=children), files.settings, files.options)
    assert (found.text, found.beside.get("content.csv", case["old"])) == (WATCHLIST, case["new"])


@pytest.mark.parametrize("case", CASES["json"], ids=lambda case: case["title"])
def test_json(case: dict[str, Any]) -> None:
    assert edited_json(case["old"], case["value"]) == case["new"]
    assert edited_json(case["old"], json.loads(case["old"])) == case["old"]


def test_a_workbook_without_yaml_gets_one_where_it_needs_it() -> None:
    files = Files("workbook", "", '{"items": []}\n')
    body = patched(files.resource.body, {"properties.displayName": "New", "properties.serializedData": '{"items":[1]}'})
    found = adopted("", files.item, replace(files.resource, body=body), files.settings)
    assert found.text == '{"items": [1]}\n'
    assert dict(found.beside) == {"content.yaml": f"id: {files.resource.name}\ndisplayName: New\n"}


def test_a_changed_file_is_written_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_bytes("\ufeffa: 1\r\n".encode())
    write_changed(path, "a: 1\r\n", "a: 2\r\n")
    assert path.read_bytes() == "\ufeffa: 2\r\n".encode()
    with pytest.raises(WriteError, match="was changed"):
        write_changed(path, "a: 1\r\n", "a: 3\r\n")
    with pytest.raises(WriteError, match="cannot be written"):
        write_changed(tmp_path / "none.yaml", "", "")
    assert [one.name for one in tmp_path.iterdir()] == ["rule.yaml"]
