"""A JSON file with another value: subtrees that are the same stay as they are written, the rest is laid out as the file is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SPACE = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,:\[\]{}"]+')


@dataclass(frozen=True)
class _Node:
    """A value and where it is written. `children` are those of a list by number, of a mapping by key; `starts` where each begins (at its
    key)."""

    value: Any
    start: int
    end: int
    children: Mapping[Any, _Node]
    starts: Mapping[Any, int]


def edited_json(text: str, value: Any) -> str:
    """The text of a JSON value changed to `value`, which is JSON as well. Null members count as absent on both sides."""
    node = _read(text, _SPACE.match(text).end())  # type: ignore[union-attr]  # it matches everywhere
    return text[: node.start] + _Writer(text).write(node, value) + text[node.end :]


def _read(text: str, at: int) -> _Node:
    if text[at] not in "{[":
        match = _SCALAR.match(text, at)
        assert match is not None
        return _Node(json.loads(match[0]), at, match.end(), {}, {})
    return _collection(text, at, text[at] == "{")


def _collection(text: str, start: int, mapping: bool) -> _Node:
    children: dict[Any, _Node] = {}
    starts: dict[Any, int] = {}
    at = _skip(text, start + 1)
    while text[at] not in "}]":
        key: Any = len(children)
        begin = at
        if mapping:
            match = _SCALAR.match(text, at)
            assert match is not None
            key = json.loads(match[0])
            at = _skip(text, _skip(text, match.end()) + 1)
        child = _read(text, at)
        children[key], starts[key] = child, begin
        at = _skip(text, child.end)
        at = _skip(text, at + 1) if text[at] == "," else at
    value = {key: child.value for key, child in children.items()} if mapping else [child.value for child in children.values()]
    return _Node(value, start, at + 1, children, starts)


def _skip(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches everywhere


class _Writer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        first = re.search(r"[\[{]\s*?\n([ \t]+)", text)
        self.step: str | None = first[1] if first else None
        self.ascii = text.isascii() and r"\u" in text
        compact = re.search(r'"\s*:(\s?)', text)
        self.colon = ":" if compact and not compact[1] else ": "
        self.comma = "," if self.colon == ":" or not re.search(r", ", text) else ", "

    def write(self, node: _Node, value: Any) -> str:
        """The value in the place of a node."""
        if _same(node.value, value):
            return self.text[node.start : node.end]
        if isinstance(node.value, dict) and isinstance(value, dict) and node.children:
            ordered = [key for key in node.children if key in value or node.value[key] is None]
            return self.members(node, [(key, value.get(key)) for key in [*ordered, *(key for key in value if key not in node.children)]])
        if isinstance(node.value, list) and isinstance(value, list) and node.children:
            return self.elements(node, value)
        return self.fresh(value, self.indent(node.start))

    def members(self, node: _Node, members: list[tuple[Any, Any]]) -> str:
        texts = []
        for key, value in members:
            child = node.children.get(key)
            if child is not None:
                texts.append(self.text[node.starts[key] : child.start] + self.write(child, value))
            else:
                inner = self.fresh(value, self.indent(node.start) + (self.step or ""))
                texts.append(json.dumps(key, ensure_ascii=self.ascii) + self.colon + inner)
        return self.enclosed(node, texts)

    def elements(self, node: _Node, values: list[Any]) -> str:
        """Elements keep their text by what they are, changed ones by their number among what lies between equal ones."""
        from difflib import SequenceMatcher

        old = list(node.children.values())
        matcher = SequenceMatcher(None, [_key(child.value) for child in old], [_key(value) for value in values], False)
        texts = []
        for tag, low, high, first, last in matcher.get_opcodes():
            for number in range(first, last):
                child = old[low + number - first] if low + number - first < high else None
                if tag == "equal" and child is not None:
                    texts.append(self.text[child.start : child.end])
                elif child is not None:
                    texts.append(self.write(child, values[number]))
                else:
                    texts.append(self.fresh(values[number], self.indent(node.start) + (self.step or "")))
        return self.enclosed(node, texts)

    def enclosed(self, node: _Node, texts: list[str]) -> str:
        opening, closing = self.text[node.start], self.text[node.end - 1]
        if not texts:
            return opening + closing
        starts, ends = list(node.starts.values()), [child.end for child in node.children.values()]
        lead, tail = self.text[node.start + 1 : starts[0]], self.text[ends[-1] : node.end - 1]
        between = self.text[ends[0] : starts[1]] if len(starts) > 1 else ("," + lead if "\n" in lead else self.comma)
        return opening + lead + between.join(texts) + tail + closing

    def indent(self, at: int) -> str:
        line = self.text[self.text.rfind("\n", 0, at) + 1 : at]
        return line[: len(line) - len(line.lstrip())]

    def fresh(self, value: Any, indent: str) -> str:
        if self.step is None:
            return json.dumps(value, ensure_ascii=self.ascii, separators=(self.comma, self.colon))
        text = json.dumps(value, ensure_ascii=self.ascii, indent=self.step, separators=(",", self.colon))
        return text.replace("\n", self.newline + indent)


def _key(value: Any) -> str:
    return json.dumps(_without_null(value), sort_keys=True)


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(entry) for key, entry in value.items() if entry is not None}
    return [_without_null(entry) for entry in value] if isinstance(value, list) else value


def _same(before: Any, after: Any) -> bool:
    return _key(before) == _key(after)
