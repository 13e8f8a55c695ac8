"""Content for the tests of the mapping: text of files as items, and the project that they are rendered in."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from toolkit.content.items import Item, Kind, read_item
from toolkit.content.models.project import Environment, ProjectFile, WorkspaceTarget
from toolkit.content.project import Project
from toolkit.content.watchlists import read_watchlist
from toolkit.content.yaml import parse_yaml
from toolkit.deploy.mapping import ArmResource, ContentFile, Settings, WorkbookSource, to_arm
from toolkit.kql.source import Source

HERE = Path(__file__).parent


def project() -> Project:
    """A project with the environment `prod`, in no folder."""
    workspace = WorkspaceTarget.model_construct(
        subscription="00000000-0000-0000-0000-0000000000AA", resource_group="RG-Sentinel", name="Log-Sentinel", location="westeurope"
    )
    environment = Environment.model_construct(description="", workspace=workspace, parameters={}, rules={})
    config = ProjectFile.model_validate({})
    return Project(Path(), Path(), config.model_copy(update={"environments": {"prod": environment}}))


SETTINGS = Settings(project(), "prod")


def item_of(text: str, kind: str = "rule", name: str = "content.yaml") -> Item:
    document, findings = parse_yaml(text, name)
    return read_item(Path(name), cast("Kind", kind), document, findings)


def file_to_arm(file: ContentFile, settings: Settings = SETTINGS) -> ArmResource:
    """What a file that `from_arm` wrote is in Azure."""
    if file.kind == "workbook":
        ((name, text),) = file.beside.items()
        document, _ = parse_yaml(file.text, "workbook.yaml")
        return to_arm(WorkbookSource(name.removesuffix(".json"), Source(text, name), document), settings)
    kinds = {"alertRule": "rule", "logAlert": "rule", "watchlist": "watchlist"}
    kind = kinds.get(file.kind) or ("function" if "functionAlias" in file.document else "hunting")
    item = item_of(file.text, kind)
    if kind == "watchlist":
        (text,) = file.beside.values()
        raw = item.model.model_copy(update={"raw_content": text})  # type: ignore[union-attr]
        item.model = raw
        return to_arm(item, settings, read_watchlist(item))
    return to_arm(item, settings)
