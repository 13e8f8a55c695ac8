"""From the rows of one run to its alerts: trigger, event grouping, texts and details (S-36 to S-43, S-58 to S-62)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from toolkit.content.limits import PLACEHOLDER
from toolkit.content.models.rule import SEVERITIES, TACTICS, Rule
from toolkit.simulate.cells import Row, distinct_texts
from toolkit.simulate.entities import Entity, extract_entities

CAP_SCHEDULED, CAP_NRT = 150, 30
MAX_TITLE_BYTES, MAX_DESCRIPTION_BYTES, MAX_DETAILS_BYTES = 256, 5 * 1024, 2048


@dataclass(frozen=True)
class Window:
    """What one run sees: `start < TimeGenerated <= end`; `end` is also `now()` (S-07, S-10)."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Alert:
    """One alert. `rows` are those behind it; `notes` say what the service left out or fell back on."""

    title: str
    description: str
    severity: str
    tactics: tuple[str, ...]
    entities: tuple[Entity, ...]
    details: Mapping[str, list[str]]
    rows: tuple[Row, ...]
    start: datetime
    end: datetime
    notes: tuple[str, ...] = ()


def window_of(rule: Rule, now: datetime) -> Window:
    """The window of the run whose nominal time is `now`."""
    return Window(now - rule.period, now)


def triggers(rule: Rule, count: int) -> bool:
    """Whether a run with so many rows raises alerts; any row does for NRT rules (S-33, S-36)."""
    if rule.is_nrt:
        return count > 0
    threshold = rule.trigger_threshold or 0
    return {"GreaterThan": count > threshold, "LessThan": count < threshold, "Equal": count == threshold, "NotEqual": count != threshold}[
        rule.trigger_operator or "GreaterThan"
    ]


def raise_alerts(rule: Rule, rows: Sequence[Row], window: Window) -> list[Alert]:
    """The alerts of one run over its result rows, in result order."""
    if not triggers(rule, len(rows)):
        return []
    if rule.event_grouping_settings.aggregation_kind == "SingleAlert" or not rows:
        return [_alert(rule, rows, window)]
    cap = CAP_NRT if rule.is_nrt else CAP_SCHEDULED
    if len(rows) <= cap:
        return [_alert(rule, [row], window) for row in rows]
    return [*(_alert(rule, [row], window) for row in rows[: cap - 1]), _alert(rule, rows, window)]


def _alert(rule: Rule, rows: Sequence[Row], window: Window) -> Alert:
    notes: list[str] = []
    entities = extract_entities(rule.entity_mappings, rows)
    override = rule.alert_details_override
    name_format = override.alert_display_name_format if override else None
    text_format = override.alert_description_format if override else None
    times = [time for row in rows if isinstance(time := row.get("TimeGenerated"), datetime)]
    return Alert(
        title=_text(name_format, rule.name, rows, MAX_TITLE_BYTES, notes),
        description=_text(text_format, rule.description, rows, MAX_DESCRIPTION_BYTES, notes),
        severity=_severity(rule, rows),
        tactics=_tactics(rule, rows),
        entities=tuple(entities.entities),
        details=_details(rule, rows, notes),
        rows=tuple(rows),
        start=min(times, default=window.start),
        end=max(times, default=window.end),
        notes=(*entities.dropped, *notes),
    )


def _text(text_format: str | None, default: str, rows: Sequence[Row], most: int, notes: list[str]) -> str:
    """A text with its placeholders filled; the rule's own text when one of them is empty (S-59)."""
    if not text_format:
        return default
    values = {column: distinct_texts(rows, column) for column in PLACEHOLDER.findall(text_format)}
    empty = next((column for column, texts in values.items() if not texts), None)
    if empty is not None:
        notes.append(f"the alert text falls back to the rule's own: {empty!r} is empty (S-59)")
        return default
    return cut_bytes(PLACEHOLDER.sub(lambda match: ", ".join(values[match[1]]), text_format), most)


def cut_bytes(text: str, most: int) -> str:
    """The longest beginning of a text that fits into so many UTF-8 bytes."""
    data = text.encode()
    return text if len(data) <= most else data[:most].decode(errors="ignore")


def _severity(rule: Rule, rows: Sequence[Row]) -> str:
    column = rule.alert_details_override.alert_severity_column_name if rule.alert_details_override else None
    known = {name.lower(): name for name in SEVERITIES}
    values = distinct_texts(rows, column) if column else []
    return next((known[value.lower()] for value in values if value.lower() in known), rule.severity or "Medium")


def _tactics(rule: Rule, rows: Sequence[Row]) -> tuple[str, ...]:
    column = rule.alert_details_override.alert_tactics_column_name if rule.alert_details_override else None
    known = {name.lower(): name for name in TACTICS}
    for value in distinct_texts(rows, column) if column else []:
        names = [part.strip(' "').lower() for part in value.strip("[]").split(",")]
        if found := tuple(known[name] for name in names if name in known):
            return found
    return tuple(rule.tactics)


def _details(rule: Rule, rows: Sequence[Row], notes: list[str]) -> dict[str, list[str]]:
    """Custom details: distinct values, at most 50 each and 2 KB together (S-58)."""
    details: dict[str, list[str]] = {}
    size = 0
    for key, column in rule.custom_details.items():
        for text in distinct_texts(rows, column):
            size += len(text.encode())
            if size > MAX_DETAILS_BYTES:
                notes.append(f"custom details past {MAX_DETAILS_BYTES} bytes are dropped (S-58)")
                return details
            details.setdefault(key, []).append(text)
    return details
