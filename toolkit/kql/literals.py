"""Literal text -> value (R-008 to R-021). Nothing is guessed: what is no literal of its type raises `LiteralError`."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation

from toolkit.kql.diagnostics import ToolkitError
from toolkit.kql.keywords import LITERAL_WORDS
from toolkit.kql.times import format_datetime_iso, parse_datetime_literal, parse_timespan_literal


class LiteralError(ToolkitError):
    """A literal whose text does not mean a value of its type. `expected` says in words what would."""

    def __init__(self, kind: str, found: str, expected: str) -> None:
        self.kind, self.found, self.expected = kind, found, expected
        super().__init__(f"Expected {expected}, found {found!r}.")


_SIMPLE_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPE = re.compile(r"\\(?:([\\'\"abfnrtv])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-3]?[0-7]{1,2})|(.))", re.DOTALL)
_INTEGER = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|([0-9]+))")
_REAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_REAL_NAMES = {"nan": float("nan"), "inf": float("inf"), "+inf": float("inf"), "-inf": float("-inf")}
_GUID = re.compile(r"[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}")
_BITS = {"int": 32, "long": 64}


def string_value(token: str) -> str:
    """The value of one string token in any of its forms (R-008 to R-012)."""
    body = token[1:] if token[0] in "hH" else token
    if body.startswith(("```", "~~~")):
        return body[3:-3]
    if body[0] == "@":
        return body[2:-1].replace(body[1] * 2, body[1])
    inner = body[1:-1]
    return _ESCAPE.sub(_unescaped, inner) if "\\" in inner else inner


def _unescaped(match: re.Match[str]) -> str:
    simple, short, long, byte, octal, unknown = match.groups()
    if simple is not None:
        return _SIMPLE_ESCAPES.get(simple, simple)
    if unknown is not None:
        raise LiteralError("string", f"\\{unknown}", "an escape sequence that exists")
    code = int(octal, 8) if octal is not None else int(short or long or byte, 16)
    if code > 0x10FFFF:
        raise LiteralError("string", match.group(), "a character up to \\U0010FFFF")
    return chr(code)


def quoted(value: str) -> str:
    """A string as a KQL literal: double quotes, escaped so that it stands on one line and reads back the same."""
    return _UNSAFE.sub(_escaped, json.dumps(value, ensure_ascii=False))


_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


def number_value(kind: str, text: str) -> int | float:
    """The value of a bare number token: LONG digits or hex, REAL digits (R-014, R-015)."""
    return float(text) if kind == "REAL" else _integer("long", text)


def typed_value(token: str) -> tuple[str, object]:
    """Type and value of `word(text)` (R-014 to R-020); the value of `word(null)` is None."""
    word, _, rest = token.partition("(")
    kind = LITERAL_WORDS[word]
    return kind, value_of(kind, rest.removesuffix(")").strip())


def value_of(kind: str, text: str) -> object:
    """The value of what stands inside the parentheses of a typed literal; None for null."""
    if text == "null":
        return None
    return _READERS[kind](text)


def _integer(kind: str, text: str) -> int:
    match = _INTEGER.fullmatch(text)
    bits = _BITS[kind]
    expected = f"{'an' if kind == 'int' else 'a'} {kind} (a whole number of {bits} bits, decimal or 0x hex)"
    if match is None or (match[1] and match[2]):
        raise LiteralError(kind, text, expected)
    if match[2]:
        value = int(match[2], 16) if len(match[2]) <= bits // 4 + 64 else 1 << bits
        if value >= 1 << bits:
            raise LiteralError(kind, text, expected)
        return value - (1 << bits) if value >= 1 << (bits - 1) else value
    digits = match[3].lstrip("0") or "0"
    number = int(match[1] + digits) if len(digits) <= 20 else 1 << 70
    if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise LiteralError(kind, text, expected)
    return number


def _int(text: str) -> int:
    return _integer("int", text)


def _long(text: str) -> int:
    return _integer("long", text)


def _real(text: str) -> float:
    named = _REAL_NAMES.get(text.lower())
    if named is not None:
        return named
    if _REAL.fullmatch(text) is None:
        raise LiteralError("real", text, "a real number, nan, +inf or -inf")
    return float(text)


def _decimal(text: str) -> Decimal:
    try:
        if _REAL.fullmatch(text):
            return Decimal(text)
    except InvalidOperation:
        pass
    raise LiteralError("decimal", text, "a decimal number")


def _bool(text: str) -> bool:
    lower = text.lower()
    if lower in ("true", "false"):
        return lower == "true"
    if _INTEGER.fullmatch(text):
        return _integer("long", text) != 0
    raise LiteralError("bool", text, "true, false or a whole number")


def _datetime(text: str) -> int | None:
    """Ticks; None means `datetime()`, the moment of the query (R-018): the caller tells it from null by the text."""
    if text == "":
        return None
    ticks = parse_datetime_literal(text)
    if ticks is None:
        raise LiteralError("datetime", text, "a date, for example 2024-05-31 or 2024-05-31T10:00:00Z")
    return ticks


def _timespan(text: str) -> int:
    ticks = parse_timespan_literal(_unquoted(text))
    if ticks is None:
        raise LiteralError("timespan", text, "a time span, for example 1.02:03:04 or 90m")
    return ticks


def _guid(text: str) -> str:
    plain = _unquoted(text)
    if _GUID.fullmatch(plain) is None:
        raise LiteralError("guid", text, "a guid of 32 hexadecimal digits")
    digits = plain.replace("-", "").lower()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"" else text


_READERS = {
    "int": _int,
    "long": _long,
    "real": _real,
    "decimal": _decimal,
    "bool": _bool,
    "datetime": _datetime,
    "timespan": _timespan,
    "guid": _guid,
}


def json_of(kind: str, value: object) -> str:
    """A literal inside `dynamic(...)` as JSON text (R-021)."""
    if value is None:
        if kind == "datetime":
            raise LiteralError("dynamic", "datetime(null)", "a value that JSON has")
        return "null"
    if kind == "datetime" and isinstance(value, int):
        return json.dumps(format_datetime_iso(value))
    if kind == "real" and isinstance(value, float):
        return _json_real(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return str(value)
    return json.dumps(str(value), ensure_ascii=False)


def _json_real(value: float) -> str:
    if value != value:
        return '"NaN"'
    if value in (float("inf"), float("-inf")):
        return '"Infinity"' if value > 0 else '"-Infinity"'
    return repr(value)
