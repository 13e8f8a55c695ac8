"""What a piece of content is in Azure, what that depends on, and the errors of both directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from uuid import UUID, uuid5

from toolkit.content.findings import ContentError, Finding, Findings
from toolkit.content.models.project import WorkspaceTarget
from toolkit.content.project import Project
from toolkit.kql.diagnostics import ToolkitError
from toolkit.kql.source import NOWHERE

ResourceKind = Literal["alertRule", "savedSearch", "watchlist", "watchlistItem", "workbook", "logAlert"]
Body = Mapping[str, Any]

_NAMESPACE = UUID("6f0bd9a2-6c3e-5c38-9d5a-0f3d6a4b9c11")


@dataclass(frozen=True)
class ArmResource:
    """One resource as it is sent: `name` is the last segment of its id, `body` has no etag.

    `only_at_creation` are properties that a PUT of an existing resource must not carry (the rows of a watchlist, which are added by every
    PUT). `children` are the rows of a watchlist. `left_out` are the keys of the file that have no place in Azure, `Function.Version` for
    one inside a mapping; `by_policy` the paths of the body whose value the file does not say, so that a plan may keep what the workspace
    has.
    """

    kind: ResourceKind
    name: str
    body: Body
    children: tuple[ArmResource, ...] = ()
    only_at_creation: Body = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    by_policy: tuple[str, ...] = ()

    @cached_property
    def form(self) -> dict[str, Any]:
        """The normal form of the body (`toolkit.deploy.mapping.normal`). Not to be changed: it is made once."""
        from toolkit.deploy.mapping.normal import normal  # it needs this module's types

        return normal(self.kind, self.body)


@dataclass(frozen=True)
class Settings:
    """What a body depends on beside the file. `enabled` is for rules that do not say; `template_link` keeps or strips the link of a rule
    to the template that it was made of."""

    project: Project
    environment: str | None = None
    enabled: bool = True
    template_link: Literal["keep", "strip"] = "keep"

    @property
    def workspace(self) -> WorkspaceTarget:
        """Raises MappingError at the environment in toolkit.yaml when that names no workspace."""
        found = self.project.environment(self.environment)
        if found is None or found.workspace is None:
            raise self._incomplete("workspace")
        return found.workspace

    @property
    def complete_workspace(self) -> WorkspaceTarget:
        """The workspace with subscription, resource group and name. Raises MappingError for what is missing."""
        workspace = self.workspace
        for key, value in (
            ("subscription", workspace.subscription),
            ("resourceGroup", workspace.resource_group),
            ("name", workspace.name),
        ):
            if not value:
                raise self._incomplete("workspace", key)
        return workspace

    @property
    def workspace_id(self) -> str:
        """The workspace's resource id in lower case, as workbooks and log alert rules refer to it."""
        workspace = self.complete_workspace
        group = f"/subscriptions/{workspace.subscription}/resourcegroups/{workspace.resource_group}"
        return f"{group}/providers/microsoft.operationalinsights/workspaces/{workspace.name}".lower()

    @property
    def location(self) -> str:
        if not self.workspace.location:
            raise self._incomplete("workspace", "location")
        return self.workspace.location

    def _incomplete(self, *keys: str) -> MappingError:
        findings = Findings(self.project.source)
        path = ("environments", str(self.environment), *keys)
        span = self.project.document.span(path) if self.project.document else NOWHERE
        what = f"has no {'.'.join(keys)}" if self.environment else "is not named"
        findings.add("missing-key", f"The environment {self.environment or ''} {what}, which this content needs.".replace("  ", " "), span)
        return MappingError(findings.found)


class MappingError(ContentError):
    """Content that has no exact form in Azure; every finding stands at its place in the file."""


class UnmappableError(ToolkitError):
    """A resource that content files cannot say exactly. `text` is the nearest file there is, for people to look at."""

    def __init__(self, resource: ArmResource, path: str, problem: str, text: str = "") -> None:
        self.resource, self.path, self.problem, self.text = resource, path, problem, text
        super().__init__(f"{resource.kind} {resource.name}, {path}: {problem}")


@dataclass(frozen=True)
class ContentFile:
    """A resource as content: the keys of its YAML file in order, its text, and the files beside it (name -> text)."""

    kind: ResourceKind
    document: Mapping[str, Any]
    text: str
    beside: Mapping[str, str] = field(default_factory=dict)


def stable_id(*parts: str) -> str:
    """The same lower-case GUID for the same parts, everywhere and always (UUID version 5)."""
    return str(uuid5(_NAMESPACE, "\n".join(parts)))


def refuse_if_errors(found: Sequence[Finding]) -> None:
    errors = [finding for finding in found if finding.severity == "error"]
    if errors:
        raise MappingError(errors)
