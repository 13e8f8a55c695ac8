"""What the service demands of a rule beyond its shape: required keys, ranges, counts, and keys that have to agree.

Numbers are those of Microsoft's service limits and of the Azure-Sentinel repository's validators.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from toolkit.catalog.entities import ENTITY_TYPES
from toolkit.content.durations import show_duration
from toolkit.content.findings import Findings
from toolkit.content.models.rule import Described, EntityMapping, HuntingQuery, Rule
from toolkit.content.yaml.nodes import Document, Path
from toolkit.kql.diagnostics import Severity, suggestion

MAX_QUERY = 10_000
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?")
_COLUMN = re.compile(r"[a-zA-Z_]\w*")
_DETAIL_KEY = re.compile(r"[a-zA-Z]\w*")
PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_WHOLE_TABLES = re.compile(r"\s*(search|union)\s+\*", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """One violated limit: where in the document (a path), and what is wrong.

    `about` are the top-level keys that it compares; when one of them is wrong itself, nothing more is said.
    """

    path: Path
    code: str
    message: str
    hints: tuple[str, ...] = ()
    severity: Severity = "error"
    about: tuple[str, ...] = ()


def check_limits(item: Described, document: Document, findings: Findings) -> None:
    """Add a finding for every limit that a rule or hunting query violates, except by keys that are reported already."""
    wrong = _wrong_keys(document, [finding.diagnostic.start for finding in findings.found])
    for problem in _problems(item):
        if wrong.isdisjoint(problem.about):
            findings.add(problem.code, problem.message, document.span(problem.path), hints=problem.hints, severity=problem.severity)


def _wrong_keys(document: Document, places: Sequence[int]) -> set[str]:
    """The top-level keys inside which something was found."""
    entries = document.mapping.entries.items()
    return {name for name, entry in entries if any(entry.key.span.start <= place <= entry.value.span.end for place in places)}


def _problems(item: Described) -> Iterator[Problem]:
    yield from _identity(item)
    yield from _query(item)
    yield from _attack(item)
    yield from _entities(item)
    yield from _details(item)
    if isinstance(item, Rule):
        yield from _required(item)
        yield from _nrt(item) if item.is_nrt else _schedule(item)
        yield from _override(item)
        yield from _incident(item)
        yield from _suppression(item)


def _missing(key: str, why: str = "") -> Problem:
    return Problem((key,), "missing-key", f"The key {key!r} is missing{why}.", about=(key,))


def _identity(item: Described) -> Iterator[Problem]:
    if not item.name.strip() and not (isinstance(item, HuntingQuery) and item.display_name):
        yield _missing("name")
    if len(item.name) > 256:
        yield Problem(("name",), "limit", f"The name has {len(item.name)} characters; the service takes 256.")
    if len(item.description) > 5000:
        yield Problem(("description",), "limit", f"The description has {len(item.description)} characters; the service takes 5000.")
    if item.id is not None and not _GUID.fullmatch(item.id.strip()):
        hint = "`python -c 'import uuid; print(uuid.uuid4())'` makes one."
        yield Problem(("id",), "bad-value", f"Expected a GUID as id, found {item.id!r}.", (hint,), "warning")
    if item.version is not None and not _VERSION.fullmatch(item.version.strip()):
        message = f"Expected a version of three numbers, found {item.version!r}."
        yield Problem(("version",), "bad-value", message, ("Write for example 1.0.0.",), "warning")


def _query(item: Described) -> Iterator[Problem]:
    if not item.query.strip():
        yield _missing("query")
    if len(item.query) > MAX_QUERY and isinstance(item, Rule):
        yield Problem(
            ("query",),
            "limit",
            f"The query has {len(item.query)} characters; the service takes {MAX_QUERY}.",
            ("Move parts of it into a function.",),
        )
    if isinstance(item, Rule) and (match := _WHOLE_TABLES.match(item.query)):
        yield Problem(("query",), "limit", f"A rule may not begin with `{match[1]} *`.", ("Name the tables that it reads.",))


def _attack(item: Described) -> Iterator[Problem]:
    for key, techniques in (("relevantTechniques", item.relevant_techniques), ("techniques", item.techniques)):
        for number, technique in enumerate(techniques):
            if not _TECHNIQUE.fullmatch(technique.strip()):
                message = f"Expected an ATT&CK technique, found {technique!r}."
                yield Problem((key, number), "bad-value", message, ("Write T1078, or T1078.004 for a sub-technique.",))
        if techniques and not item.tactics:
            yield Problem(
                (key,),
                "missing-tactics",
                "Techniques are given without a tactic; the service needs the tactic of each.",
                severity="warning",
                about=("tactics",),
            )


def _required(rule: Rule) -> Iterator[Problem]:
    if rule.severity is None and (rule.target is None or rule.target.severity is None):
        yield _missing("severity")
    if rule.id is None:
        yield Problem(("id",), "missing-key", "The key 'id' is missing; without it a renamed rule is a new rule.", severity="warning")


def _schedule(rule: Rule) -> Iterator[Problem]:
    frequency, period = rule.query_frequency, rule.query_period
    if frequency is None:
        yield _missing("queryFrequency", " (a rule of kind Scheduled needs it)")
    if period is None:
        yield _missing("queryPeriod", " (a rule of kind Scheduled needs it)")
    target = rule.target
    if rule.trigger_operator is None and not (target and target.operator):
        yield _missing("triggerOperator")
    if rule.trigger_threshold is None and (target is None or target.threshold is None):
        yield _missing("triggerThreshold")
    if rule.trigger_threshold is not None and target is None and not 0 <= rule.trigger_threshold <= 10_000:
        yield Problem(("triggerThreshold",), "limit", f"The threshold is {rule.trigger_threshold}; it has to be 0 to 10000.")
    if target is None:
        yield from _schedule_ranges(frequency, period)


def _schedule_ranges(frequency: timedelta | None, period: timedelta | None) -> Iterator[Problem]:
    """Those of analytics rules; log alert rules have their own, which the deployment checks."""
    yield from _within("queryFrequency", frequency, 5 * _MINUTE, 14 * _DAY)
    yield from _within("queryPeriod", period, 5 * _MINUTE, 14 * _DAY)
    if frequency and period and period < frequency:
        message = f"The period ({show_duration(period)}) is shorter than the frequency ({show_duration(frequency)}): events are missed."
        yield Problem(("queryPeriod",), "limit", message, ("Make queryPeriod at least as long as queryFrequency.",))
    if frequency and period and period >= 2 * _DAY and frequency < _HOUR:
        message = f"A period of {show_duration(period)} (2d or more) needs a frequency of at least 1h, found {show_duration(frequency)}."
        yield Problem(("queryFrequency",), "limit", message)


def _nrt(rule: Rule) -> Iterator[Problem]:
    given = {
        "queryFrequency": rule.query_frequency,
        "queryPeriod": rule.query_period,
        "triggerOperator": rule.trigger_operator,
        "triggerThreshold": rule.trigger_threshold,
    }
    for key, value in given.items():
        if value is not None:
            yield Problem((key,), "ignored-key", f"A rule of kind NRT has no {key}; the service ignores it.", severity="warning")


def _within(key: str, value: timedelta | None, least: timedelta, most: timedelta) -> Iterator[Problem]:
    if value is not None and not least <= value <= most:
        message = f"Expected {key} between {show_duration(least)} and {show_duration(most)}, found {show_duration(value)}."
        yield Problem(tuple(key.split(".")), "limit", message)


def _entities(item: Described) -> Iterator[Problem]:
    if len(item.entity_mappings) > 10:
        yield Problem(("entityMappings",), "limit", f"The rule maps {len(item.entity_mappings)} entities; the service takes 10.")
    for number, mapping in enumerate(item.entity_mappings):
        yield from _mapping(mapping, ("entityMappings", number))


def _mapping(mapping: EntityMapping, path: Path) -> Iterator[Problem]:
    kind = ENTITY_TYPES[mapping.entity_type]
    fields = mapping.field_mappings
    if not 1 <= len(fields) <= 3:
        yield Problem((*path, "fieldMappings"), "limit", f"An entity takes 1 to 3 field mappings, found {len(fields)}.")
    seen: set[str] = set()
    for number, field in enumerate(fields):
        where = (*path, "fieldMappings", number)
        if field.identifier not in kind.identifiers:
            hints = suggestion(field.identifier, kind.identifiers) or (f"Identifiers of {kind.name}: {', '.join(kind.identifiers)}.",)
            yield Problem((*where, "identifier"), "bad-value", f"{kind.name} has no identifier {field.identifier!r}.", hints)
        if field.identifier in seen:
            yield Problem((*where, "identifier"), "bad-value", f"The identifier {field.identifier!r} is mapped twice in one entity.")
        seen.add(field.identifier)
        if not _COLUMN.fullmatch(field.column_name) or len(field.column_name) > 500:
            yield Problem((*where, "columnName"), "bad-value", f"Expected the name of a column, found {field.column_name!r}.")
    if fields and seen <= set(kind.identifiers) and not any(required <= seen for required in kind.required):
        ways = " or ".join("+".join(sorted(required)) for required in kind.required)
        yield Problem(
            (*path, "entityType"),
            "missing-identifier",
            f"The mapping makes no {kind.name} entity: it needs {ways}, found {', '.join(sorted(seen))}.",
        )


def _details(item: Described) -> Iterator[Problem]:
    if len(item.custom_details) > 20:
        yield Problem(("customDetails",), "limit", f"The rule has {len(item.custom_details)} custom details; the service takes 20.")
    for key, column in item.custom_details.items():
        if not _DETAIL_KEY.fullmatch(key) or len(key) > 20:
            yield Problem(
                ("customDetails", key),
                "limit",
                f"The custom detail {key!r} has to be a name of at most 20 letters, digits and underscores.",
            )
        if not _COLUMN.fullmatch(column) or len(column) > 500:
            yield Problem(("customDetails", key), "bad-value", f"Expected the name of a column, found {column!r}.")


def _override(rule: Rule) -> Iterator[Problem]:
    override = rule.alert_details_override
    if override is None:
        return
    formats = (
        ("alertDisplayNameFormat", override.alert_display_name_format, 256),
        ("alertDescriptionFormat", override.alert_description_format, 5000),
    )
    for key, text, most in formats:
        if text is None:
            continue
        path = ("alertDetailsOverride", key)
        if not 1 <= len(text) <= most:
            yield Problem(path, "limit", f"{key} has {len(text)} characters; the service takes 1 to {most}.")
        columns = PLACEHOLDER.findall(text)
        if len(columns) > 3:
            yield Problem(path, "limit", f"{key} uses {len(columns)} columns ({', '.join(columns)}); the service takes 3.")


def _incident(rule: Rule) -> Iterator[Problem]:
    path = ("incidentConfiguration", "groupingConfiguration")
    grouping = rule.incident_configuration.grouping_configuration
    yield from _within(".".join((*path, "lookbackDuration")), grouping.lookback_duration, 5 * _MINUTE, 7 * _DAY)
    chosen = (grouping.group_by_entities, grouping.group_by_alert_details, grouping.group_by_custom_details)
    if grouping.enabled and grouping.matching_method == "Selected" and not any(chosen):
        yield Problem(
            (*path, "matchingMethod"),
            "bad-value",
            "The matching method Selected needs groupByEntities, groupByAlertDetails or groupByCustomDetails.",
        )
    mapped = {mapping.entity_type for mapping in rule.entity_mappings}
    for number, kind in enumerate(grouping.group_by_entities):
        if kind not in mapped:
            yield Problem(
                (*path, "groupByEntities", number),
                "bad-value",
                f"The rule groups by {kind}, which no entity mapping gives.",
                about=("entityMappings",),
            )
    for number, detail in enumerate(grouping.group_by_custom_details):
        if detail not in rule.custom_details:
            message = f"The rule groups by the custom detail {detail!r}, which it does not have."
            yield Problem(
                (*path, "groupByCustomDetails", number),
                "bad-value",
                message,
                suggestion(detail, rule.custom_details),
                about=("customDetails",),
            )


def _suppression(rule: Rule) -> Iterator[Problem]:
    if rule.target is None:
        yield from _within("suppressionDuration", rule.suppression_duration, 5 * _MINUTE, _DAY)
    short = rule.suppression_duration and rule.query_frequency and rule.suppression_duration < rule.query_frequency
    if rule.suppression_enabled and short:
        message = "The suppression is shorter than queryFrequency and has no effect."
        yield Problem(("suppressionDuration",), "limit", message, severity="warning")
