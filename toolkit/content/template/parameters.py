"""Template parameters: declared by the rule, given by toolkit.yaml, an environment or a case, checked by type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from toolkit.content.durations import parse_duration
from toolkit.content.yaml.nodes import Scalar, scalar_value
from toolkit.kql.diagnostics import suggestion


class ParameterError(ValueError):
    """A value that is not of its parameter's type; the text says what was expected and found."""


def _text(text: str) -> str:
    return text


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError
    return text.lower() == "true"


def _timespan(text: str) -> Any:
    sign = -1 if text.startswith("-") else 1
    duration = parse_duration(text.removeprefix("-"))
    if duration is None:
        raise ValueError
    return sign * duration


def _datetime(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_SCALARS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "string": ("text", _text),
    "int": ("a whole number", int),
    "long": ("a whole number", int),
    "real": ("a number", float),
    "double": ("a number", float),
    "decimal": ("a decimal number", Decimal),
    "bool": ("true or false", _boolean),
    "timespan": ("a duration such as 5m, 1h or 14d", _timespan),
    "datetime": ("a date and time such as 2026-03-02T10:00:00Z", _datetime),
    "guid": ("a GUID", UUID),
}
TYPES = (*_SCALARS, "list", "dynamic", *(f"list[{name}]" for name in _SCALARS))


def type_problem(kind: str) -> tuple[str, tuple[str, ...]] | None:
    """The message and hints for a type that does not exist."""
    if kind in TYPES:
        return None
    near = suggestion(kind, TYPES)
    return f"{kind!r} is not a parameter type.", (*near, f"Types: {', '.join(_SCALARS)}, list, list[string] ..., dynamic.")


def parameter_value(kind: str, value: Any) -> Any:
    """A YAML value (scalars, lists and dicts of `Scalar`) as the Python value of a parameter type. Raises ParameterError."""
    if kind == "dynamic":
        return plain_value(value)
    if kind.startswith("list"):
        if not isinstance(value, list):
            raise ParameterError(f"expected a list, found {_shown(value)}")
        inner = kind[5:-1]
        return [parameter_value(inner, item) if inner else plain_value(item) for item in value]
    what, read = _SCALARS.get(kind, _SCALARS["string"])
    if not isinstance(value, Scalar):
        raise ParameterError(f"expected {what}, found {_shown(value)}")
    try:
        return read(value.text.strip() if kind != "string" else value.text)
    except (ValueError, InvalidOperation, OverflowError) as error:
        raise ParameterError(f"expected {what}, found {_shown(value)}") from error


def plain_value(value: Any) -> Any:
    """A YAML value with the types that YAML gives it."""
    if isinstance(value, Mapping):
        return {str(name): plain_value(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain_value(item) for item in value]
    return scalar_value(value) if isinstance(value, Scalar) else value


def _shown(value: Any) -> str:
    if isinstance(value, Scalar):
        return repr(value.text if len(value.text) <= 60 else value.text[:57] + "...")
    return "a mapping" if isinstance(value, Mapping) else "a list"
