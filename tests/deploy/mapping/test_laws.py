"""The laws of the mapping, over everything that Azure can give back."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.deploy.mapping.content import SETTINGS, file_to_arm
from tests.deploy.mapping.strategies import JSON, LETTERS, RESOURCES
from toolkit.content.yaml import parse_yaml, plain
from toolkit.deploy.mapping import ArmResource, differences, from_arm, normal
from toolkit.deploy.mapping.yaml_text import yaml_text

KINDS = [pytest.param(strategy, id=name) for name, strategy in RESOURCES.items()]
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@pytest.mark.parametrize("strategy", KINDS)
@SLOW
@given(data=st.data())
def test_azure_to_file_to_azure(strategy: st.SearchStrategy[ArmResource], data: st.DataObject) -> None:
    remote = data.draw(strategy)
    again = file_to_arm(from_arm(remote, SETTINGS))
    assert again.name.lower() == remote.name.lower()
    assert differences(remote.kind, again.body, remote.body) == ()
    assert [normal(row.kind, row.body) for row in again.children] == [normal(row.kind, row.body) for row in remote.children]
    third = file_to_arm(from_arm(again, SETTINGS))
    assert (third.name, third.body, third.children) == (again.name, again.body, again.children)


@pytest.mark.parametrize("strategy", KINDS)
@SLOW
@given(data=st.data())
def test_the_normal_form_is_its_own(strategy: st.SearchStrategy[ArmResource], data: st.DataObject) -> None:
    """Order of sets, nulls, and a second round change nothing."""
    remote = data.draw(strategy)
    body = copy.deepcopy(dict(remote.body))
    for values in _mappings(body):
        if remote.kind != "workbook":
            values.setdefault("nothing", None)
    mixed = random.Random(data.draw(st.integers(0, 99)))
    for path in ("tactics", "techniques", "subTechniques", "entityMappings", "labels", "tags"):
        if isinstance(body["properties"].get(path), list) and (remote.kind != "savedSearch" or _one_description(body)):
            mixed.shuffle(body["properties"][path])
    assert differences(remote.kind, body, remote.body) == ()


def _one_description(body: Any) -> bool:
    return len({tag["name"].lower() for tag in body["properties"]["tags"]}) == len(body["properties"]["tags"])


@pytest.mark.parametrize("strategy", KINDS)
@SLOW
@given(data=st.data())
def test_no_change_is_overlooked(strategy: st.SearchStrategy[ArmResource], data: st.DataObject) -> None:
    """Any leaf of the normal form that is another value is a difference, at that leaf's path or above it."""
    remote = data.draw(strategy)
    changed = normal(remote.kind, remote.body)
    leaves = list(_leaves(changed, "properties"))
    assume(leaves)
    holder, key, path = data.draw(st.sampled_from(leaves))
    holder[key] = "ZZ" if holder[key] != "ZZ" else "YY"
    found = differences(remote.kind, _as_body(remote, changed), remote.body)
    assert found, path
    assert all(difference.render() for difference in found)


def _as_body(remote: ArmResource, changed: dict[str, Any]) -> dict[str, Any]:
    """A normal form is a body as well, but for what is a map in it and a list outside."""
    body = copy.deepcopy(changed)
    tags = body["properties"].get("tags")
    if remote.kind == "savedSearch" and isinstance(tags, dict):
        rows = [
            {"name": name, "value": ",".join(value) if isinstance(value, list) else value}
            for name, value in tags.items()
            if name != "others"
        ]
        body["properties"]["tags"] = [*rows, *tags.get("others", [])]
    return body


def _leaves(value: Any, path: str) -> Iterator[tuple[Any, Any, str]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in entries:
        if isinstance(entry, dict | list):
            yield from _leaves(entry, f"{path}.{key}")
        else:
            yield value, key, f"{path}.{key}"


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for entry in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _mappings(entry)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.text(LETTERS, min_size=1, max_size=8), JSON, min_size=1, max_size=4))
def test_yaml_text_reads_back(values: dict[str, Any]) -> None:
    document, findings = parse_yaml(yaml_text(values), "values.yaml")
    assert not findings.found
    assert plain(document.root) == values
