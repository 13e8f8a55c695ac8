"""Values of parameters, and how each format of a reference (`{P}`, `{P:label}`, `{T:start}`) writes them.

Azure pastes texts: what a reference becomes depends only on the value and on the format, and for a time range also on whether
the text is a query or is shown to people.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from toolkit.workbooks.jsonpath import PathError, select

Target = Literal["query", "text"]

FORMATS = frozenset("value label query escape escapejson base64 tomltojson id name unformatted grid".split())
RESOURCE_FORMATS = frozenset(
    "subscription subscriptionid subscriptionname resourcegroup resourcetype resourcename resourcegroupid subid kind location".split()
)
TIME_FORMATS = frozenset("value label query start end grain startISO endISO startDateISO endDateISO durationISO seconds".split())

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_WORDS = {"d": "day", "h": "hour", "m": "minute", "s": "second"}
_HOUR, _DAY = 3_600, 86_400
_RESOURCE = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)(?:/resourcegroups/(?P<group>[^/]+))?(?:/providers/(?P<provider>.+))?", re.IGNORECASE
)
_GRAINS = ((_HOUR, "1m"), (4 * _HOUR, "5m"), (12 * _HOUR, "15m"), (_DAY, "30m"), (3 * _DAY, "1h"), (7 * _DAY, "6h"), (30 * _DAY, "1d"))


@dataclass(frozen=True)
class TimeRange:
    """A time range. `relative`: it ends at the query's now."""

    start: datetime
    end: datetime
    relative: bool = True

    @classmethod
    def last(cls, duration: timedelta, now: datetime) -> TimeRange:
        return cls(now - duration, now)

    @property
    def seconds(self) -> int:
        return int((self.end - self.start).total_seconds())

    @property
    def label(self) -> str:
        """`Last 24 hours`, or both ends."""
        if not self.relative:
            return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M}"
        count, unit = _largest(self.seconds)
        if unit == "d" and count <= 2:
            count, unit = count * 24, "h"
        return f"Last {count} {_WORDS[unit]}s" if count != 1 else f"Last {_WORDS[unit]}"

    @property
    def grain(self) -> str:
        return next((grain for limit, grain in _GRAINS if self.seconds <= limit), "1d")

    @property
    def condition(self) -> str:
        """What stands after a column in a query: `> ago(1d)`."""
        if self.relative:
            count, unit = _largest(self.seconds)
            return f"> ago({count}{unit})"
        return f"between (datetime({_iso(self.start)}) .. datetime({_iso(self.end)}))"


Plain = str | tuple[str, ...] | TimeRange


@dataclass(frozen=True)
class Value:
    """The value of a parameter in effect. None: it is not set. `guessed`: nobody knows it before the workbook runs.

    A tuple is what a multi-select holds; `quote` and `delimiter` write it. `whole`: the row of a click, as JSON.
    """

    plain: Plain | None
    label: str = ""
    quote: str = "'"
    delimiter: str = ","
    guessed: bool = False
    whole: bool = False


def known_format(value: Value, form: str) -> bool:
    """Whether Azure knows the format of a reference to such a value."""
    if not form or form.startswith("$."):
        return True
    if isinstance(value.plain, TimeRange):
        return form in TIME_FORMATS
    return form in FORMATS or form.lower() in RESOURCE_FORMATS or (value.guessed and form in TIME_FORMATS)


def written(value: Value, form: str, target: Target) -> str:
    """The text that a reference with this format becomes."""
    if isinstance(value.plain, TimeRange):
        return _time(value.plain, form, target)
    text = _joined(value, form.lower())
    if form == "label":
        return value.label or text
    if form == "escape":
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'")
    if form == "escapejson":
        return json.dumps(text, ensure_ascii=False)[1:-1]
    if form == "base64":
        return base64.b64encode(text.encode()).decode("ascii")
    if form == "tomltojson":
        return _json_of_toml(text)
    if form.startswith("$."):
        return _at_path(text, form)
    return text


def _joined(value: Value, form: str) -> str:
    if value.plain is None:
        return ""
    if isinstance(value.plain, tuple):
        return value.delimiter.join(f"{value.quote}{_of_resource(item, form)}{value.quote}" for item in value.plain)
    return _of_resource(str(value.plain), form)


def _of_resource(text: str, form: str) -> str:
    """The part of a resource id that a format names; another text, and what the id does not say, stays as it is."""
    found = _RESOURCE.fullmatch(text)
    if found is None:
        return text
    provider = (found["provider"] or "").split("/")
    parts = {
        "name": text.rpartition("/")[2],
        "resourcename": text.rpartition("/")[2],
        "resourcegroup": found["group"],
        "subscription": found["subscription"],
        "subscriptionid": found["subscription"],
        "subid": found["subscription"],
        "resourcetype": "/".join([provider[0], *provider[1::2]]) if provider[0] else None,
    }
    return parts.get(form) or text


def _json_of_toml(text: str) -> str:
    import tomllib

    try:
        return json.dumps(tomllib.loads(text), ensure_ascii=False, indent=2, default=str)
    except (tomllib.TOMLDecodeError, RecursionError):
        return text


def _time(value: TimeRange, form: str, target: Target) -> str:
    forms = {
        "": value.condition if target == "query" else value.label,
        "label": value.label,
        "value": value.condition,
        "query": value.condition,
        "start": _stamp(value.start, target),
        "end": _stamp(value.end, target),
        "startISO": _iso(value.start),
        "endISO": _iso(value.end),
        "startDateISO": f"{value.start:%Y-%m-%d}T00:00:00.000Z",
        "endDateISO": f"{value.end:%Y-%m-%d}T00:00:00.000Z",
        "durationISO": _iso_duration(value.seconds),
        "seconds": str(value.seconds),
        "grain": value.grain,
    }
    return forms.get(form, forms[""])


def _stamp(moment: datetime, target: Target) -> str:
    return f"datetime({_iso(moment)})" if target == "query" else f"{moment:%Y-%m-%d %H:%M}"


def _at_path(text: str, path: str) -> str:
    try:
        found = select(json.loads(text), path)
    except (ValueError, RecursionError, PathError):
        return ""
    here: Any = found[0] if len(found) == 1 else found or ""
    return here if isinstance(here, str) else json.dumps(here, ensure_ascii=False)


def _iso_duration(seconds: int) -> str:
    return next(f"PT{seconds // size}{unit}" for size, unit in ((_HOUR, "H"), (60, "M"), (1, "S")) if seconds % size == 0)


def _largest(seconds: int) -> tuple[int, str]:
    return next(((seconds // size, unit) for unit, size in _UNITS if seconds and seconds % size == 0), (seconds, "s"))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
