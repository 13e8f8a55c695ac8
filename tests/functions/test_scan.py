"""scan against its documented matching logic, written down row by row, over generated rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit import Workspace

Seen = dict[str, int]


@dataclass(frozen=True)
class Step:
    """`matches` sees the row (its number and its letter) and the numbers of the rows that the state holds, by step."""

    name: str
    matches: Callable[[int, str, Seen], bool]


STEPS = (
    Step("s", lambda i, e, seen: e == "s"),
    Step("t", lambda i, e, seen: e == "t" and i - seen["s"] < 4),
    Step("u", lambda i, e, seen: e != "t" and "t" in seen and i - seen["t"] < 3),
)
QUERY = """
T | sort by i asc
| scan with_match_id=m declare(n:long=0) with (
    step s: e == 's' => n = s.n + 1;
    step t: e == 't' and i - s.i < 4 => n = t.n + 1;
    step u: e != 't' and i - t.i < 3 => n = u.n + 1;)
| project i, n, m
"""


@dataclass
class Sequence:
    match: int
    seen: Seen
    count: int


def scanned(events: str) -> list[tuple[int, int, int]]:
    """Row, how often its step matched in a row, match; a row is compared with the steps in reverse order."""
    held: dict[str, Sequence] = {}
    found: list[tuple[int, int, int]] = []
    matches = 0
    for i, e in enumerate(events):
        for index in range(len(STEPS) - 1, -1, -1):
            step, before = STEPS[index], STEPS[index - 1].name if index else ""
            if before in held and step.matches(i, e, held[before].seen):
                taken = held.pop(before)
                held[step.name] = Sequence(taken.match, {**taken.seen, step.name: i}, 1)
            elif step.name in held and step.matches(i, e, held[step.name].seen):
                held[step.name].seen[step.name] = i
                held[step.name].count += 1
            elif not index and step.name not in held and step.matches(i, e, {}):
                held[step.name] = Sequence(matches, {step.name: i}, 1)
                matches += 1
            else:
                continue
            found.append((i, held[step.name].count, held[step.name].match))
    return found


@settings(max_examples=30, deadline=None)
@given(st.text("stux", min_size=1, max_size=25))
def test_scan_matches_as_its_page_says(events: str) -> None:
    with closing(Workspace({"T": {"i": "long", "e": "string"}})) as workspace:
        workspace.ingest("T", [{"i": index, "e": event} for index, event in enumerate(events)])
        assert list(workspace.query(QUERY).rows()) == scanned(events)
