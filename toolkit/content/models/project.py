"""`toolkit.yaml`: where the content of a project lies, its environments, and what it adds to the catalogue."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from toolkit.content.models.fields import Boolean, ContentModel, Duration, Integer, Raw, Text, Texts, choice
from toolkit.content.yaml.nodes import Scalar


class ContentPaths(ContentModel):
    """Glob patterns, relative to the folder of toolkit.yaml."""

    rules: Texts = ["detections/*/rules/*.yaml", "detections/*/rules/*.yml"]
    hunting: Texts = ["detections/*/hunting/*.yaml", "detections/*/hunting/*.yml"]
    functions: Texts = ["detections/*/functions/*.yaml", "detections/*/functions/*.yml"]
    watchlists: Texts = ["detections/*/watchlists/*.yaml", "detections/*/watchlists/*.yml", "detections/*/watchlists/*.csv"]
    workbooks: Texts = ["workbooks/*.json"]


class WorkspaceTarget(ContentModel):
    """Which workspace an environment is."""

    subscription: Text | None = None
    resource_group: Text | None = None
    name: Text | None = None
    id: Text | None = None
    location: Text | None = None


def _from_name(value: Any) -> Any:
    """`cloud: usgov` is short for a mapping with nothing but the name."""
    return {"name": value} if isinstance(value, Scalar) else value


class CloudTarget(ContentModel):
    """An Azure cloud by name, and other endpoints where it is reached through some."""

    name: Text = "public"
    resource_manager: Text | None = None
    logs: Text | None = None


NewRules = Annotated[str, BeforeValidator(choice("enabled", "disabled", what="a state of new rules"))]
EnabledState = Annotated[str, BeforeValidator(choice("keep", "file", what="a policy for the enabled state"))]
MissingTables = Annotated[str, BeforeValidator(choice("fail", "skip", "disable", what="a policy for missing tables"))]
TemplateLink = Annotated[str, BeforeValidator(choice("keep", "strip", what="a policy for links to templates"))]
Tombstones = Annotated[str, BeforeValidator(choice("wait", "newId", what="a policy for deleted ids"))]


class DeployPolicy(ContentModel):
    """What a deployment may do in an environment, and which choices of its operators it keeps.

    `newRules`: the state in which rules are created that do not say one. `enabledState`: `keep` leaves the state of existing
    rules to the operators wherever the file does not say one, `file` sets `newRules` again. `keep`: further fields whose value
    in the workspace wins, as paths of the resource (`severity`, `incidentConfiguration.createIncident`). `protect`: ids or
    names that are never written or deleted. `prune`: delete what this project deployed and no longer has, `maxDeletes` at most.
    `tombstones`: what to do about the id of a rule that was deleted in the last `tombstoneTime`.
    """

    new_rules: NewRules = "enabled"
    enabled_state: EnabledState = "keep"
    keep: Texts = []
    protect: Texts = []
    prune: Boolean = True
    max_deletes: Integer = 10
    missing_tables: MissingTables = "fail"
    template_link: TemplateLink = "keep"
    tombstones: Tombstones = "wait"
    tombstone_time: Duration = timedelta(hours=24)
    parallelism: Integer = 8


class Environment(ContentModel):
    """`parameters` hold for every rule; `rules` holds values for one rule by the name of its file without .yaml.

    `exclude` are files of the project that are not for this environment, `prefix` stands in front of every shown name there.
    """

    description: Text = ""
    cloud: Annotated[CloudTarget, BeforeValidator(_from_name)] = Field(default_factory=CloudTarget)
    workspace: WorkspaceTarget | None = None
    exclude: Texts = []
    prefix: Text = ""
    deploy: DeployPolicy = Field(default_factory=DeployPolicy)
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
