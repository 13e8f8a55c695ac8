"""From YAML text to a `Document`, without recursion and within limits, with every finding at its place.

The tree is built from libyaml's events (the composer of PyYAML crashes the process on deep nesting). Nothing is ever
constructed from a tag. Aliases share nodes, so that a "billion laughs" file is measured before anything expands it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.content.files import read_text
from toolkit.content.findings import ContentError, Findings
from toolkit.content.yaml.nodes import Document, Entry, Mapping, Node, Scalar, Sequence
from toolkit.kql.source import Source, Span

MAX_DEPTH = 60
MAX_NODES = 200_000

_PREFIX = "tag:yaml.org,2002:"
_TEXT = _PREFIX + "str"
_KINDS = frozenset({"str", "int", "float", "bool", "null", "timestamp"})


def load_yaml(path: Path, shown: str | None = None) -> tuple[Document, Findings]:
    """Read and parse a YAML file. Raises ContentError when the file itself cannot be read as text."""
    name = shown or str(path)
    return parse_yaml(read_text(path, name), name)


def parse_yaml(text: str, name: str) -> tuple[Document, Findings]:
    """Parse YAML text. What is wrong comes back as findings; the document then holds what could be read, or nothing."""
    source = Source(text, name)
    findings = Findings(source)
    root: Node | None = None
    try:
        root = _Builder(source, findings).build()
    except _StopError:
        pass
    if root is None and not findings.found:
        findings.add("empty-file", "The file is empty.", Span(0, 0), hints=["`toolkit new rule` writes a rule to start from."])
    return Document(source, root), findings


def load_mapping(path: Path, shown: str | None = None) -> tuple[Document, Findings]:
    """As `load_yaml`, for a file whose root has to be a mapping. Raises ContentError when it is unusable."""
    document, findings = load_yaml(path, shown)
    if document.root is not None and not isinstance(document.root, Mapping):
        span = document.span(())
        findings.add("wrong-type", f"The file holds {describe(document.root)}; a mapping of keys is expected.", span)
    if not isinstance(document.root, Mapping):
        raise ContentError(findings.found)
    return document, findings


def describe(node: Node) -> str:
    """What a node is, for messages: "a list", "text 'abc'"."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    shown = node.text if len(node.text) <= 40 else node.text[:37] + "..."
    names = {"int": "the number", "float": "the number", "bool": "the boolean", "timestamp": "the date", "str": "the text"}
    return "nothing" if node.kind == "null" else f"{names[node.kind]} {shown!r}"


class _StopError(Exception):
    """Reading ends here; the reason is among the findings."""


@dataclass
class _Open:
    """A collection that is being read."""

    node: Mapping | Sequence
    anchor: str | None
    key: Scalar | None = None
    merged: list[Node] | None = None


class _Builder:
    def __init__(self, source: Source, findings: Findings) -> None:
        self.source = source
        self.findings = findings
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node | None] = {}
        self.aliases = 0
        self.weights: dict[int, int] = {}
        self.count = 0
        self.root: Node | None = None
        self.documents = 0

    def build(self) -> Node | None:
        import yaml

        try:
            loader = yaml.CSafeLoader(self.source.text)
            self.read(loader, yaml)
        except yaml.reader.ReaderError as error:
            self.unreadable(error)
        except yaml.MarkedYAMLError as error:
            self.malformed(error)
        return self.root

    def read(self, loader: Any, yaml: Any) -> None:
        handlers: dict[type, Callable[[Any], None]] = {
            yaml.MappingStartEvent: lambda event: self.open(event, mapping=True),
            yaml.SequenceStartEvent: lambda event: self.open(event, mapping=False),
            yaml.MappingEndEvent: self.close,
            yaml.SequenceEndEvent: self.close,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.document,
        }
        scalars, resolvers = yaml.ScalarEvent, loader.yaml_implicit_resolvers
        for event in iter(loader.get_event, None):
            if type(event) is not scalars:
                if handler := handlers.get(type(event)):
                    handler(event)
            elif event.tag is None and event.anchor is None and (not event.implicit[0] or event.value[:1] not in resolvers):
                # By far the most: what is quoted, or begins like no number, date, boolean or null, is text.
                self.place(Scalar(event.value, "str", event.style or "", _span(event)), None)
            else:
                self.place(self.scalar(event, loader, yaml), event.anchor)

    def document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            message = "A second YAML document begins here; one file holds one."
            self.stop("several-documents", message, _span(event), "Put it into a file of its own.")

    def scalar(self, event: Any, loader: Any, yaml: Any) -> Scalar:
        span = self.text_span(event)
        tag = event.tag
        if tag is None or tag == "!":
            tag = _resolved(loader, event, yaml) if tag is None else _TEXT
        kind = tag.removeprefix(_PREFIX)
        if kind not in _KINDS:
            if kind not in ("merge", "value"):
                self.findings.add("yaml-tag", f"The tag {tag!r} is not allowed; plain YAML values are expected.", span)
            kind = "str" if kind != "merge" else "merge"
        return Scalar(event.value, kind, event.style or "", span)

    def text_span(self, event: Any) -> Span:
        """The range of the written value, without an anchor or tag in front of it."""
        span = _span(event)
        if event.anchor is None and event.tag is None:
            return span
        text, at = self.source.text, span.start
        while at < span.end and text[at] in "&!":
            while at < span.end and not text[at].isspace():
                at += 1
            while at < span.end and text[at].isspace():
                at += 1
        return Span(at, span.end)

    def open(self, event: Any, mapping: bool) -> None:
        span = _span(event)
        if len(self.stack) >= MAX_DEPTH:
            self.stop("yaml-depth", f"The file nests more than {MAX_DEPTH} levels deep.", span)
        if event.tag not in (None, "!", _PREFIX + "map", _PREFIX + "seq"):
            self.findings.add("yaml-tag", f"The tag {event.tag!r} is not allowed; plain YAML values are expected.", span)
        node: Mapping | Sequence = Mapping({}, span) if mapping else Sequence([], span)
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(_Open(node, event.anchor))

    def close(self, event: Any) -> None:
        done = self.stack.pop()
        span = Span(done.node.span.start, event.end_mark.index)
        node: Node
        if isinstance(done.node, Mapping):
            node = Mapping(_merged(done.node.entries, done.merged or []), span)
        else:
            node = Sequence(done.node.items, span)
        # Without an alias nothing expands: the values were counted as they came.
        if self.aliases and self.weight(node) > MAX_NODES:
            self.stop("yaml-size", f"The file expands to more than {MAX_NODES} values through its aliases.", span)
        self.place(node, done.anchor)

    def weight(self, node: Node) -> int:
        """How many values a node expands to."""
        if isinstance(node, Scalar):
            return 1
        known = self.weights.get(id(node))
        if known is None:
            children = [entry.value for entry in node.entries.values()] if isinstance(node, Mapping) else node.items
            keys = len(children) if isinstance(node, Mapping) else 0
            known = self.weights[id(node)] = 1 + keys + sum(map(self.weight, children))
        return known

    def alias(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            self.stop("yaml-alias", f"The alias *{event.anchor} refers to an anchor that is not defined above.", _span(event))
        node = self.anchors[event.anchor]
        if node is None:
            self.stop("yaml-alias", f"The alias *{event.anchor} stands inside the value that it names.", _span(event))
        assert node is not None
        self.aliases += 1
        self.place(node, None)

    def place(self, node: Node, anchor: str | None) -> None:
        self.count += 1
        if self.count > MAX_NODES:
            self.stop("yaml-size", f"The file holds more than {MAX_NODES} values.", node.span)
        if anchor:
            self.anchors[anchor] = node
        if not self.stack:
            self.root = node
            return
        here = self.stack[-1]
        if isinstance(here.node, Sequence):
            here.node.items.append(node)
        elif here.key is None:
            here.key = self.as_key(node)
        else:
            self.entry(here, here.key, node)
            here.key = None

    def as_key(self, node: Node) -> Scalar:
        if isinstance(node, Scalar):
            return node
        hint = 'Text that begins with "{{" or "[" needs quotes around it.'
        self.stop("yaml-key", f"A key has to be text; {describe(node)} was found.", node.span, hint)
        raise AssertionError

    def entry(self, here: _Open, key: Scalar, value: Node) -> None:
        assert isinstance(here.node, Mapping)
        if key.kind == "merge":
            here.merged = [*(here.merged or []), *(value.items if isinstance(value, Sequence) else [value])]
            return
        first = here.node.entries.get(key.text)
        if first is not None:
            line = self.source.position(first.key.span.start).line
            self.findings.add(
                "duplicate-key",
                f"The key {key.text!r} stands here a second time; it was first given on line {line}.",
                key.span,
                hints=["Remove one of the two."],
            )
            return
        here.node.entries[key.text] = Entry(key, value)

    def stop(self, code: str, message: str, span: Span, *hints: str) -> None:
        self.root = None
        self.findings.add(code, message, span, hints=hints, stage="syntax")
        raise _StopError

    def unreadable(self, error: Any) -> None:
        at = error.position if isinstance(error.position, int) else 0
        message = f"The character U+{error.character:04X} is not allowed in YAML."
        self.stop("yaml-character", message, Span(at, at + 1), "Inside double quotes it can be written as an escape.")

    def malformed(self, error: Any) -> None:
        mark = error.problem_mark or error.context_mark
        at = mark.index if mark else 0
        problem, hints = _explain(error, self.source, at)
        self.stop("yaml-syntax", problem, Span(at, at + 1), *hints)


def _explain(error: Any, source: Source, at: int) -> tuple[str, list[str]]:
    """libyaml's message in the words of somebody who edits the file."""
    problem = error.problem or "malformed"
    char = source.text[at : at + 1]
    context = f" {error.context}" if error.context else ""
    hints: list[str] = []
    if char == "\t":
        return "A tab stands where YAML allows only spaces.", ["Indent with spaces."]
    if "cannot start any token" in problem:
        return f"A value cannot begin with {char!r}.", ["Put quotes around the value."]
    if "mapping values are not allowed" in problem:
        hints = ["A colon followed by a blank begins a new value: put quotes around the text, or check the indentation."]
    elif "did not find expected" in problem:
        hints = ["Check the indentation and the brackets of the lines above."]
    elif "could not find expected ':'" in problem:
        hints = ["A key needs a colon after it; the lines of a block (|) need deeper indentation than its key."]
    elif "unexpected end of stream" in problem and "quoted" in (error.context or ""):
        hints = ["The quote that opens the text is never closed."]
    return f"The YAML cannot be read:{context + ',' if context else ''} {problem}.", hints


def _merged(own: dict[str, Entry], merged: list[Node]) -> dict[str, Entry]:
    """Entries of `<<:` mappings come first and never override the mapping's own."""
    if not merged:
        return own
    entries: dict[str, Entry] = {}
    for node in merged:
        if isinstance(node, Mapping):
            for name, entry in node.entries.items():
                entries.setdefault(name, entry)
    return {**entries, **own}


def _span(event: Any) -> Span:
    start, end = event.start_mark.index, event.end_mark.index
    return Span(start, max(start, end))


def _resolved(loader: Any, event: Any, yaml: Any) -> Any:
    """The tag of a scalar without one: what is quoted, or begins like no number, date, boolean or null, is text."""
    if not event.implicit[0] or event.value[:1] not in loader.yaml_implicit_resolvers:
        return _TEXT
    return loader.resolve(yaml.ScalarNode, event.value, event.implicit)
