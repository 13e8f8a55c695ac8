"""How many enabled rules a workspace takes: whether a plan fits, and whether it fits only when old rules go before new ones come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from toolkit.deploy.plan import Problem, Step
from toolkit.deploy.remote import Remote

MOST: Mapping[str, int] = {"Scheduled": 512, "NRT": 50}
"""Enabled rules of each kind in one workspace."""


@dataclass(frozen=True)
class Room:
    """The plan's steps, deletions of rules first where they have to make room, and what does not fit all the same."""

    steps: tuple[Step, ...]
    problems: tuple[Problem, ...]


def room_for(steps: Sequence[Step], remote: Remote) -> Room:
    """Counts the enabled rules of every kind after the plan, and before its deletions."""
    rules = {name: kind for (what, name), found in remote.found.items() if what == "alertRule" and (kind := _enabled(found.resource.body))}
    peak = dict(rules)
    for step in steps:
        if step.kind == "alertRule" and step.body is not None and step.action != "wait":
            peak[step.name.lower()] = _enabled(step.body)
    gone = {name for step in steps if step.kind == "alertRule" for name in _removed(step)}
    after = {name: kind for name, kind in peak.items() if name not in gone}
    before, now, then = (Counter(kind for kind in each.values() if kind) for each in (rules, peak, after))
    problems = tuple(_too_many(kind, then[kind], before[kind]) for kind, most in MOST.items() if then[kind] > max(most, before[kind]))
    if all(now[kind] <= most for kind, most in MOST.items()):
        return Room(tuple(steps), problems)
    return Room(tuple(replace(step, early=step.action == "delete" and step.kind == "alertRule") for step in steps), problems)


def _enabled(body: Mapping[str, Any]) -> str:
    """The kind of an enabled rule, '' of any other."""
    return str(body.get("kind") or "Scheduled") if (body.get("properties") or {}).get("enabled", True) else ""


def _removed(step: Step) -> Iterator[str]:
    if step.action == "delete":
        yield step.name.lower()
    if step.replaces:
        yield step.replaces.lower()


def _too_many(kind: str, found: int, before: int) -> Problem:
    message = f"The workspace would have {found} enabled {kind} rules, and has {before} now; it takes {MOST[kind]}."
    return Problem.plain("error", "too-many-rules", message, "Disable or delete rules, or exclude some in this environment.")
