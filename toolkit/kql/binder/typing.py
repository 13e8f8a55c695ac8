"""Types of operators and branches, and the implicit conversions they ask for.

The tables are Microsoft's (probed pair by pair); where the service refuses what its analyzer accepts, the caller refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from toolkit.kql.types import NUMBERS, ScalarType

BOOL, INT, LONG, REAL, DECIMAL = ScalarType.BOOL, ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL
STRING, DATETIME, TIMESPAN = ScalarType.STRING, ScalarType.DATETIME, ScalarType.TIMESPAN
GUID, DYNAMIC, UNKNOWN = ScalarType.GUID, ScalarType.DYNAMIC, ScalarType.UNKNOWN

ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "%"})
ORDERING: Final = frozenset({"<", "<=", ">", ">="})
EQUALITY: Final = frozenset({"==", "!="})
LOGICAL: Final = frozenset({"and", "or"})

_RANK: Final = {INT: 1, LONG: 2, REAL: 3, DECIMAL: 4}

# What turns a dynamic (or text) into a value of a type.
CONVERSION: Final = {
    BOOL: "tobool",
    INT: "toint",
    LONG: "tolong",
    REAL: "todouble",
    DECIMAL: "todecimal",
    STRING: "tostring",
    DATETIME: "todatetime",
    TIMESPAN: "totimespan",
    GUID: "toguid",
}


def widest(left: ScalarType, right: ScalarType) -> ScalarType:
    """The wider of two number types; two ints stay int."""
    return left if _RANK[left] >= _RANK[right] else right


def arithmetic(operator: str, left: ScalarType, right: ScalarType) -> ScalarType | None:
    """The result type of + - * / %, None where the analyzer knows no such operator (R-025, R-026)."""
    if UNKNOWN in (left, right):
        return _after_unknown(operator, right) if left is UNKNOWN else _before_unknown(operator, left)
    if left is DYNAMIC and right is DYNAMIC:
        return DYNAMIC
    if left in NUMBERS and right in NUMBERS:
        return LONG if widest(left, right) is INT else widest(left, right)
    if DYNAMIC in (left, right):
        return _with_dynamic(operator, left, right)
    return _temporal(operator, left, right)


def _before_unknown(operator: str, left: ScalarType) -> ScalarType:
    """The result where only the type of the left operand is known, as Microsoft's analyzer has it."""
    if left in NUMBERS:
        return UNKNOWN if operator == "*" else widest(left, LONG)
    if left is TIMESPAN and operator in ("+", "*", "%"):
        return TIMESPAN
    return DATETIME if left is DATETIME and operator == "+" else UNKNOWN


def _after_unknown(operator: str, right: ScalarType) -> ScalarType:
    """The same for the right operand; a datetime or a timespan less a timespan are not one type."""
    if right is INT and operator in ("+", "-"):
        return LONG
    if right not in (DATETIME, TIMESPAN):
        return UNKNOWN
    if operator == "/":
        return REAL
    if operator == "%" or (right is TIMESPAN and operator in ("+", "*")):
        return TIMESPAN
    return DATETIME if operator == "+" else UNKNOWN


def _with_dynamic(operator: str, left: ScalarType, right: ScalarType) -> ScalarType | None:
    other = right if left is DYNAMIC else left
    if other in NUMBERS:
        return LONG if other is INT else other
    if operator == "+" and other in (DATETIME, TIMESPAN):
        return other
    if operator == "-" and other in (DATETIME, TIMESPAN):
        return TIMESPAN
    return None


def _temporal(operator: str, left: ScalarType, right: ScalarType) -> ScalarType | None:
    pair = (left, right)
    if operator == "+":
        return {(DATETIME, DATETIME): DATETIME, (DATETIME, TIMESPAN): DATETIME, (TIMESPAN, DATETIME): DATETIME}.get(pair) or _both(
            pair, TIMESPAN
        )
    if operator == "-":
        return {(DATETIME, DATETIME): TIMESPAN, (DATETIME, TIMESPAN): DATETIME, (TIMESPAN, DATETIME): DATETIME}.get(pair) or _both(
            pair, TIMESPAN
        )
    if left in (DATETIME, TIMESPAN) and right in NUMBERS:
        return left
    if operator == "*":
        return right if left in NUMBERS and right in (DATETIME, TIMESPAN) else _both(pair, TIMESPAN)
    if pair in ((DATETIME, DATETIME), (DATETIME, TIMESPAN), (TIMESPAN, TIMESPAN)):
        return REAL if operator == "/" else TIMESPAN
    return None


def _both(pair: tuple[ScalarType, ScalarType], kind: ScalarType) -> ScalarType | None:
    return kind if pair == (kind, kind) else None


def service_refuses_arithmetic(operator: str, left: ScalarType, right: ScalarType) -> bool:
    """Pairs that only the analyzer accepts: they have no documented meaning (R-026)."""
    pair = (left, right)
    if operator == "+":
        return pair == (DATETIME, DATETIME)
    if operator == "-":
        return pair == (TIMESPAN, DATETIME)
    if operator == "*":
        return DATETIME in pair or pair == (TIMESPAN, TIMESPAN)
    return left is DATETIME and operator in ("/", "%") and right is not TIMESPAN


def ordered(left: ScalarType, right: ScalarType) -> bool:
    """Whether < <= > >= know this pair (R-036)."""
    if UNKNOWN in (left, right):
        return True
    numbers = NUMBERS | {BOOL}
    if left in numbers and right in numbers:
        return True
    if DYNAMIC in (left, right):
        other = right if left is DYNAMIC else left
        return other in NUMBERS or other is DYNAMIC
    return left is right and left in (DATETIME, TIMESPAN)


def textual(kind: ScalarType) -> bool:
    """Whether a string operator takes this operand."""
    return kind in (STRING, DYNAMIC, UNKNOWN)


def common(kinds: Sequence[ScalarType]) -> ScalarType | None:
    """The one type that all share, numbers promoted; None when there is none. Dynamic is not special here."""
    result: ScalarType | None = None
    for kind in kinds:
        if kind is UNKNOWN or kind is result:
            continue
        if result is None:
            result = kind
        elif result in NUMBERS and kind in NUMBERS:
            result = widest(result, kind)
        else:
            return None
    return result or UNKNOWN


def common_non_dynamic(kinds: Sequence[ScalarType]) -> ScalarType:
    """The type of iff and case: the common type of the branches that are not dynamic, else dynamic."""
    plain = [kind for kind in kinds if kind is not DYNAMIC]
    return (common(plain) or DYNAMIC) if plain else DYNAMIC


def same_family(left: ScalarType, right: ScalarType) -> bool:
    """Whether == compares the two without any conversion."""
    return left is right or (left in NUMBERS and right in NUMBERS) or UNKNOWN in (left, right)


def joinable(left: ScalarType, right: ScalarType) -> bool:
    """Whether the two can be keys of one join condition: the same type, int and long counting as one (R-223)."""
    return left is right or UNKNOWN in (left, right) or (left.is_integer and right.is_integer)
