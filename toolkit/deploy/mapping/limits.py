"""What the service demands of bodies, where reading the file cannot know it yet: rendered queries, log alert rules, rows, workbooks.

Limits of rules that the file itself shows are checked when it is read (`toolkit.content.limits`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from toolkit.content.durations import show_duration
from toolkit.content.findings import Finding, Findings
from toolkit.content.items import Item
from toolkit.content.limits import MAX_QUERY
from toolkit.content.watchlists import MAX_CSV
from toolkit.content.workbooks import WorkbookSource
from toolkit.content.yaml.nodes import Path
from toolkit.deploy.mapping.resources import ArmResource
from toolkit.deploy.mapping.values import duration_of
from toolkit.kql.source import NOWHERE

MAX_ROW = 10 * 1024
_WHOLE_TABLES = re.compile(r"\s*(search|union)\s+\*", re.IGNORECASE)
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_FREQUENCIES = (*(n * _MINUTE for n in (1, 5, 10, 15, 30, 45)), *(n * _HOUR for n in range(1, 7)), _DAY)
_WINDOWS = (*_FREQUENCIES, 2 * _DAY)

Problem = tuple[Path, str]


def check(resource: ArmResource, item: Item | WorkbookSource) -> list[Finding]:
    """Findings (errors) at the places of the file for every limit that the body violates."""
    if isinstance(item, WorkbookSource):
        return []
    findings = Findings(item.source)
    for path, message in _problems(resource, item.query_key):
        span = item.document.span(path) if item.document else NOWHERE
        findings.add("limit", message, span)
    return findings.found


def _problems(resource: ArmResource, query_key: str) -> Iterator[Problem]:
    properties = resource.body["properties"]
    if resource.kind == "alertRule":
        yield from _query(properties.get("query", ""), query_key)
    elif resource.kind == "logAlert":
        yield from _log_alert(properties)
    elif resource.kind == "watchlist":
        yield from _watchlist(resource)


def _query(text: str, key: str) -> Iterator[Problem]:
    if not text.strip():
        yield (key,), "The rendered query is empty."
    if len(text) > MAX_QUERY:
        yield (key,), f"The rendered query has {len(text)} characters; the service takes {MAX_QUERY}."
    if match := _WHOLE_TABLES.match(text):
        yield (key,), f"A rule may not begin with `{match[1]} *`."


def _log_alert(properties: dict[str, Any]) -> Iterator[Problem]:
    frequency, window = duration_of(properties.get("evaluationFrequency")), duration_of(properties.get("windowSize"))
    muted = duration_of(properties.get("muteActionsDuration"))
    override = duration_of(properties.get("overrideQueryTimeRange"))
    criterion = properties["criteria"]["allOf"][0]
    periods = criterion["failingPeriods"]
    number, least = periods["numberOfEvaluationPeriods"], periods["minFailingPeriodsToAlert"]
    if not 0 <= properties["severity"] <= 4:
        yield ("target", "severity"), f"The severity of a log alert rule is 0 to 4, found {properties['severity']}."
    yield from _allowed(("queryFrequency",), frequency, _FREQUENCIES)
    yield from _allowed(("queryPeriod",), window, _WINDOWS)
    if frequency and window:
        if window == _MINUTE and frequency != _MINUTE:
            yield ("queryPeriod",), "A window of 1m needs a frequency of 1m."
        if frequency > (override or window):
            yield ("queryFrequency",), f"The frequency ({show_duration(frequency)}) is longer than the window: events are missed."
        if window * number > 2 * _DAY:
            yield (
                ("target", "failingPeriods"),
                f"The window times {number} periods is {show_duration(window * number)}; at most 2d are allowed.",
            )
    if not 1 <= number <= 6 or not 1 <= least <= number:
        yield ("target", "failingPeriods"), f"Periods are 1 to 6 and at least as many as have to fail, found {number} and {least}."
    if muted and frequency and frequency > muted:
        yield ("suppressionDuration",), "The suppression is shorter than queryFrequency."
    if muted and properties["autoMitigate"]:
        yield ("target", "autoMitigate"), "autoMitigate and suppression exclude each other in log alert rules."
    if criterion["timeAggregation"] != "Count" and not criterion.get("metricMeasureColumn"):
        yield ("target", "timeAggregation"), f"The aggregation {criterion['timeAggregation']} needs metricMeasureColumn."


def _allowed(path: Path, value: timedelta | None, allowed: tuple[timedelta, ...]) -> Iterator[Problem]:
    if value is not None and value not in allowed:
        listed = ", ".join(map(show_duration, allowed))
        yield path, f"A log alert rule takes {listed} as {path[-1]}, found {show_duration(value)}."


def _watchlist(resource: ArmResource) -> Iterator[Problem]:
    text = str(resource.only_at_creation.get("rawContent", ""))
    size = len(text.encode())
    if size > MAX_CSV:
        yield (), f"The watchlist has {size / 1e6:.1f} MB of rows; an upload takes {MAX_CSV / 1e6:.1f} MB."
    for number, child in enumerate(resource.children, 1):
        values = child.body["properties"]["itemsKeyValue"]
        if sum(len(str(value).encode()) for value in values.values()) > MAX_ROW:
            yield (), f"Row {number} of the watchlist is larger than {MAX_ROW // 1024} KB."
