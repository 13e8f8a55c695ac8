"""Pulling a workspace: the new files, read again as the project reads them, are the same resources."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.deploy.mapping.strategies import GUID, RESOURCES
from toolkit.content.project import KINDS, Project
from toolkit.content.watchlists import read_watchlist
from toolkit.content.yaml import load_yaml
from toolkit.deploy.adopt import Pull, WriteError, pulled, write_new
from toolkit.deploy.adopt.pull import PullOptions
from toolkit.deploy.mapping import ArmResource, Settings, WorkbookSource, differences, normal, to_arm
from toolkit.kql.source import Source

PROJECT = """name: detections
{more}
environments:
  prod:
    workspace: {{subscription: 00000000-0000-0000-0000-0000000000AA, resourceGroup: RG-Sentinel, name: Log-Sentinel, location: westeurope}}
"""
_ZERO = "00000000-0000-0000-0000-00000000000"


def project_in(folder: Path, more: str = "", **files: str) -> tuple[Project, Settings]:
    (folder / "toolkit.yaml").write_text(PROJECT.format(more=more), encoding="utf-8")
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    project = Project.load(folder, folder)
    return project, Settings(project, "prod")


def content_of(project: Project, here: Settings) -> Iterator[ArmResource]:
    """Everything that the project's files are, read from disk."""
    for kind in KINDS:
        for item in project.items(kind):
            yield to_arm(item, here, read_watchlist(item) if kind == "watchlist" else None)
    for pattern in project.config.content.workbooks:
        for path in project.root.glob(pattern):
            about, _ = load_yaml(path.with_suffix(".yaml"))
            yield to_arm(WorkbookSource(path.stem, Source(path.read_text(encoding="utf-8"), path.name), about), here)


def hunting(number: int, title: str = "Rare sign-ins", **more: Any) -> ArmResource:
    properties = {"category": "Hunting Queries", "displayName": title, "query": "SigninLogs", "version": 2, **more}
    return ArmResource("savedSearch", f"{_ZERO}{number}", {"properties": properties})


def workbook(number: int, title: str, content: str = "{}") -> ArmResource:
    properties = {"displayName": title, "serializedData": content, "sourceId": "azure monitor"}
    return ArmResource("workbook", f"{_ZERO}{number}", {"location": "westeurope", "properties": properties})


def watchlist(alias: str) -> ArmResource:
    properties = {"displayName": alias, "provider": "Custom", "watchlistAlias": alias, "itemsSearchKey": "k"}
    return ArmResource("watchlist", alias, {"properties": properties})


def names(found: Pull, folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in found.files]


ANY = st.one_of(*RESOURCES.values())


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.lists(ANY, max_size=6, unique_by=lambda one: one.name.lower()), st.randoms(use_true_random=False))
def test_what_is_pulled_is_what_was_there(remote: list[ArmResource], order: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project, here = project_in(folder)
        found = pulled(remote, project, here, folder / "detections")
        mixed = order.sample(remote, len(remote))
        assert pulled(mixed, project, here, folder / "detections").files == found.files
        assert len({path.as_posix().lower() for path in found.files}) == len(found.files)
        write_new(found.files)
        again = {(one.kind, one.name.lower()): one for one in content_of(Project.load(folder, folder), here)}
        assert not found.known
        assert not found.skipped
        assert set(again) == {(one.kind, one.name.lower()) for one in remote}
        for old in remote:
            new = again[old.kind, old.name.lower()]
            assert differences(old.kind, new.body, old.body) == ()
            assert [normal(row.kind, row.body) for row in new.children] == [normal(row.kind, row.body) for row in old.children]
        once_more = pulled(remote, Project.load(folder, folder), here, folder / "detections")
        assert (once_more.files, len(once_more.known)) == ({}, len(remote))


def test_the_names_of_the_files(tmp_path: Path) -> None:
    project, here = project_in(
        tmp_path, "rules: {rare-sign-ins: {a: 1}}", **{"detections/aks/hunting/uber.yaml": "id: x\nname: y\nquery: T\n"}
    )
    remote = [
        hunting(1),
        hunting(2, "RARE: sign-ins!"),
        hunting(3, "Über"),
        hunting(4, "日本"),
        hunting(5, "con"),
        hunting(6, "a" * 200),
        hunting(7, "Any", functionAlias="MyFunction"),
        hunting(8, "Any", functionAlias="Größe"),
        ArmResource(
            "watchlist",
            "Hosts",
            {"properties": {"displayName": "H", "provider": "Custom", "watchlistAlias": "Hosts", "itemsSearchKey": "k"}},
        ),
        workbook(9, "All of it"),
    ]
    found = pulled(remote, project, here, tmp_path / "detections")
    assert names(found, tmp_path) == [
        "detections/imported/hunting/rare-sign-ins-00000000.yaml",
        f"detections/imported/hunting/rare-sign-ins-{_ZERO}2.yaml",
        "detections/imported/hunting/uber-00000000.yaml",
        f"detections/imported/hunting/{_ZERO}4.yaml",
        "detections/imported/hunting/con-00000000.yaml",
        f"detections/imported/hunting/{'a' * 80}.yaml",
        "detections/imported/functions/MyFunction.yaml",
        "detections/imported/functions/any.yaml",
        "detections/imported/watchlists/Hosts.yaml",
        "detections/imported/watchlists/Hosts.csv",
        "workbooks/all-of-it.json",
        "workbooks/all-of-it.yaml",
    ]


def test_what_is_there_is_found_by_id_and_alias(tmp_path: Path) -> None:
    text = f"id: {_ZERO}1\nname: Broken\nquery: T\nseverity: none\nunknown: 1\n"
    files = {
        "detections/a/rules/broken.yaml": text,
        "detections/a/functions/F.yaml": "functionAlias: F\nquery: T\n",
        "detections/a/watchlists/w.csv": "k\n1\n",
        "workbooks/overview.json": "{}",
    }
    project, here = project_in(tmp_path, **files)
    rule = ArmResource("alertRule", f"{_ZERO}1", {"kind": "NRT", "properties": {"displayName": "a", "severity": "Low", "query": "T"}})
    function = hunting(2, functionAlias="F")
    found = pulled([rule, function, watchlist("W"), hunting(3)], project, here, tmp_path / "detections")
    assert found.known == (rule, function, watchlist("W"))
    assert [one.resource.name for one in found.content] == [f"{_ZERO}3"]


def test_patterns_of_another_layout(tmp_path: Path) -> None:
    project, here = project_in(tmp_path, "content: {hunting: ['content/*/queries/*.yml', 'content/*/queries/*.yaml']}")
    assert names(pulled([hunting(1)], project, here, tmp_path / "detections"), tmp_path) == ["content/imported/queries/rare-sign-ins.yaml"]
    outside = tmp_path / "elsewhere"
    (tmp_path / "inside").mkdir()
    inner, there = project_in(tmp_path / "inside")
    assert names(pulled([hunting(1)], inner, there, outside), outside) == ["imported/hunting/rare-sign-ins.yaml"]


def test_what_no_file_says_is_listed(tmp_path: Path) -> None:
    project, here = project_in(tmp_path)
    fusion = ArmResource("alertRule", "BuiltInFusion", {"kind": "Fusion", "properties": {"enabled": True}})
    odd = hunting(1, "A", category="Log Management", tags=[{"name": "Group", "value": "x"}])
    no_prefix = hunting(2, "B")
    surrogate = workbook(3, "C", r'{"a": "\ud800"}')
    found = pulled([fusion, odd, no_prefix, surrogate], project, here, tmp_path / "detections")
    assert [(one.resource.name, one.reason) for one in found.skipped] == [
        ("BuiltInFusion", "rules of this kind have no query of their own and are not kept in files"),
        (surrogate.name, "properties: it holds half a character (a lone surrogate), which UTF-8 has no form for"),
    ]
    assert len(found.content) == 2
    prefixed = pulled([no_prefix, hunting(4, "DEV D")], project, here, tmp_path / "detections", PullOptions(prefix="DEV "))
    assert "does not begin with it" in prefixed.skipped[0].reason
    (text,) = prefixed.files.values()
    assert "name: D\n" in text


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "deep" / "new.yaml"
    old.write_text("mine", encoding="utf-8")
    with pytest.raises(WriteError, match="is not overwritten"):
        write_new({new: "a", old: "b"})
    assert (old.read_text(encoding="utf-8"), new.exists()) == ("mine", False)
    write_new({new: "a\r\n"})
    assert new.read_bytes() == b"a\r\n"
    with pytest.raises(WriteError, match="cannot be written"):
        write_new({old / "below.yaml": "a"})


@pytest.mark.parametrize("strategy", RESOURCES.values(), ids=RESOURCES)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_a_prefix_comes_off(strategy: st.SearchStrategy[ArmResource], data: st.DataObject) -> None:
    one = data.draw(strategy)
    project = Project.load(Path(__file__).parents[3], Path(__file__).parents[3])
    shown = {**one.body["properties"], "displayName": f"DEV {one.body['properties']['displayName']}"}
    remote = replace(one, name=data.draw(GUID) if one.kind != "watchlist" else one.name, body={**one.body, "properties": shown})
    found = pulled([remote], project, Settings(project, "prod"), project.root / "detections", PullOptions("DEV ", known=()))
    assert found.content[0].resource.body["properties"]["displayName"] == one.body["properties"]["displayName"]
