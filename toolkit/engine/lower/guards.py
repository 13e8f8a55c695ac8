r"""Cheap substring tests in front of comparisons with a JSON path, where they cannot change the result.

`tostring(parse_json(log_s).verb) == "create"` can only hold where log_s contains the text `create`, or an escape that
may hide it: JSON may write any character as \uXXXX, and a slash as \/. Finding a substring is several times faster than
parsing JSON, and most rows stop there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from toolkit.engine.functions.folding import fold
from toolkit.engine.lower.repeats import named_once
from toolkit.engine.sql import Form, Literal, Sql
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

_MAX_NEEDLES = 6
# Characters that JSON writes as themselves or as an escape: no quotes, backslashes, control or non-ASCII characters.
_WHOLE = re.compile(r"[A-Za-z0-9 _\-.:@/=+]{2,}")
# Inside the text of an object white space and numbers may be written differently, so structure and numbers are out.
_PART = re.compile(r"[A-Za-z0-9_\-.@/]*[A-DF-Za-df-z_@/][A-Za-z0-9_\-.@/]*")
_NUMBER_LIKE = re.compile(r"[+\-]?[0-9]*\.?[0-9]*([eE][+\-]?[0-9]*)?")
_INTEGER = re.compile(r"[1-9][0-9]+")

_WHOLE_OPERATORS = frozenset({"==", "in"})
_PART_OPERATORS = frozenset({"contains_cs", "has_cs", "startswith_cs", "endswith_cs", "hasprefix_cs", "hassuffix_cs"})
_WHOLE_ANY_CASE = frozenset({"=~", "in~"})
_PART_ANY_CASE = frozenset({"contains", "has", "startswith", "endswith", "hasprefix", "hassuffix", "has_any"})


def substring_guard(calls: Sequence[plan.Call], text: Sql, runs: int, number: int) -> Sql | None:
    """A necessary condition, over the JSON text, of any of the calls holding for tostring(path); None without a sound one.

    `runs`: how often the path parses. Lower-casing a text costs about as much as parsing it once, so operators that
    ignore case get a guard only where they save several. `number` makes names in the form unique.
    """
    any_case = any(call.name in _WHOLE_ANY_CASE or call.name in _PART_ANY_CASE for call in calls)
    if any_case and runs < 2:
        return None
    needles: dict[str, None] = {}
    for call in calls:
        found = _needles(call.args[1:])
        if found is None or not _is_sound(call.name, found):
            return None
        needles |= dict.fromkeys(fold(needle) if any_case else needle for needle in found)
    if not 0 < len(needles) <= _MAX_NEEDLES:
        return None
    escapes = ["\\u", *(["\\/"] if any("/" in needle for needle in needles) else [])]
    if not any_case:
        return _any_of(text, [*needles, *escapes])
    lowered = named_once(Form("lower({0})", (text,)), number, lambda name: _any_of(name, list(needles)))
    return Form("({0} OR {1})", (lowered, _any_of(text, escapes)))


def _any_of(text: Sql, parts: Sequence[str]) -> Sql:
    tests = tuple(Form("contains({0}, {1})", (text, Literal(part, "VARCHAR"))) for part in parts)
    return Form("(" + " OR ".join(f"{{{index}}}" for index in range(len(tests))) + ")", tests)


def _is_sound(operator: str, needles: Sequence[str]) -> bool:
    if operator in _WHOLE_OPERATORS or operator in _WHOLE_ANY_CASE:
        return all(map(_whole_is_safe, needles))
    if operator in _PART_OPERATORS or operator in _PART_ANY_CASE:
        return all(_PART.fullmatch(needle) is not None and len(needle) > 1 for needle in needles)
    return False


def _whole_is_safe(needle: str) -> bool:
    if not _WHOLE.fullmatch(needle):
        return False
    return not _NUMBER_LIKE.fullmatch(needle) or _INTEGER.fullmatch(needle) is not None


def _needles(args: Sequence[plan.Expr]) -> list[str] | None:
    """The literal texts among the arguments; None when one is not a literal text."""
    found: list[str] = []
    for arg in args:
        if not isinstance(arg, plan.Const) or arg.type is not ScalarType.STRING or not isinstance(arg.value, str):
            return None
        found.append(arg.value)
    return found
