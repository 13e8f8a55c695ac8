"""Reads the data files of the content tests: sections of a text and the findings that it has to give.

=== title
the text
--- code "the underlined text" words of the message
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from toolkit.content.findings import Finding

_EXPECTED = re.compile(r'--- (?:(warning|info) )?([a-z-]+) "((?:[^"\\]|\\.)*)" ?(.*)')


@dataclass(frozen=True)
class Expected:
    severity: str
    code: str
    underlined: str
    words: str


@dataclass(frozen=True)
class Section:
    title: str
    text: str
    expected: tuple[Expected, ...]


def sections(path: Path) -> list[Section]:
    found = []
    for block in re.split(r"^=== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, rest = block.partition("\n")
        lines = rest.split("\n")
        text = "\n".join(line for line in lines if not line.startswith("--- ")).strip("\n") + "\n"
        found.append(Section(title, text, tuple(_expected(line) for line in lines if line.startswith("--- "))))
    return found


def parameters(name: str, folder: Path = Path(__file__).parent) -> list[object]:
    return [pytest.param(section, id=section.title) for section in sections(folder / "data" / name)]


def _expected(line: str) -> Expected:
    match = _EXPECTED.fullmatch(line)
    assert match, line
    return Expected(match[1] or "error", match[2], match[3].encode().decode("unicode_escape"), match[4])


def check(findings: Sequence[Finding], expected: Sequence[Expected]) -> None:
    """Every expected finding is there, with what it underlines and says, and there is no other one."""
    found = [(f.severity, f.code, f.source.text[f.diagnostic.start : f.diagnostic.end].split("\n")[0]) for f in findings]
    assert sorted(found) == sorted((e.severity, e.code, e.underlined) for e in expected)
    for want in expected:
        texts = [f.render() for f in findings if f.code == want.code]
        assert any(want.words in text for text in texts), texts
