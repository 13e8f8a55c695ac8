r"""Cheap substring tests in front of comparisons with a JSON path, where they cannot change the result.

`tostring(parse_json(log_s).verb) == "create"` can only hold where log_s contains the text `create`, or an escape that
may hide it: JSON may write any character as \uXXXX, and a slash as \/. Finding a substring is several times faster than
parsing JSON, and most rows stop there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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


def substring_guard(call: plan.Call, text: Sql) -> Sql | None:
    """A necessary condition, over the JSON text, of comparing tostring(path) by `call`; None when there is no sound one."""
    needles = _needles(call.args[1:])
    if needles is None or not 0 < len(needles) <= _MAX_NEEDLES:
        return None
    if call.name in _WHOLE_OPERATORS:
        sound = all(map(_whole_is_safe, needles))
    else:
        sound = call.name in _PART_OPERATORS and all(_PART.fullmatch(needle) and len(needle) > 1 for needle in needles)
    if not sound:
        return None
    escapes = ["\\u"] + (["\\/"] if any("/" in needle for needle in needles) else [])
    tests = tuple(Form("contains({0}, {1})", (text, Literal(part, "VARCHAR"))) for part in [*needles, *escapes])
    return Form("(" + " OR ".join(f"{{{index}}}" for index in range(len(tests))) + ")", tests)


def _whole_is_safe(needle: str) -> bool:
    if not _WHOLE.fullmatch(needle):
        return False
    return not _NUMBER_LIKE.fullmatch(needle) or _INTEGER.fullmatch(needle) is not None


def _needles(args: Sequence[plan.Expr]) -> list[str] | None:
    """The distinct literal texts among the arguments; None when one is not a literal text."""
    found: list[str] = []
    for arg in args:
        if not isinstance(arg, plan.Const) or arg.type is not ScalarType.STRING or not isinstance(arg.value, str):
            return None
        found.append(arg.value)
    return list(dict.fromkeys(found))
