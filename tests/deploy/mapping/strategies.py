"""Hypothesis strategies for the bodies that Azure gives back, over every field and enumeration, within the service's limits."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from toolkit.catalog.entities import ENTITY_TYPES
from toolkit.content.models.rule import ALERT_PROPERTIES, SEVERITIES, TACTICS
from toolkit.content.models.target import AGGREGATIONS
from toolkit.deploy.mapping import ArmResource

Body = dict[str, Any]
LETTERS = st.characters(codec="utf-8", exclude_characters="\x00\ufeff")
TEXT = st.text(LETTERS, min_size=1, max_size=60).filter(str.strip)
TITLE = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=40).filter(str.strip)
KQL_PIECES = (
    "SigninLogs",
    "\n",
    "| where x == 'a'",
    "\t",
    " ",
    "```",
    "{{",
    "}}",
    "{%",
    "#",
    ": ",
    "é",
    "// it's",
    '"',
    "\\",
    "- ",
    "\r\n",
    "|",
)
QUERY = st.lists(st.sampled_from(KQL_PIECES), min_size=1, max_size=12).map(lambda parts: "T" + "".join(parts))
COLUMN = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
KEY = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,8}", fullmatch=True)
GUID = st.uuids().map(str)
TECHNIQUE = st.integers(1000, 1700).map(lambda number: f"T{number}")
SUB_TECHNIQUE = st.tuples(TECHNIQUE, st.integers(1, 12)).map(lambda parts: f"{parts[0]}.{parts[1]:03}")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(LETTERS, max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(LETTERS, min_size=1, max_size=8), inner, max_size=3),
    max_leaves=8,
)
SOME_JSON = JSON.filter(lambda value: value is not None)
UNKNOWN = st.dictionaries(KEY.map(lambda key: f"x{key}"), SOME_JSON, max_size=2)


def optional(**fields: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    """Fields that may be null as well as absent."""
    return {name: st.none() | field for name, field in fields.items()}


def minutes(least: int, most: int) -> st.SearchStrategy[str]:
    """A duration in any of the forms that say it."""
    return st.tuples(st.integers(least, most), st.integers(0, 3)).map(lambda pair: _written(*pair))


def _written(count: int, form: int) -> str:
    days, rest = divmod(count, 24 * 60)
    hours, left = divmod(rest, 60)
    clock = f"{hours}H" * (hours > 0) + f"{left}M" * (left > 0)
    whole = f"P{days}D" * (days > 0) or "P"
    return {
        0: f"PT{count}M",
        1: (f"{whole}T{clock}" if clock else whole),
        2: f"{days}.{hours:02}:{left:02}:00",
        3: f"PT{count * 60}.0S",
    }[form]


@st.composite
def entities(draw: st.DrawFn) -> Body:
    kind = ENTITY_TYPES[draw(st.sampled_from(sorted(ENTITY_TYPES)))]
    required = sorted(draw(st.sampled_from(kind.required)))
    others = draw(st.lists(st.sampled_from(kind.identifiers), max_size=3 - len(required), unique=True))
    names = draw(st.permutations(list(dict.fromkeys([*required, *others]))))
    return {"entityType": kind.name, "fieldMappings": [{"identifier": name, "columnName": draw(COLUMN)} for name in names]}


@st.composite
def rules(draw: st.DrawFn) -> ArmResource:
    kind = draw(st.sampled_from(["Scheduled", "NRT"]))
    mappings = draw(st.lists(entities(), max_size=4))
    details = draw(st.dictionaries(KEY, COLUMN, max_size=4))
    optional_fields: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional=optional(
                description=TEXT,
                tactics=st.lists(st.sampled_from(TACTICS), max_size=4),
                techniques=st.lists(TECHNIQUE, max_size=4),
                subTechniques=st.lists(SUB_TECHNIQUE, max_size=4),
                eventGroupingSettings=st.fixed_dictionaries({"aggregationKind": st.sampled_from(["SingleAlert", "AlertPerResult"])}),
                sentinelEntitiesMappings=st.lists(st.fixed_dictionaries({"columnName": COLUMN}), max_size=2),
                alertDetailsOverride=override(),
                lastModifiedUtc=st.just("2026-03-02T10:00:00Z"),
            ),
        )
    )
    properties: dict[str, Any] = {
        "displayName": draw(TITLE),
        "enabled": draw(st.booleans()),
        "severity": draw(st.sampled_from(SEVERITIES)),
        "query": draw(QUERY),
        "suppressionEnabled": draw(st.booleans()),
        "suppressionDuration": draw(minutes(5, 24 * 60)),
        "entityMappings": mappings or draw(st.sampled_from([None, []])),
        "customDetails": details or draw(st.sampled_from([None, {}])),
        **optional_fields,
        **draw(template()),
        **draw(UNKNOWN),
    }
    if draw(st.booleans()):
        properties["incidentConfiguration"] = draw(incident([mapping["entityType"] for mapping in mappings], list(details)))
    if kind == "Scheduled":
        properties |= draw(schedule())
    return ArmResource("alertRule", draw(GUID), {"kind": kind, "etag": '"0300"', "properties": properties})


def override() -> st.SearchStrategy[Body]:
    dynamic = st.fixed_dictionaries({"alertProperty": st.sampled_from(ALERT_PROPERTIES), "value": COLUMN})
    return st.fixed_dictionaries(
        {},
        optional=optional(
            alertDisplayNameFormat=st.just("{{A}} did {{B}}") | TITLE,
            alertDescriptionFormat=TEXT,
            alertTacticsColumnName=COLUMN,
            alertSeverityColumnName=COLUMN,
            alertDynamicProperties=st.lists(dynamic, max_size=3),
        ),
    )


def template() -> st.SearchStrategy[Body]:
    name, version = st.fixed_dictionaries({"alertRuleTemplateName": GUID}), st.just("1.0.3")
    return (
        st.just({})
        | st.just({"alertRuleTemplateName": None, "templateVersion": None})
        | name
        | st.fixed_dictionaries({"alertRuleTemplateName": GUID, "templateVersion": version})
    )


def incident(kinds: list[str], details: list[str]) -> st.SearchStrategy[Body]:
    grouping = st.fixed_dictionaries(
        {
            "enabled": st.booleans(),
            "reopenClosedIncident": st.booleans(),
            "lookbackDuration": minutes(5, 7 * 24 * 60),
            "matchingMethod": st.sampled_from(["AllEntities", "AnyAlert"]),
        },
        optional=optional(
            groupByEntities=st.lists(st.sampled_from(kinds), max_size=3) if kinds else st.just([]),
            groupByAlertDetails=st.lists(st.sampled_from(["DisplayName", "Severity"]), max_size=2),
            groupByCustomDetails=st.lists(st.sampled_from(details), max_size=3) if details else st.just([]),
        ),
    )
    return st.fixed_dictionaries({"createIncident": st.booleans()}, optional={"groupingConfiguration": st.none() | grouping})


@st.composite
def schedule(draw: st.DrawFn) -> Body:
    period = draw(st.integers(5, 14 * 24 * 60))
    frequency = draw(st.integers(60 if period >= 2 * 24 * 60 else 5, period))
    return {
        "queryFrequency": _written(frequency, draw(st.integers(0, 3))),
        "queryPeriod": _written(period, draw(st.integers(0, 3))),
        "triggerOperator": draw(st.sampled_from(["GreaterThan", "LessThan", "Equal", "NotEqual"])),
        "triggerThreshold": draw(st.integers(0, 10_000)),
        **draw(st.fixed_dictionaries({}, optional={"startTimeUtc": st.sampled_from([None, "2026-03-02T10:00:00Z", "2026-03-02"])})),
    }


@st.composite
def saved_searches(draw: st.DrawFn) -> ArmResource:
    tags = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "description": TEXT,
                "tactics": st.lists(st.sampled_from(TACTICS), max_size=3).map(", ".join),
                "techniques": st.lists(TECHNIQUE, max_size=3).map(",".join),
                "relevantTechniques": st.lists(TECHNIQUE | SUB_TECHNIQUE, max_size=3).map(",".join),
                "subTechniques": st.lists(SUB_TECHNIQUE, max_size=3).map(",".join),
                "createdBy": TITLE,
            },
        )
    )
    properties: dict[str, Any] = {
        "category": draw(st.just("Hunting Queries") | TITLE),
        "displayName": draw(TITLE),
        "query": draw(QUERY),
        "tags": [{"name": name, "value": value} for name, value in tags.items()] or draw(st.sampled_from([None, []])),
        **draw(st.fixed_dictionaries({}, optional={"version": st.sampled_from([1, 2]), "functionAlias": st.none() | KEY})),
        **draw(UNKNOWN),
    }
    if properties.get("functionAlias") and draw(st.booleans()):
        properties["functionParameters"] = draw(st.sampled_from(["a:string", "a : long = 5 , b:string='x , y'", "t:(*)", ""]))
    return ArmResource("savedSearch", draw(GUID), {"etag": '"1"', "properties": properties})


@st.composite
def watchlists(draw: st.DrawFn) -> ArmResource:
    columns = draw(st.lists(COLUMN, min_size=1, max_size=4, unique=True))
    rows = draw(st.lists(st.fixed_dictionaries(dict.fromkeys(columns, st.text(LETTERS, max_size=10))), max_size=5))
    items = tuple(ArmResource("watchlistItem", draw(GUID), {"properties": {"itemsKeyValue": row}}) for row in rows)
    alias = draw(KEY)
    properties = {
        "displayName": draw(TITLE),
        "provider": draw(st.sampled_from(["Microsoft", "Custom"])),
        "itemsSearchKey": draw(st.sampled_from(columns)),
        "watchlistAlias": alias,
        "uploadStatus": "Complete",
        "provisioningState": "Succeeded",
        **draw(
            st.fixed_dictionaries(
                {},
                optional=optional(
                    description=TEXT,
                    source=TITLE,
                    sourceType=st.sampled_from(["Local", "AzureStorage"]),
                    labels=st.lists(TITLE, max_size=3),
                    defaultDuration=minutes(1, 5000),
                ),
            )
        ),
        **draw(UNKNOWN),
    }
    return ArmResource("watchlist", alias, {"properties": properties}, items)


@st.composite
def workbooks(draw: st.DrawFn) -> ArmResource:
    import json

    content = draw(st.dictionaries(st.text(LETTERS, min_size=1, max_size=8), JSON, max_size=4))
    properties = {
        "displayName": draw(TITLE),
        "serializedData": json.dumps(content),
        "version": draw(st.sampled_from(["Notebook/1.0", None])),
        "category": draw(st.sampled_from(["sentinel", "workbook"])),
        "sourceId": "/subscriptions/X/resourceGroups/Y/providers/Microsoft.OperationalInsights/workspaces/Z",
        "timeModified": "2026-03-02T10:00:00Z",
        **draw(st.fixed_dictionaries({}, optional=optional(description=TEXT))),
        **draw(UNKNOWN),
    }
    tags = draw(st.none() | st.dictionaries(KEY, TITLE, max_size=2))
    return ArmResource("workbook", draw(GUID), {"location": "West Europe", "kind": "shared", "tags": tags, "properties": properties})


@st.composite
def log_alerts(draw: st.DrawFn) -> ArmResource:
    frequency, window = draw(st.sampled_from([("PT5M", "PT15M"), ("PT1M", "PT1M"), ("PT1H", "PT1H"), ("P1D", "P1D"), ("PT60M", "PT120M")]))
    aggregation = draw(st.sampled_from(AGGREGATIONS))
    dimension = st.fixed_dictionaries(
        {"name": COLUMN, "operator": st.sampled_from(["Include", "Exclude"]), "values": st.lists(TITLE, min_size=1, max_size=2)}
    )
    criterion = {
        "query": draw(QUERY),
        "timeAggregation": aggregation,
        "operator": draw(st.sampled_from(["Equals", "Equal", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual"])),
        "threshold": draw(st.integers(-5, 99) | st.floats(-1e6, 1e6)),
        "metricMeasureColumn": None if aggregation == "Count" else draw(COLUMN),
        **draw(st.fixed_dictionaries({}, optional=optional(resourceIdColumn=COLUMN, dimensions=st.lists(dimension, max_size=2)))),
    }
    if draw(st.booleans()):
        criterion["failingPeriods"] = {"numberOfEvaluationPeriods": 2, "minFailingPeriodsToAlert": draw(st.integers(1, 2))}
    muted = draw(st.sampled_from([None, "P1D", "PT24H"]))
    texts = st.dictionaries(KEY, TITLE, max_size=2)
    properties = {
        "displayName": draw(TITLE),
        "severity": draw(st.integers(0, 4)),
        "enabled": draw(st.booleans()),
        "scopes": ["/subscriptions/X/resourceGroups/Y/providers/Microsoft.OperationalInsights/workspaces/Z"],
        "evaluationFrequency": frequency,
        "windowSize": window,
        "criteria": {"allOf": [criterion]},
        "muteActionsDuration": muted,
        "autoMitigate": False if muted else draw(st.booleans()),
        "createdWithApiVersion": "2023-12-01",
        **draw(
            st.fixed_dictionaries(
                {},
                optional=optional(
                    description=TEXT,
                    overrideQueryTimeRange=st.sampled_from(["P2D"]),
                    targetResourceTypes=st.just(["Microsoft.Compute/virtualMachines"]),
                    checkWorkspaceAlertsStorageConfigured=st.booleans(),
                    skipQueryValidation=st.booleans(),
                    resolveConfiguration=st.sampled_from([{"autoResolved": True, "timeToResolve": "PT10M"}, {"autoResolved": False}]),
                    actions=st.fixed_dictionaries(
                        {}, optional=optional(actionGroups=st.lists(KEY, max_size=2), customProperties=texts, actionProperties=texts)
                    ),
                ),
            )
        ),
        **draw(UNKNOWN),
    }
    tags = draw(st.none() | texts)
    identity = draw(st.none() | st.just({"type": "SystemAssigned"}))
    return ArmResource(
        "logAlert", draw(KEY), {"location": "westeurope", "kind": "LogAlert", "tags": tags, "identity": identity, "properties": properties}
    )


RESOURCES: dict[str, st.SearchStrategy[ArmResource]] = {
    "rules": rules(),
    "saved searches": saved_searches(),
    "watchlists": watchlists(),
    "workbooks": workbooks(),
    "log alerts": log_alerts(),
}
