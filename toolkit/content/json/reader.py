"""From JSON text to a `Document`: strict, within limits, without recursion, with every finding at its place.

The standard library's reader knows no positions and lets a key stand twice. Strings are scalars of style "json", whose
characters `Document.text_offset` finds in the file again, escapes included.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from math import isinf
from pathlib import Path

from toolkit.content.files import read_text
from toolkit.content.findings import Findings
from toolkit.content.yaml.nodes import Document, Entry, Mapping, Node, Scalar, Sequence
from toolkit.kql.source import Source, Span

MAX_DEPTH = 200
MAX_NODES = 500_000

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_OPEN_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<fraction>\.[0-9]+)?(?P<exponent>[eE][+-]?[0-9]+)?(?![0-9A-Za-z.+-])")
_WORD = re.compile(r"[A-Za-z_$][\w$]*|[^\s,:\[\]{}\"]+")
_HALF = re.compile("[\ud800-\udfff]")
_CONSTANTS = {"true": "bool", "false": "bool", "null": "null"}


def load_json(path: Path, shown: str | None = None) -> tuple[Document, Findings]:
    """Read and parse a JSON file. Raises ContentError when the file itself cannot be read as text."""
    name = shown or str(path)
    return parse_json(read_text(path, name), name)


def parse_json(text: str, name: str) -> tuple[Document, Findings]:
    """Parse JSON text. What is wrong comes back as findings; the document of broken JSON holds nothing."""
    source = Source(text, name)
    findings = Findings(source)
    reader = _Reader(source, findings)
    try:
        root: Node | None = reader.read()
    except _StopError:
        root = None
    return Document(source, root), findings


class _StopError(Exception):
    """Reading ends here; the reason is among the findings."""


@dataclass
class _Open:
    """An object or a list that is being read; `key` waits for its value."""

    node: Mapping | Sequence
    start: int
    key: Scalar | None = None


class _Reader:
    def __init__(self, source: Source, findings: Findings) -> None:
        self.text = source.text
        self.source = source
        self.findings = findings
        self.at = 0
        self.count = 0
        self.stack: list[_Open] = []

    def read(self) -> Node:
        self.skip()
        if self.at == len(self.text):
            self.stop("The file is empty.", 0)
        done = self.value()
        while done is None or self.stack:
            done = self.step(done)
        self.skip()
        if self.at < len(self.text):
            self.stop(f"Expected nothing after the end of the JSON value, found {self.found()}.", self.at)
        return done

    def step(self, done: Node | None) -> Node | None:
        """One value or one end of a collection; gives a finished value that has to be placed, or None."""
        here = self.stack[-1]
        if done is not None:
            self.place(here, done)
        self.skip()
        closing = "}" if isinstance(here.node, Mapping) else "]"
        empty = not (here.node.entries if isinstance(here.node, Mapping) else here.node.items)
        if self.text.startswith(closing, self.at) and (done is not None or empty):
            return self.close()
        if done is not None:
            self.comma(closing)
        if isinstance(here.node, Mapping):
            here.key = self.key(here.node)
        return self.value()

    def comma(self, closing: str) -> None:
        if not self.text.startswith(",", self.at):
            self.stop(f"Expected a comma or {closing}, found {self.found()}.", self.at)
        comma = self.at
        self.at += 1
        self.skip()
        if self.text[self.at : self.at + 1] in ("}", "]"):
            self.stop("A comma stands before the closing bracket; JSON has none there.", comma)

    def key(self, mapping: Mapping) -> Scalar:
        if not self.text.startswith('"', self.at):
            self.stop(f"Expected a key in double quotes, found {self.found()}.", self.at)
        key = self.string()
        self.skip()
        if not self.text.startswith(":", self.at):
            self.stop(f"Expected a colon after the key {key.text!r}, found {self.found()}.", self.at)
        self.at += 1
        self.skip()
        if key.text in mapping.entries:
            line = self.source.position(mapping.entries[key.text].key.span.start).line
            message = f"The key {key.text!r} stands here a second time; it was first given on line {line}."
            self.findings.add("duplicate-key", message, key.span, hints=["Remove one of the two."])
        return key

    def place(self, here: _Open, value: Node) -> None:
        if isinstance(here.node, Sequence):
            here.node.items.append(value)
        elif here.key is not None:
            here.node.entries[here.key.text] = Entry(here.key, value)  # of a key that stands twice, readers of JSON take the last value
            here.key = None

    def value(self) -> Node | None:
        """A scalar, or None after a bracket was opened."""
        self.count += 1
        if self.count > MAX_NODES:
            self.stop(f"The file holds more than {MAX_NODES} values.", self.at)
        char = self.text[self.at : self.at + 1]
        if char == '"':
            return self.string()
        if char in ("{", "["):
            self.open(char)
            return None
        if number := _NUMBER.match(self.text, self.at):
            kind = "float" if number["fraction"] or number["exponent"] else "int"
            if kind == "float" and isinf(float(number[0])):
                self.stop(f"The number {self.found()} is too large.", number.start())
            self.at = number.end()
            return Scalar(number[0], kind, "", Span(number.start(), number.end()))
        word = _WORD.match(self.text, self.at)
        if word and word[0] in _CONSTANTS:
            self.at = word.end()
            return Scalar(word[0], _CONSTANTS[word[0]], "", Span(word.start(), word.end()))
        self.stop(f"Expected a JSON value, found {self.found()}.", self.at)
        raise AssertionError

    def open(self, char: str) -> None:
        if len(self.stack) == MAX_DEPTH:
            self.stop(f"The JSON nests deeper than {MAX_DEPTH} levels.", self.at)
        node: Mapping | Sequence = Mapping({}, Span(self.at, self.at + 1)) if char == "{" else Sequence([], Span(self.at, self.at + 1))
        self.stack.append(_Open(node, self.at))
        self.at += 1

    def close(self) -> Node:
        here = self.stack.pop()
        self.at += 1
        span = Span(here.start, self.at)
        return Mapping(here.node.entries, span) if isinstance(here.node, Mapping) else Sequence(here.node.items, span)

    def string(self) -> Scalar:
        found = _STRING.match(self.text, self.at)
        if found is None:
            self.broken_string()
            raise AssertionError
        start, self.at = self.at, found.end()
        raw = found[0]
        value = json.loads(raw) if "\\" in raw else raw[1:-1]
        if _HALF.search(value):
            self.stop("The string holds half of a surrogate pair (\\ud800 to \\udfff alone); no text can be written with it.", start)
        return Scalar(value, "str", "json", Span(start, self.at))

    def broken_string(self) -> None:
        begun = _OPEN_STRING.match(self.text, self.at)
        end = begun.end() if begun else self.at
        char = self.text[end : end + 1]
        if char == "\\":
            self.stop(f"The escape {self.text[end : end + 2]!r} is not one of JSON.", end)
        if char in ("\n", "\r", "\t"):
            self.stop("A line break or tab stands inside a string; JSON writes it as \\n or \\t.", end)
        self.stop("The string that begins here is never closed." if not char else f"The character {char!r} has to be escaped.", self.at)

    def skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def found(self) -> str:
        """What stands here, for a message."""
        if self.at >= len(self.text):
            return "the end of the file"
        word = _WORD.match(self.text, self.at)
        shown = word[0] if word else self.text[self.at]
        return repr(shown if len(shown) <= 40 else shown[:37] + "...")

    def stop(self, message: str, at: int) -> None:
        self.findings.add("broken-json", message, Span(at, at + 1), stage="syntax")
        raise _StopError
