"""Edits of a text by offsets, and the places inside a YAML file between which they fall."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from toolkit.content.yaml.nodes import Entry, Mapping, Node, Scalar, Sequence

_PROPERTY = re.compile(r"[&!]\S*\s+")
_ALIAS = re.compile(r"[ \t]*\*[^\s,\]}]+")


class CannotEditError(Exception):
    """This place cannot be edited on its own; its whole value has to be written anew."""


@dataclass(frozen=True)
class Edit:
    """`depth` orders what is inserted at one place: what belongs to an inner mapping comes before what follows it."""

    start: int
    end: int
    text: str
    depth: int = 0


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits; inserts at one place stay in their order. Raises CannotEditError for edits that overlap."""
    parts: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end, -edit.depth)):
        if edit.start < at:
            raise CannotEditError
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


class Places:
    """Where things stand in the text of a YAML file."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"

    def line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """Before the line's end, also when that is CRLF."""
        end = self.text.find("\n", at)
        end = len(self.text) if end < 0 else end
        return end - 1 if end > at and self.text[end - 1] == "\r" else end

    def next_line(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end + 1

    def column(self, at: int) -> int:
        return at - self.line_start(at)

    def first_on_line(self, at: int) -> bool:
        return not self.text[self.line_start(at) : at].strip()

    def content_start(self, node: Node) -> int:
        """Where a collection begins, behind an anchor or tag."""
        at = node.span.start
        while match := _PROPERTY.match(self.text, at):
            at = match.end()
        return at

    def is_flow(self, node: Mapping | Sequence) -> bool:
        return self.text[self.content_start(node) : self.content_start(node) + 1] in ("{", "[")

    def after_colon(self, entry: Entry) -> int:
        at = self.text.find(":", entry.key.span.end)
        if at < 0 or self.text[entry.key.span.end : at].strip():
            raise CannotEditError
        return at + 1

    def is_own(self, entry: Entry) -> bool:
        """Whether the value is written behind its key: an alias stands for one that is written elsewhere."""
        return not _ALIAS.match(self.text, self.after_colon(entry))

    def entry_end(self, entry: Entry) -> int:
        start = self.after_colon(entry)
        if match := _ALIAS.match(self.text, start):
            return match.end()
        return max(start, self.node_end(entry.value, start))

    def node_end(self, node: Node, start: int = 0) -> int:
        """The end of what is written, without the blank lines and comments that follow it."""
        if isinstance(node, Scalar):
            if node.style in ("|", ">"):
                return node.span.start + len(self.text[node.span.start : node.span.end].rstrip())
            return node.span.end if node.text or node.style else start
        if self.is_flow(node):
            return node.span.end
        if isinstance(node, Sequence):
            return self.node_end(node.items[-1], self.item_start(node, len(node.items) - 1) + 1)
        return self.entry_end(self.own(node)[-1])

    def own(self, node: Mapping) -> list[Entry]:
        """The entries that stand in this mapping itself, in their order: not those that `<<` brings along."""
        span = node.span
        found = [entry for entry in node.entries.values() if span.start <= entry.key.span.start < span.end]
        return sorted(found, key=lambda entry: entry.key.span.start)

    def item_start(self, node: Sequence, number: int) -> int:
        """The dash of an item of a block list, the item itself in a flow list."""
        at = node.items[number].span.start
        if self.is_flow(node):
            return at
        dash = self.text.rfind("-", 0, max(at, 1))
        if dash < node.span.start or self.text[dash + 1 : at].strip():
            raise CannotEditError
        return dash
