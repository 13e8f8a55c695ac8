"""YAML text of plain values, deterministic: keys in the given order, text of several lines as `|` blocks, quotes only where needed.

What it writes, `toolkit.content.yaml` reads back as the same values; PyYAML's own writer gives up blocks for every tab.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.deploy.mapping.values import description_text

_PLAIN = re.compile(r"[A-Za-z_/(][^\x00-\x1f\x7f-\xa0\ud800-\udfff\ufeff\u2028\u2029]*")
_RISKY = re.compile(r": |:$| #|^(?:y|n|yes|no|on|off|true|false|null|~)$|\s$|^[=<]", re.IGNORECASE)
_BLOCK = re.compile(r"[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_STEP = 2


def yaml_text(document: Mapping[str, Any]) -> str:
    """A mapping of plain values (text, numbers, booleans, None, lists, mappings) as the text of a YAML file."""
    return "".join(f"{line}\n" for line in _mapping(document, 0))


def _mapping(values: Mapping[str, Any], indent: int) -> Iterator[str]:
    pad = " " * indent
    for key, value in values.items():
        head = f"{pad}{_scalar(str(key))}:"
        if isinstance(value, Mapping) and value:
            yield head
            yield from _mapping(value, indent + _STEP)
        elif isinstance(value, list | tuple) and value:
            yield head
            yield from _sequence(value, indent + _STEP)
        elif isinstance(value, str) and _as_block(str(key), value):
            yield from _block(head, value, indent + _STEP)
        else:
            yield f"{head} {_scalar(value)}"


def _sequence(values: list[Any] | tuple[Any, ...], indent: int) -> Iterator[str]:
    pad = " " * indent
    for value in values:
        lines: Iterator[str]
        if isinstance(value, Mapping) and value:
            lines = _mapping(value, indent + _STEP)
        elif isinstance(value, list | tuple) and value:
            lines = _sequence(value, indent + _STEP)
        else:
            yield f"{pad}- {_scalar(value)}"
            continue
        first = next(lines)
        yield f"{pad}- {first[indent + _STEP :]}"
        yield from lines


def _as_block(key: str, text: str) -> bool:
    if "\n" not in text.rstrip("\n") and not key.lower().endswith("query"):
        return False
    if not text.strip() or not _BLOCK.fullmatch(text):
        return False
    # In a block a pair of quotes around a description would be taken away.
    return key.lower() != "description" or description_text(text, "|") == description_text(text, "")


def _block(head: str, text: str, indent: int) -> Iterator[str]:
    """A literal block. The digit says how deep it is indented where its first line cannot tell."""
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    digit = str(_STEP) if text[0] in " \t\n" else ""
    yield f"{head} |{digit}{'-' if ends == 0 and not _closed(text) else '' if ends <= 1 else '+'}"
    for line in body.split("\n"):
        yield " " * indent + line if line else ""
    yield from [""] * (ends - 1)


def _closed(text: str) -> bool:
    return text.endswith("\n")


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Mapping | list | tuple):
        return "{}" if isinstance(value, Mapping) else "[]"
    return _text(str(value))


def _float(value: float) -> str:
    """With a point and a signed exponent: YAML 1.1 takes 1e3 for text."""
    mantissa, mark, exponent = repr(value).partition("e")
    if not mark:
        return mantissa
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent if exponent[0] in '+-' else '+' + exponent}"


_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_SHORT_TIME = re.compile(r"\d{1,6}[smhd]")


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and not _RISKY.search(text):
        return text
    if _VERSION.fullmatch(text) or _SHORT_TIME.fullmatch(text) or (_GUID.fullmatch(text) and not re.fullmatch(r"[\d-]*e?[\d-]*", text)):
        return text
    if _BLOCK.fullmatch(text) and "\n" not in text and "\t" not in text:
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, text)) + '"'


_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def _escaped(char: str) -> str:
    """JSON's escapes would not do: YAML has no surrogate pairs."""
    if char in _ESCAPES:
        return _ESCAPES[char]
    return char if _BLOCK.fullmatch(char) else f"\\U{ord(char):08X}"
