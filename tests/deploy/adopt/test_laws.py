"""The laws of adoption, over everything that Azure can give back: the file says what the workspace has, and nothing else was touched."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.deploy.adopt.files import files_of
from tests.deploy.mapping.content import SETTINGS
from tests.deploy.mapping.strategies import RESOURCES
from toolkit.deploy.adopt import adopted
from toolkit.deploy.mapping import ArmResource, differences, normal

KINDS = [pytest.param(strategy, id=name) for name, strategy in RESOURCES.items()]
SLOW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@pytest.mark.parametrize("strategy", KINDS)
@SLOW
@given(data=st.data())
def test_the_file_becomes_what_the_workspace_has(strategy: st.SearchStrategy[ArmResource], data: st.DataObject) -> None:
    old, new = data.draw(strategy), data.draw(strategy)
    assume(_is_function(old) == _is_function(new))
    remote = _as(old, new)
    files = files_of(old)
    found = adopted(files.text, files.item, remote, SETTINGS, files.options)
    assert [finding.render() for finding in found.refused] == []
    again = files.with_changes(found).resource
    assert again.name.lower() == remote.name.lower()
    assert differences(remote.kind, again.body, remote.body) == ()
    assert rows(again) == rows(remote)


@pytest.mark.parametrize("strategy", KINDS)
@SLOW
@given(data=st.data())
def test_nothing_changes_where_nothing_differs(strategy: st.SearchStrategy[ArmResource], data: st.DataObject) -> None:
    files = files_of(data.draw(strategy))
    found = adopted(files.text, files.item, files.resource, SETTINGS, files.options)
    assert (found.text, dict(found.beside), found.changed, found.refused) == (files.text, {}, (), ())


def rows(resource: ArmResource) -> list[str]:
    return sorted(
        repr(sorted(normal("watchlistItem", row.body).get("properties", {}).get("itemsKeyValue", {}).items())) for row in resource.children
    )


def _as(old: ArmResource, new: ArmResource) -> ArmResource:
    """The new resource under the old one's name, and alias where that is its name."""
    if new.kind != "watchlist":
        return replace(new, name=old.name)
    return replace(new, name=old.name, body={"properties": {**new.body["properties"], "watchlistAlias": old.name}})


def _is_function(resource: ArmResource) -> bool:
    return bool(resource.body["properties"].get("functionAlias"))
