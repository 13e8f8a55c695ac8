"""What a workbook is made of: steps in groups, parameters, exports, links, visual settings.

Every part knows its `path` in the JSON document; `WorkbookDocument.place` turns it into a place in a file. `content` is the
JSON value of the part as it stands: what the toolkit has no opinion about is kept, never dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from toolkit.content.yaml.nodes import Path

StepKind = Literal["text", "query", "parameters", "metrics", "links", "group", "other"]

STEP_KINDS: Mapping[int, StepKind] = {1: "text", 3: "query", 9: "parameters", 10: "metrics", 11: "links", 12: "group"}

ParameterKind = Literal["text", "dropdown", "time", "resource", "subscription", "resourceType", "location", "options", "multi", "other"]

PARAMETER_KINDS: Mapping[int, ParameterKind] = {
    1: "text",
    2: "dropdown",
    4: "time",
    5: "resource",
    6: "subscription",
    7: "resourceType",
    8: "location",
    9: "other",
    10: "options",
    11: "multi",
}

LOGS, RESOURCE_GRAPH, MERGE, JSON_DATA, ARM = 0, 1, 7, 8, 12
QUERY_TYPES: Mapping[int, str] = {
    LOGS: "Logs",
    RESOURCE_GRAPH: "Azure Resource Graph",
    MERGE: "Merge",
    JSON_DATA: "JSON",
    9: "Azure Data Explorer",
    10: "Custom endpoint",
    ARM: "Azure Resource Manager",
    16: "Workload health",
}
WORKSPACES = "microsoft.operationalinsights/workspaces"


def is_workspace(resource_type: str) -> bool:
    """Whether logs of this type of resource are those of a workspace; that is so where nothing is said."""
    return resource_type.lower() in (WORKSPACES, "")


def provider_of(query_type: int, resource_type: str) -> str:
    """Whom a query asks, for messages."""
    return f"the logs of {resource_type}" if query_type == LOGS else QUERY_TYPES.get(query_type, f"a data source of the type {query_type}")


VISUALIZATIONS = frozenset(
    "table tiles card stat text graph map barchart categoricalbar unstackedbar areachart linechart timechart scatterchart piechart "
    "honeycomb categoricalscatter timeline treemap".split()
)
CHARTS = frozenset("barchart categoricalbar unstackedbar areachart linechart timechart scatterchart piechart".split())
TIME_CHARTS = frozenset({"timechart"})


@dataclass(frozen=True)
class Condition:
    """`comparison` of the parameter's value with `value` decides whether a step is shown."""

    parameter: str
    comparison: str
    value: str
    path: Path


@dataclass(frozen=True)
class Export:
    """What a click on a row of a query's result puts into a parameter; without `field` the whole row as JSON."""

    parameter: str
    field: str
    default: str
    multiple: bool
    path: Path
    quote: str = "'"
    delimiter: str = ","


@dataclass(frozen=True)
class Parameter:
    """One input of a parameters step. `value` is what the file holds: text, a list, {"durationMs": n}, or None."""

    name: str
    kind: ParameterKind
    path: Path
    content: Mapping[str, Any]
    label: str = ""
    value: Any = None
    query: str | None = None
    query_type: int = LOGS
    json_data: str | None = None
    multiple: bool = False
    required: bool = False
    hidden: bool = False
    shared: bool = False
    quote: str = "'"
    delimiter: str = ","

    @property
    def title(self) -> str:
        return self.label or self.name

    @property
    def resource_type(self) -> str:
        return str(self.content.get("resourceType") or "")

    @property
    def is_local(self) -> bool:
        """Whether its query is KQL over the tables of a workspace."""
        return self.query_type == LOGS and is_workspace(self.resource_type)

    @property
    def provider(self) -> str:
        return provider_of(self.query_type, self.resource_type)

    @property
    def settings(self) -> Mapping[str, Any]:
        found = self.content.get("typeSettings")
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Link:
    """One link of a links step. With target "parameter" it sets the parameter `value` to `sub_target`."""

    target: str
    value: str
    sub_target: str
    label: str
    path: Path
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Query:
    """A query step's own part: KQL, or the text of another provider when `type` is not LOGS."""

    text: str
    type: int
    resource_type: str
    visualization: str
    exports: tuple[Export, ...]
    time_parameter: str
    time_brush: str

    @property
    def is_local(self) -> bool:
        """Whether the query is KQL over the tables of a workspace."""
        return self.type == LOGS and is_workspace(self.resource_type)

    @property
    def provider(self) -> str:
        return provider_of(self.type, self.resource_type)


@dataclass(frozen=True)
class Step:
    """One item of a workbook. `kind` says which of the parts it has; `content` is the JSON of its `content`."""

    kind: StepKind
    name: str
    path: Path
    content: Mapping[str, Any]
    title: str = ""
    width: str = ""
    conditions: tuple[Condition, ...] = ()
    text: str = ""
    query: Query | None = None
    parameters: tuple[Parameter, ...] = ()
    links: tuple[Link, ...] = ()
    steps: tuple[Step, ...] = ()
    exports_parameters: bool = False

    @property
    def content_path(self) -> Path:
        return (*self.path, "content")

    def walk(self) -> Iterator[Step]:
        """The step and all steps inside it, in order."""
        yield self
        for step in self.steps:
            yield from step.walk()


@dataclass(frozen=True)
class Workbook:
    """A whole workbook. `content` is its JSON."""

    steps: tuple[Step, ...]
    content: Mapping[str, Any] = field(default_factory=dict)

    def walk(self) -> Iterator[Step]:
        """Every step, groups before what is in them."""
        for step in self.steps:
            yield from step.walk()
