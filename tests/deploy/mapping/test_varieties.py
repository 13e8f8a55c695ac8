"""Files in every variety that is in use: their body exactly, or the error at its place; and back again without loss."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.content.sections import check
from tests.content.sections import parameters as error_parameters
from tests.deploy.mapping.content import SETTINGS, file_to_arm, item_of
from toolkit.deploy.mapping import MappingError, differences, from_arm, to_arm

DATA = Path(__file__).parent
_FILE = DATA / "data" / "varieties.txt"


def _bodies() -> list[Any]:
    found = []
    for block in re.split(r"^=== ", _FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, _, rest = block.partition("\n")
        text, mark, expected = rest.partition("+++ {")
        if mark:
            found.append(pytest.param(head.split(":")[0], text, json.loads("{" + expected), id=head))
    return found


@pytest.mark.parametrize(("kind", "text", "expected"), _bodies())
def test_the_body(kind: str, text: str, expected: dict[str, Any]) -> None:
    resource = to_arm(item_of(text, kind), SETTINGS)
    found = {"name": resource.name, "body": resource.body, "left_out": list(resource.left_out), "by_policy": list(resource.by_policy)}
    if resource.children:
        found["children"] = [child.body["properties"]["itemsKeyValue"] for child in resource.children]
        found["creation"] = resource.only_at_creation
        assert len({child.name for child in resource.children}) == len(resource.children)
    if expected["name"] == "STABLE":
        assert resource.name == to_arm(item_of(f"# moved\n{text}", kind, "other.yaml"), SETTINGS).name
        expected = {**expected, "name": resource.name}
    assert found == expected


@pytest.mark.parametrize(("kind", "text", "expected"), _bodies())
def test_there_and_back(kind: str, text: str, expected: dict[str, Any]) -> None:
    resource = to_arm(item_of(text, kind), SETTINGS)
    again = file_to_arm(from_arm(resource, SETTINGS))
    assert (again.name, again.body, again.children) == (resource.name, resource.body, resource.children)
    assert differences(resource.kind, again.body, resource.body) == ()


@pytest.mark.parametrize("section", [case for case in error_parameters("varieties.txt", DATA) if case.values[0].expected])  # type: ignore[attr-defined]
def test_the_error(section: Any) -> None:
    item = item_of(section.text, section.title.split(":")[0])
    with pytest.raises(MappingError) as error:
        to_arm(item, SETTINGS)
    check(error.value.findings, section.expected)
