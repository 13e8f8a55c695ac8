"""The numbered rules of KQL (R-001 to R-351): each is named where it is implemented, and each has a test."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

LAST = 351
_RANGE = re.compile(r"R-(\d{3})(?:\s*(?:to|\.\.)\s*R-(\d{3}))?")


def cited(files: Iterable[Path], *, ranges: bool) -> set[int]:
    """The numbers of the rules that files name one by one, and those within `R-110 to R-119` if ranges count."""
    found: set[int] = set()
    for file in files:
        for first, last in _RANGE.findall(file.read_text(encoding="utf-8")):
            if ranges or not last:
                found.update(range(int(first), int(last or first) + 1))
    return found


def missing(root: Path, folder: str, *, ranges: bool) -> list[str]:
    files = [path for path in (root / folder).rglob("*") if path.suffix in (".py", ".yaml") and path != Path(__file__).resolve()]
    known = cited(files, ranges=ranges)
    return [f"R-{number:03}" for number in range(1, LAST + 1) if number not in known]


def test_every_rule_is_named_where_it_is_implemented(root: Path) -> None:
    assert missing(root, "toolkit", ranges=True) == []


def test_every_rule_has_a_test(root: Path) -> None:
    """A heading over many rules is no test of each of them."""
    assert missing(root, "tests", ranges=False) == []
