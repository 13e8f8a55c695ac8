"""Field types of the content models: they take YAML scalars, whose text is intact, and say what was expected.

`version: 1.0` stays "1.0", `name: yes` stays "yes"; a number is only a number where the schema says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from toolkit.content.durations import parse_duration
from toolkit.content.yaml.nodes import Scalar, scalar_value
from toolkit.kql.diagnostics import suggestion


class ContentModel(BaseModel):
    """A mapping of a content file: unknown keys are refused, keys are in camel case."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True, arbitrary_types_allowed=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty_keys(cls, values: Any) -> Any:
        """A key without a value counts as absent."""
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if not (isinstance(value, Scalar) and value.kind == "null")}


def refuse(code: str, message: str, hints: Iterable[str] = ()) -> PydanticCustomError:
    """An error that a validator raises; `model.py` turns it into a finding at the value's place."""
    return PydanticCustomError("content", "{message}", {"code": code, "message": message, "hints": tuple(hints)})


def shown(value: Any) -> str:
    """A found value in a message."""
    if isinstance(value, Scalar):
        text = value.text if len(value.text) <= 60 else value.text[:57] + "..."
        return repr(text)
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else repr(value)


def _scalar(value: Any, what: str) -> Scalar:
    if isinstance(value, Scalar):
        return value
    raise refuse("wrong-type", f"Expected {what}, found {shown(value)}.")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _scalar(value, "text").text


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    scalar = _scalar(value, "true or false")
    if scalar.text.lower() in ("true", "false", "yes", "no", "on", "off"):
        return scalar.text.lower() in ("true", "yes", "on")
    raise refuse("wrong-type", f"Expected true or false, found {shown(scalar)}.")


def _integer(value: Any) -> int:
    if isinstance(value, int):
        return value
    scalar = _scalar(value, "a whole number")
    if re.fullmatch(r"[+-]?\d{1,18}", scalar.text.strip()):
        return int(scalar.text)
    raise refuse("wrong-type", f"Expected a whole number, found {shown(scalar)}.")


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    scalar = _scalar(value, "a duration")
    duration = parse_duration(scalar.text)
    if duration is None:
        raise refuse("bad-value", f"Expected a duration, found {shown(scalar)}.", ["Write 5m, 1h, 14d or ISO 8601 (PT5M, P1D)."])
    return duration


def _anything(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _anything(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_anything(item) for item in value]
    return scalar_value(value) if isinstance(value, Scalar) else value


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, Scalar) else value


def choice(*names: str, what: str, also: dict[str, str] | None = None) -> Callable[[Any], str]:
    """A validator for one of `names`, in any case and with blanks, `_` and `-` ignored; `also` maps other spellings."""
    known = {_fold(name): name for name in names} | {_fold(name): target for name, target in (also or {}).items()}

    def check(value: Any) -> str:
        scalar = _scalar(value, what) if not isinstance(value, str) else Scalar(value, "str", "", (0, 0))  # type: ignore[arg-type]
        found = known.get(_fold(scalar.text))
        if found is None:
            options = f"{what} is one of {', '.join(names)}."
            near = suggestion(scalar.text, names)
            raise refuse("bad-value", f"{shown(scalar)} is not {what}.", [*near, options[0].upper() + options[1:]])
        return found

    return check


def _fold(text: str) -> str:
    return re.sub(r"[\s_-]", "", text).lower()


Text = Annotated[str, BeforeValidator(_text)]
Boolean = Annotated[bool, BeforeValidator(_boolean)]
Integer = Annotated[int, BeforeValidator(_integer)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Anything = Annotated[Any, BeforeValidator(_anything)]
Texts = Annotated[list[Text], BeforeValidator(_one_or_more)]
"""A list of texts; one text alone is a list of one."""
Raw = Annotated[Any, BeforeValidator(lambda value: value)]
"""Left as scalars, for a later stage that knows the type."""
