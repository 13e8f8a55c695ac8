"""`toolkit.yaml`: where the content of a project lies, its environments, and what it adds to the catalogue."""

from __future__ import annotations

from pydantic import Field

from toolkit.content.models.fields import ContentModel, Raw, Text, Texts


class ContentPaths(ContentModel):
    """Glob patterns, relative to the folder of toolkit.yaml."""

    rules: Texts = ["detections/*/rules/*.yaml", "detections/*/rules/*.yml"]
    hunting: Texts = ["detections/*/hunting/*.yaml", "detections/*/hunting/*.yml"]
    functions: Texts = ["detections/*/functions/*.yaml", "detections/*/functions/*.yml"]
    watchlists: Texts = ["detections/*/watchlists/*.yaml", "detections/*/watchlists/*.yml", "detections/*/watchlists/*.csv"]


class WorkspaceTarget(ContentModel):
    """Which workspace an environment is."""

    subscription: Text | None = None
    resource_group: Text | None = None
    name: Text | None = None
    id: Text | None = None
    location: Text | None = None


class Environment(ContentModel):
    """`parameters` hold for every rule; `rules` holds values for one rule by the name of its file without .yaml."""

    description: Text = ""
    workspace: WorkspaceTarget | None = None
    parameters: dict[str, Raw] = {}
    rules: dict[str, dict[str, Raw]] = {}


class CatalogExtensions(ContentModel):
    """Tables that the bundled catalogue lacks, and columns that a workspace adds to a known table."""

    tables: dict[str, dict[str, Text]] = {}
    columns: dict[str, dict[str, Text]] = {}


class ProjectFile(ContentModel):
    name: Text | None = None
    content: ContentPaths = Field(default_factory=ContentPaths)
    exclude: Texts = []
    parameters: dict[str, Raw] = {}
    rules: dict[str, dict[str, Raw]] = {}
    environments: dict[str, Environment] = {}
    catalog: CatalogExtensions = Field(default_factory=CatalogExtensions)
