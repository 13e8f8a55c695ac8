"""What the service assumes, or this toolkit sends, where a file says nothing. The only place that knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.deploy.mapping.resources import ResourceKind

SUPPRESSION_DURATION = "PT5H"
"""Required even where suppression is off; compared only where it is on."""
HUNTING_CATEGORY = "Hunting Queries"
FUNCTION_CATEGORY = "Function"
WORKBOOK_CATEGORY = "sentinel"
WATCHLIST_PROVIDER = "Custom"

GROUPING: Mapping[str, Any] = {
    "enabled": False,
    "reopenClosedIncident": False,
    "lookbackDuration": "PT5H",
    "matchingMethod": "AllEntities",
    "groupByEntities": [],
    "groupByAlertDetails": [],
    "groupByCustomDetails": [],
}
LOG_ALERT_SEVERITIES: Mapping[str, int] = {"High": 1, "Medium": 2, "Low": 3, "Informational": 4}
"""Azure Monitor counts 0 (critical) to 4 (verbose); 0 has no name among Sentinel's and is written as `target.severity`."""

DEFAULTS: Mapping[ResourceKind, Mapping[str, Any]] = {
    "alertRule": {
        "enabled": True,
        "suppressionEnabled": False,
        "suppressionDuration": SUPPRESSION_DURATION,
        "eventGroupingSettings": {"aggregationKind": "SingleAlert"},
        "incidentConfiguration": {"createIncident": True, "groupingConfiguration": GROUPING},
    },
    "savedSearch": {"version": 2},
    "watchlist": {"sourceType": "Local"},
    "watchlistItem": {},
    "workbook": {"version": "Notebook/1.0", "category": WORKBOOK_CATEGORY},
    "logAlert": {
        "enabled": True,
        "autoMitigate": False,
        "checkWorkspaceAlertsStorageConfigured": False,
        "skipQueryValidation": False,
    },
}
"""Properties by kind; mappings are filled level by level."""

CRITERION: Mapping[str, Any] = {
    "timeAggregation": "Count",
    "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
}


def filled(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with the defaults where it has nothing (or null), level by level."""
    result = dict(given)
    for key, value in defaults.items():
        here = result.get(key)
        if isinstance(value, Mapping) and isinstance(here, Mapping | None):
            result[key] = filled(here or {}, value)
        elif here is None:
            result[key] = value
    return result
