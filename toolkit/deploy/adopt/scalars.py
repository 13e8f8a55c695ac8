"""Single values written anew in the style that the old ones have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from toolkit.content.yaml.nodes import Scalar
from toolkit.content.yaml.offsets import _block_indent
from toolkit.deploy.adopt.edits import CannotEditError, Edit, Places
from toolkit.deploy.mapping.values import description_text
from toolkit.deploy.mapping.yaml_text import _BLOCK, _escaped, _scalar

_QUERIES = ("query", "functionquery", "parserquery")
_STEP = 2


def flow_text(value: Any) -> str:
    """A value on one line, as it stands inside brackets."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow_text(str(key))}: {flow_text(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow_text, value)) + "]"
    text = _scalar(value)
    if isinstance(value, str) and text == value and re.search(r"[,\[\]{}:#]", text):
        return "'" + text.replace("'", "''") + "'"
    return text


def scalar_edit(places: Places, key: str, column: int, old: Scalar, value: Any) -> Edit:
    """The edit that makes a scalar say another value, in its own style where that can say it; `column` is that of its key."""
    if isinstance(value, Mapping | list | tuple):
        raise CannotEditError
    if isinstance(value, str) and old.style == "|" and value.strip() and _BLOCK.fullmatch(value):
        return _block_edit(places, key, column, old, value)
    single_line = isinstance(value, str) and "\n" not in value and _BLOCK.fullmatch(value) and "\t" not in value
    if old.style == "'" and single_line:
        return Edit(*old.span, "'" + value.replace("'", "''") + "'")
    if old.style == '"' and isinstance(value, str) and (single_line or not _wants_block(key, value)):
        return Edit(*old.span, '"' + "".join(map(_escaped, value)) + '"')
    if old.style in ("|", ">") or (isinstance(value, str) and _wants_block(key, value)) or not (old.text or old.style):
        raise CannotEditError
    return Edit(*old.span, _scalar(value))


def _wants_block(key: str, value: str) -> bool:
    return "\n" in value.rstrip("\n") or key.lower() in _QUERIES


def _block_edit(places: Places, key: str, column: int, old: Scalar, value: str) -> Edit:
    text = places.text
    start, end = old.span.start, places.node_end(old)
    head = text[start : places.line_end(start)]
    body = places.next_line(start)
    indent = _block_indent(text, body, old.span) or column + _STEP
    same_end = key.lower() in (*_QUERIES, "description")
    mark, comment = re.match(r"(\S+)(.*)", head).groups()  # type: ignore[union-attr]  # a block begins with its mark
    value = _with_quotes(old, value) if key.lower() == "description" else value
    lines = _lines(places, key, old, value.rstrip("\n"), (min(body, end), end), indent)
    ends = len(value) - len(value.rstrip("\n"))
    if not same_end:
        mark = mark.rstrip("+-") + ("-" if ends == 0 else "" if ends == 1 else "+")
        if ends > 1 or mark.endswith("+"):
            raise CannotEditError
    first = next(line for line in value.split("\n") if line)
    if first[0] in " \t" and not re.search(r"\d", mark):
        mark = f"{mark[0]}{indent - column}{mark[1:]}"
    return Edit(start, end, places.newline.join([mark + comment, *lines]))


def _lines(places: Places, key: str, old: Scalar, value: str, region: tuple[int, int], indent: int) -> list[str]:
    """The lines of the block; those that say the same stay as they are written, with the white space at their end."""
    written = [line.removesuffix("\r") for line in places.text[slice(*region)].split("\n")]
    before, after = old.text.split("\n")[: len(written)], value.split("\n")
    exact = key.lower() not in (*_QUERIES, "description") or any(mark in old.text + value for mark in ("```", "~~~"))
    fold = str if exact else str.rstrip
    fresh = [" " * indent + line if line else "" for line in after]
    if len(before) != len(written):
        return fresh
    for tag, low, high, first, _ in SequenceMatcher(None, [fold(x) for x in before], [fold(x) for x in after], False).get_opcodes():
        if tag == "equal":
            fresh[first : first + high - low] = written[low:high]
    return fresh


def _with_quotes(old: Scalar, value: str) -> str:
    """The pair of quotes that the old description has around it, and that means nothing, around the new one as well."""
    text = old.text.rstrip()
    if description_text(text, "|") == text:
        return value
    quoted = f"{text[0]}{value.rstrip()}{text[0]}"
    return quoted if description_text(quoted, "|") == value.rstrip() else value
