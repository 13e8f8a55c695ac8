"""Every piece of content of the project: to Azure and back means the same, and its second time there is the first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.mapping.content import file_to_arm
from toolkit.content.items import Item
from toolkit.content.project import KINDS, Project
from toolkit.content.watchlists import read_watchlist
from toolkit.deploy.mapping import Settings, differences, from_arm, kept_keys, to_arm

ROOT = Path(__file__).parents[3]
PROJECT = Project.load(ROOT, ROOT)


@pytest.mark.parametrize("environment", [None, "dev", "prod"])
@pytest.mark.parametrize("item", [pytest.param(item, id=item.shown) for kind in KINDS for item in PROJECT.items(kind)])
def test_there_and_back(item: Item, environment: str | None) -> None:
    settings = Settings(PROJECT, environment)
    first = to_arm(item, settings, read_watchlist(item))
    file = from_arm(first, settings, kept_keys(item, first) if item.kind == "rule" else None)
    again = file_to_arm(file, settings)
    assert (again.name, again.body, again.children) == (first.name, first.body, first.children)
    assert differences(first.kind, again.body, first.body) == ()
    if item.kind == "rule":
        assert set(again.left_out) == set(first.left_out) >= {"version"}
