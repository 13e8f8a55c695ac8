"""Where a rule runs when it is no analytics rule of Sentinel: `target:` makes it an Azure Monitor log alert rule."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

from toolkit.content.models.fields import Anything, Boolean, ContentModel, Duration, Integer, Text, Texts, choice, refuse, shown
from toolkit.content.yaml.nodes import Scalar

AGGREGATIONS = ("Count", "Average", "Minimum", "Maximum", "Total")
ALERT_OPERATORS = {
    "gt": "GreaterThan",
    "ge": "GreaterThanOrEqual",
    "lt": "LessThan",
    "le": "LessThanOrEqual",
    "eq": "Equals",
    "equal": "Equals",
}

_TYPE = choice("LogAlert", what="a target")
TargetType = Annotated[str, BeforeValidator(_TYPE)]
TimeAggregation = Annotated[str, BeforeValidator(choice(*AGGREGATIONS, what="a time aggregation"))]
DimensionOperator = Annotated[str, BeforeValidator(choice("Include", "Exclude", what="a dimension operator"))]
AlertOperator = Annotated[
    str, BeforeValidator(choice(*dict.fromkeys(ALERT_OPERATORS.values()), what="an operator of log alerts", also=ALERT_OPERATORS))
]


def _number(value: Any) -> float:
    text = value.text if isinstance(value, Scalar) else str(value)
    if not re.fullmatch(r"[+-]?\d{1,18}(\.\d{1,18})?([eE][+-]?\d{1,3})?", text.strip()) or abs(float(text)) > 1e300:
        raise refuse("wrong-type", f"Expected a number, found {shown(value)}.")
    return float(text)


def _from_type(value: Any) -> Any:
    """`target: LogAlert` is short for a mapping with nothing but the type."""
    return {"type": value} if isinstance(value, Scalar) else value


class Dimension(ContentModel):
    name: Text
    operator: DimensionOperator = "Include"
    values: Texts


class FailingPeriods(ContentModel):
    number_of_evaluation_periods: Integer = 1
    min_failing_periods_to_alert: Integer = 1


class LogAlertTarget(ContentModel):
    """What a log alert rule has and an analytics rule has not; the names are those of the service.

    `severity` 0 to 4, `operator` and `threshold` replace the rule's own keys where those cannot say it. The rule's schedule becomes
    evaluationFrequency and windowSize, its suppression muteActionsDuration.
    """

    type: TargetType
    name: Text | None = None
    location: Text | None = None
    severity: Integer | None = None
    operator: AlertOperator | None = None
    threshold: Annotated[float, BeforeValidator(_number)] | None = None
    time_aggregation: TimeAggregation = "Count"
    metric_measure_column: Text | None = None
    resource_id_column: Text | None = None
    dimensions: list[Dimension] = []
    failing_periods: FailingPeriods | None = None
    override_query_time_range: Duration | None = None
    target_resource_types: Texts = []
    scopes: Texts = []
    action_groups: Texts = []
    custom_properties: dict[str, Text] = {}
    action_properties: dict[str, Text] = {}
    auto_mitigate: Boolean = False
    auto_resolve_after: Duration | None = None
    check_workspace_alerts_storage_configured: Boolean = False
    skip_query_validation: Boolean = False
    tags: dict[str, Text] = {}
    identity: Anything = None


Target = Annotated[LogAlertTarget, BeforeValidator(_from_type)]
