"""Analytics rules in the format of the Azure-Sentinel repository, scheduled and near-real-time.

Every key is optional here; which ones a kind needs, and the service's limits, are in `toolkit.content.limits`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from toolkit.catalog.entities import ENTITY_TYPES
from toolkit.content.models.fields import Anything, Boolean, ContentModel, Duration, Integer, Raw, Text, Texts, choice
from toolkit.content.models.target import Target

SEVERITIES = ("High", "Medium", "Low", "Informational")
TACTICS = (
    "Reconnaissance", "ResourceDevelopment", "InitialAccess", "Execution", "Persistence", "PrivilegeEscalation", "DefenseEvasion",
    "CredentialAccess", "Discovery", "LateralMovement", "Collection", "Exfiltration", "CommandAndControl", "Impact", "PreAttack",
    "ImpairProcessControl", "InhibitResponseFunction",
)  # fmt: skip
ALERT_PROPERTIES = (
    "AlertLink", "ConfidenceLevel", "ConfidenceScore", "ExtendedLinks", "ProductName", "ProviderName", "ProductComponentName",
    "RemediationSteps", "Techniques", "SubTechniques", "AlertName", "Description", "AlertSeverity", "Tactics",
)  # fmt: skip
OPERATORS = {"gt": "GreaterThan", "lt": "LessThan", "eq": "Equal", "ne": "NotEqual"}

Kind = Annotated[str, BeforeValidator(choice("Scheduled", "NRT", what="a kind of rule"))]
Severity = Annotated[str, BeforeValidator(choice(*SEVERITIES, what="a severity"))]
Tactic = Annotated[str, BeforeValidator(choice(*TACTICS, what="a tactic"))]
Operator = Annotated[str, BeforeValidator(choice(*OPERATORS.values(), what="a trigger operator", also=OPERATORS))]
EntityKind = Annotated[str, BeforeValidator(choice(*ENTITY_TYPES, what="an entity type"))]
Aggregation = Annotated[str, BeforeValidator(choice("SingleAlert", "AlertPerResult", what="an aggregation kind"))]
Matching = Annotated[str, BeforeValidator(choice("AllEntities", "AnyAlert", "Selected", what="a matching method"))]
AlertDetail = Annotated[str, BeforeValidator(choice("DisplayName", "Severity", what="an alert detail"))]
AlertProperty = Annotated[str, BeforeValidator(choice(*ALERT_PROPERTIES, what="an alert property"))]


class FieldMapping(ContentModel):
    identifier: Text
    column_name: Text


class EntityMapping(ContentModel):
    entity_type: EntityKind
    field_mappings: list[FieldMapping]


class SentinelEntityMapping(ContentModel):
    column_name: Text


class DynamicProperty(ContentModel):
    alert_property: AlertProperty
    value: Text


class AlertDetailsOverride(ContentModel):
    alert_display_name_format: Text | None = None
    alert_description_format: Text | None = None
    alert_tactics_column_name: Text | None = None
    alert_severity_column_name: Text | None = None
    alert_dynamic_properties: list[DynamicProperty] = []


class EventGrouping(ContentModel):
    aggregation_kind: Aggregation = "SingleAlert"


class Grouping(ContentModel):
    enabled: Boolean = False
    reopen_closed_incident: Boolean = False
    lookback_duration: Duration = timedelta(hours=5)
    matching_method: Matching = "AllEntities"
    group_by_entities: list[EntityKind] = []
    group_by_alert_details: list[AlertDetail] = []
    group_by_custom_details: list[Text] = []


class IncidentConfiguration(ContentModel):
    create_incident: Boolean = True
    grouping_configuration: Grouping = Field(default_factory=Grouping)


class Parameter(ContentModel):
    """A template parameter: its type, and the value it has where nobody gives another one."""

    type: Text = "string"
    default: Raw = None
    description: Text = ""


class Described(ContentModel):
    """What rules and hunting queries have in common."""

    id: Text | None = None
    name: Text = ""
    version: Text | None = None
    description: Text = ""
    description_detailed: Text | None = Field(None, alias="description-detailed")
    severity: Severity | None = None
    required_data_connectors: Anything = None
    status: Text | None = None
    tags: Anything = None
    metadata: Anything = None
    author: Anything = None
    query: Text = ""
    tactics: Annotated[list[Tactic], BeforeValidator(lambda value: value)] = []
    relevant_techniques: Texts = []
    techniques: Texts = []
    sub_techniques: Texts = []
    entity_mappings: list[EntityMapping] = []
    custom_details: dict[str, Text] = {}
    parameters: dict[str, Parameter] = {}
    arm_properties: Anything = None
    """Properties of the Azure resource that have no key of their own here, as the service names them."""


class Rule(Described):
    """A scheduled or NRT analytics rule."""

    kind: Kind = "Scheduled"
    enabled: Boolean | None = None
    query_frequency: Duration | None = None
    query_period: Duration | None = None
    trigger_operator: Operator | None = None
    trigger_threshold: Integer | None = None
    start_time_utc: Text | None = None
    sentinel_entities_mappings: list[SentinelEntityMapping] = []
    alert_details_override: AlertDetailsOverride | None = None
    event_grouping_settings: EventGrouping = Field(default_factory=EventGrouping)
    incident_configuration: IncidentConfiguration = Field(default_factory=IncidentConfiguration)
    suppression_enabled: Boolean = False
    suppression_duration: Duration | None = None
    alert_rule_template_name: Text | None = None
    template_version: Text | None = None
    target: Target | None = None

    @property
    def is_nrt(self) -> bool:
        return self.kind == "NRT"

    @property
    def period(self) -> timedelta:
        """The length of the window that one run sees; NRT rules run every minute over the minute before (S-30)."""
        return timedelta(minutes=1) if self.is_nrt else self.query_period or timedelta(hours=5)


class HuntingQuery(Described):
    """A saved query for people: no schedule, no alerts. Keys of rules are accepted and ignored, as the service does."""

    kind: Text | None = None
    display_name: Text | None = None
    enabled: Boolean | None = None
