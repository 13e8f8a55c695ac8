"""Workbook files: NAME.json, texts of it in files of their own, and NAME.yaml about it.

Azure keeps a workbook as one JSON text in which a query is a string with `\\n` in it: nobody can review that. So any string
of the JSON may stand in a file: `"query": {"$file": "aks-security/exec.kql"}`. `read_workbook` puts the texts in, and what
is found in them is shown at its place in that file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.content.files import read_text
from toolkit.content.findings import ContentError, Finding, Findings
from toolkit.content.json.reader import parse_json
from toolkit.content.yaml.loader import load_mapping
from toolkit.content.yaml.nodes import Document, Entry, Mapping, Node, Scalar, Sequence, plain
from toolkit.content.yaml.nodes import Path as Where
from toolkit.kql.source import Source, Span

FILE_KEY = "$file"
MAX_BYTES = 10_000_000


@dataclass(frozen=True)
class WorkbookSource:
    """A workbook's files, read: its whole JSON text, and the YAML about it where there is one. `stem` is its name without suffix."""

    stem: str
    json: Source
    about: Document | None = None


@dataclass(frozen=True)
class WorkbookDocument:
    """A workbook with positions. `document` has the texts of other files put in, `texts` says by id of a scalar which file it is from."""

    path: Path
    document: Document
    texts: AbstractMapping[int, Source] = field(default_factory=dict)
    about: Document | None = None

    @property
    def stem(self) -> str:
        return self.path.name.removesuffix(".json")

    @property
    def title(self) -> str:
        """What the workbook is called: `displayName` of the YAML about it, else the file's name."""
        shown = self.about.node(("displayName",)) if self.about else None
        return shown.text if isinstance(shown, Scalar) and shown.text else self.stem

    def content(self) -> Any:
        """The workbook as Azure takes it, before it is made text."""
        return plain(self.document.root)

    def place(self, where: Where, start: int = 0, end: int | None = None) -> tuple[Source, Span]:
        """The file, and the range in it, of characters [start, end) of the text at `where`; of all of it without `end`."""
        node = self.document.node(where)
        if not isinstance(node, Scalar) or (end is None and not start):
            if isinstance(node, Scalar) and id(node) in self.texts:
                return self.document.source, node.span
            return self.document.source, self.document.span(where)
        last = start + 1 if end is None else max(end, start)
        if id(node) in self.texts:
            return self.texts[id(node)], Span(start, last)
        if node.style != "json":
            return self.document.source, node.span
        first = self.document.text_offset(node, start)
        return self.document.source, Span(first, max(first + 1, self.document.text_offset(node, last)))

    def source(self) -> WorkbookSource:
        """What is deployed. A workbook of one file keeps its text, and so the positions of what is wrong in it."""
        whole = self.document.source
        if self.texts:
            whole = Source(json.dumps(self.content(), ensure_ascii=False, indent=2) + "\n", whole.name)
        return WorkbookSource(self.stem, whole, self.about)


def read_workbook(path: Path, shown: str | None = None) -> tuple[WorkbookDocument, list[Finding]]:
    """A workbook, and what is wrong with its files. Raises ContentError when the JSON file cannot be read as text."""
    name = shown or str(path)
    document, findings = parse_json(read_text(path, name, MAX_BYTES), name)
    if document.root is not None and not is_workbook(document):
        message = "The file is no workbook: an object with the keys version and items is expected."
        hints = ["`content: workbooks:` and `exclude:` in toolkit.yaml say which files are workbooks."]
        findings.add("not-a-workbook", message, document.span(()), hints=hints)
    parts = _Parts(path.parent, document, findings)
    root = parts.put_in(document.root) if document.root is not None else None
    about = _about(path, name, findings.found)
    return WorkbookDocument(path, Document(document.source, root), parts.texts, about), findings.found


def is_workbook(document: Document) -> bool:
    """Whether a JSON document has the shape of a workbook."""
    version = document.node(("version",))
    named = isinstance(version, Scalar) and version.text.startswith("Notebook/")
    return named or isinstance(document.node(("items",)), Sequence)


def looks_like_workbook(path: Path, shown: str) -> bool:
    """Whether a JSON file that no pattern names is a workbook; False for what cannot be read."""
    try:
        text = read_text(path, shown)
    except ContentError:
        return False
    return '"Notebook/' in text and is_workbook(parse_json(text, shown)[0])


def _about(path: Path, shown: str, found: list[Finding]) -> Document | None:
    for suffix in (".yaml", ".yml"):
        beside = path.with_suffix(suffix)
        if beside.is_file():
            try:
                document, findings = load_mapping(beside, str(Path(shown).with_suffix(suffix)))
            except ContentError as error:
                found.extend(error.findings)
                return None
            found.extend(findings.found)
            return document
    return None


class _Parts:
    """Puts the texts of other files in the place of the references to them."""

    def __init__(self, folder: Path, document: Document, findings: Findings) -> None:
        self.folder = folder
        self.document = document
        self.findings = findings
        self.texts: dict[int, Source] = {}

    def put_in(self, node: Node) -> Node:
        """The same tree when nothing of it stands in another file. Depth is bounded by the reader."""
        if isinstance(node, Sequence):
            items = [self.put_in(item) for item in node.items]
            return node if all(map(_same, items, node.items)) else Sequence(items, node.span)
        if not isinstance(node, Mapping):
            return node
        reference = node.get(FILE_KEY)
        if reference is not None:
            return self.text(node, reference)
        entries = {name: Entry(entry.key, self.put_in(entry.value)) for name, entry in node.entries.items()}
        unchanged = all(_same(entries[name].value, entry.value) for name, entry in node.entries.items())
        return node if unchanged else Mapping(entries, node.span)

    def text(self, node: Mapping, reference: Node) -> Node:
        if len(node.entries) > 1 or not isinstance(reference, Scalar) or reference.kind != "str":
            message = f'A text in a file of its own is written {{"{FILE_KEY}": "name"}}, with no other key.'
            self.findings.add("bad-value", message, reference.span)
            return Scalar("", "str", "file", node.span)
        text = self.read(reference)
        scalar = Scalar(text.text if text else "", "str", "file", reference.span)
        if text:
            self.texts[id(scalar)] = text
        return scalar

    def read(self, reference: Scalar) -> Source | None:
        path = self.folder / reference.text
        inside = not Path(reference.text).is_absolute() and path.resolve().is_relative_to(self.folder.resolve())
        if not inside or not path.is_file():
            reason = "There is no such file" if inside else "The file lies outside the workbook's folder"
            self.findings.add("no-such-file", f"{reason}: {reference.text}.", reference.span, hints=["Paths count from the JSON file."])
            return None
        try:
            text = read_text(path, str(Path(self.document.source.name).parent / reference.text))
        except ContentError as error:
            self.findings.found.extend(error.findings)
            return None
        return Source(text.removesuffix("\n").removesuffix("\r"), str(Path(self.document.source.name).parent / reference.text))


def _same(one: Node, other: Node) -> bool:
    return one is other
