"""New values of single keys of a YAML file, with everything else of the file left byte for byte as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from toolkit.content.durations import parse_duration
from toolkit.content.yaml.nodes import Document, Entry, Node, Path, Scalar, Sequence
from toolkit.content.yaml.nodes import Mapping as MappingNode
from toolkit.deploy.adopt.edits import CannotEditError, Edit, Places
from toolkit.deploy.adopt.scalars import flow_text, scalar_edit
from toolkit.deploy.mapping.directions import _ORDER
from toolkit.deploy.mapping.yaml_text import yaml_text

_AS = {"functionname": "functionalias", "parsername": "functionalias", "functionquery": "query", "parserquery": "query"}
_RANKS = {key.lower(): number for number, key in enumerate(_ORDER)}


def key_edits(document: Document, path: Path, before: Any, after: Any, *, whole: bool = False) -> list[Edit]:
    """The edits that take the value at a path of keys from `before` to `after` (None: no such key), as plain values.

    Only what differs between the two is touched: `before` need not say what the file adds, such as values that are the default. With
    `whole` the value is written anew instead. Raises CannotEditError where the text does not allow it.
    """
    editor = _Editor(document, whole)
    *parents, last = path
    here: Node = document.mapping
    for number, name in enumerate(parents):
        below = here.get(str(name)) if isinstance(here, MappingNode) else None
        if not isinstance(below, MappingNode):
            for step in (last, *reversed(parents[number + 1 :])):
                after = {str(step): after}
            return list(editor.entry(here, str(name), None, after)) if isinstance(here, MappingNode) else []
        here = below
    assert isinstance(here, MappingNode)
    return list(editor.entry(here, str(last), before, after))


class _Editor:
    def __init__(self, document: Document, whole: bool) -> None:
        self.document, self.whole = document, whole
        self.places = Places(document.source.text)
        self.text = self.places.text

    # --- mappings

    def entry(self, mapping: MappingNode, key: str, before: Any, after: Any) -> Iterator[Edit]:
        entries = self.places.own(mapping)
        at = next((number for number, entry in enumerate(entries) if entry.key.text == key), None)
        if after is None:
            if at is not None:
                yield self.remove(self.entry_spans(entries), at, self.is_flow(mapping))
        elif at is None:
            yield self.insert(mapping, entries, key, after)
        else:
            yield from self.value(mapping, entries[at], before, after)

    def is_flow(self, node: MappingNode | Sequence) -> bool:
        return bool(node is not self.document.root or self.text[node.span.start : node.span.start + 1] == "{") and self.places.is_flow(node)

    def entry_spans(self, entries: list[Entry]) -> list[tuple[int, int]]:
        return [(entry.key.span.start, self.places.entry_end(entry)) for entry in entries]

    def insert(self, mapping: MappingNode, entries: list[Entry], key: str, value: Any) -> Edit:
        flow = self.is_flow(mapping)
        after = self.position(mapping, entries, key)
        if flow:
            return self.insert_flow(self.entry_spans(entries), mapping, after, f"{flow_text(key)}: {flow_text(value)}")
        return self.insert_block(self.entry_spans(entries), after, yaml_text({key: value}).splitlines())

    def position(self, mapping: MappingNode, entries: list[Entry], key: str) -> int:
        """The number of the entry that a new key follows; -1 for the first. Only keys of the file itself have an order."""
        if mapping is not self.document.root:
            return len(entries) - 1
        mine = _rank(key)
        return max((number for number, entry in enumerate(entries) if _rank(entry.key.text) < mine), default=-1)

    def value(self, mapping: MappingNode, entry: Entry, before: Any, after: Any) -> Iterator[Edit]:
        node, flow = entry.value, self.is_flow(mapping)
        column = self.places.column(entry.key.span.start)
        if self.whole or not self.places.is_own(entry):
            yield self.replace(entry, after, flow)
        elif isinstance(node, MappingNode) and isinstance(after, Mapping):
            yield from self.inside(node, before if isinstance(before, Mapping) else {}, after)
        elif isinstance(node, Sequence) and isinstance(after, list) and isinstance(before, list):
            yield from self.items(node, before, after)
        elif isinstance(node, Scalar) and not isinstance(after, Mapping | list):
            yield self.scalar(entry, node, column, after, flow)
        else:
            yield self.replace(entry, after, flow)

    def inside(self, node: MappingNode, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Edit]:
        for key in dict.fromkeys([*before, *after]):
            old, new = before.get(key), after.get(key)
            here = node.get(key)
            if _same(old, new) or (new is not None and here is not None and _says(here, new, key)):
                continue
            yield from self.entry(node, key, old, new)

    def scalar(self, entry: Entry, node: Scalar, column: int, after: Any, flow: bool) -> Edit:
        if flow:
            quoted = node.style in ("'", '"') and isinstance(after, str) and "\n" not in after
            return scalar_edit(self.places, "", column, node, after) if quoted else Edit(*node.span, flow_text(after))
        try:
            return scalar_edit(self.places, entry.key.text, column, node, after)
        except CannotEditError:
            return self.replace(entry, after, flow)

    def replace(self, entry: Entry, value: Any, flow: bool) -> Edit:
        """The whole entry but for its key. A comment behind the key or the value stays, behind the key."""
        start, end = entry.key.span.start, self.places.entry_end(entry)
        if flow:
            return Edit(self.places.after_colon(entry), end, f" {flow_text(value)}")
        name = self.text[start : entry.key.span.end]
        first, *rest = yaml_text({entry.key.text: value}).splitlines()
        first = name + first[len(yaml_text({entry.key.text: None}).removesuffix(": null\n")) :]
        after_key = self.text[entry.key.span.end : self.places.line_end(start)]
        behind = self.text[end : self.places.line_end(end)].strip()
        spread = self.places.next_line(start) <= end
        comments = [after_key[after_key.index(" #") :].strip()] if spread and " #" in after_key and not _quoted(entry) else []
        comments += [behind] if behind.startswith("#") else []
        pad = " " * self.places.column(start)
        lines = ["  ".join([first, *comments]), *(pad + line if line else line for line in rest)]
        return Edit(start, self.places.line_end(end) if behind.startswith("#") else end, self.places.newline.join(lines))

    # --- lists

    def items(self, node: Sequence, before: list[Any], after: list[Any]) -> Iterator[Edit]:
        if len(node.items) != len(before) or not all(map(_corresponds, node.items, before)):
            raise CannotEditError
        spans = [(self.places.item_start(node, number), self.places.node_end(item)) for number, item in enumerate(node.items)]
        matcher = SequenceMatcher(None, [_json(value) for value in before], [_json(value) for value in after], False)
        for tag, low, high, first, last in matcher.get_opcodes():
            if tag == "equal":
                continue
            yield from self.between(node, spans, low, (before[low:high], after[first:last]))

    def between(self, node: Sequence, spans: list[tuple[int, int]], low: int, change: tuple[list[Any], list[Any]]) -> Iterator[Edit]:
        """The items between two that stay: each new one in the place of one that is alike, or behind what stands before it."""
        flow, at = self.is_flow(node), low - 1
        left = dict(enumerate(change[0], low))
        for value in change[1]:
            number = next((number for number, old in left.items() if number > at and _alike(old, value)), None)
            if number is None:
                yield self.insert_item(node, spans, at, value)
                continue
            yield from self.item(node, number, (left.pop(number), value), flow)
            at = number
        yield from (self.remove(spans, number, flow) for number in left)

    def item(self, node: Sequence, number: int, change: tuple[Any, Any], flow: bool) -> Iterator[Edit]:
        item, (before, after) = node.items[number], change
        if isinstance(item, MappingNode) and isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from self.inside(item, before, after)
        elif isinstance(item, Scalar) and not isinstance(after, Mapping | list):
            if flow and item.style not in ("'", '"'):
                yield Edit(*item.span, flow_text(after))
            else:
                yield scalar_edit(self.places, "", self.places.column(item.span.start), item, after)
        else:
            raise CannotEditError

    def insert_item(self, node: Sequence, spans: list[tuple[int, int]], after: int, value: Any) -> Edit:
        if self.is_flow(node):
            return self.insert_flow(spans, node, after, flow_text(value))
        lines = yaml_text({"x": [value]}).splitlines()[1:]
        return self.insert_block(spans, after, [line[2:] for line in lines])

    # --- what both have in common: children by their spans, and where they stand

    def remove(self, spans: list[tuple[int, int]], number: int, flow: bool) -> Edit:
        start, end = spans[number]
        following = spans[number + 1][0] if number + 1 < len(spans) else None
        if len(spans) == 1:
            raise CannotEditError
        if flow:
            return Edit(start, following, "") if following is not None else Edit(spans[number - 1][1], end, "")
        if self.places.first_on_line(start):
            return Edit(self.places.line_start(start), self.places.next_line(end), "")
        if following is None or not self.places.first_on_line(following):
            raise CannotEditError
        return Edit(start, following, "")

    def insert_block(self, spans: list[tuple[int, int]], after: int, lines: list[str]) -> Edit:
        if not spans:
            raise CannotEditError
        newline, pad = self.places.newline, " " * self.places.column(spans[0][0])
        if after < 0:
            start = spans[0][0]
            return Edit(start, start, newline.join([lines[0], *(pad + line if line else line for line in lines[1:])]) + newline + pad)
        at = self.places.next_line(spans[after][1])
        text = newline.join(pad + line if line else line for line in lines)
        ended = self.text[:at].endswith("\n")
        return Edit(at, at, f"{text}{newline}" if ended else f"{newline}{text}", len(pad))

    def insert_flow(self, spans: list[tuple[int, int]], node: MappingNode | Sequence, after: int, text: str) -> Edit:
        if not spans:
            at = self.places.content_start(node) + 1
            return Edit(at, at, text)
        if after < 0:
            return Edit(spans[0][0], spans[0][0], f"{text}, ")
        return Edit(spans[after][1], spans[after][1], f", {text}")


def _rank(key: str) -> float:
    """The place of a key in the project's order; keys of other formats stand where their like stand, unknown ones nowhere."""
    folded = key.lower()
    return _RANKS.get(_AS.get(folded, folded), float("inf"))


def _quoted(entry: Entry) -> bool:
    return isinstance(entry.value, Scalar) and entry.value.style in ("'", '"')


def _same(before: Any, after: Any) -> bool:
    return _json(before) == _json(after)


def _alike(before: Any, after: Any) -> bool:
    """Whether one item became the other: scalars by their place alone, mappings by the value that they begin with."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        name = next(iter(before), "")
        return before.get(name) == after.get(name) or len(before) == 1
    return not isinstance(before, Mapping | list) and not isinstance(after, Mapping | list)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _fold(text: str) -> str:
    return "".join(char for char in text.lower() if char not in " _-\n\t")


def _corresponds(node: Node, value: Any) -> bool:
    """Whether an item of the file is the one that a plain value says."""
    if isinstance(node, Scalar):
        return not isinstance(value, Mapping | list) and _fold(node.text) == _fold(str(value))
    return isinstance(value, Mapping if isinstance(node, MappingNode) else list)


def _says(node: Node, value: Any, key: str) -> bool:
    """Whether what is written says the value already, in another spelling perhaps."""
    if not isinstance(node, Scalar) or isinstance(value, Mapping | list):
        return False
    if isinstance(value, bool):
        return node.text.lower() in (("true", "yes", "on") if value else ("false", "no", "off"))
    if isinstance(value, str) and key.endswith(("Duration", "Frequency", "Period", "Range", "After")):
        return parse_duration(node.text) is not None and parse_duration(node.text) == parse_duration(value)
    return node.text == str(value)
