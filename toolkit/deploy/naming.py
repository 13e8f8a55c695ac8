"""Names that collide in a workspace: found in the plan, before the service refuses the write or two things look the same to people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from toolkit.deploy.desired import finding_at, shown_name
from toolkit.deploy.mapping import ArmResource
from toolkit.deploy.plan import Problem, problems_of
from toolkit.deploy.remote import Found, Remote
from toolkit.deploy.removal import Removals
from toolkit.deploy.target import Pair

_Name = tuple[str, str]


def conflicts(pairs: Sequence[Pair], remote: Remote, gone: Removals) -> Iterator[Problem]:
    """Errors for what the service refuses (a workbook's name, a function's alias), warnings for what only people mistake."""
    removed = {(step.kind, step.name.lower()) for step in gone.steps}
    kept = {(pair.found.resource.kind, pair.found.resource.name.lower()) for pair in pairs if pair.found}
    others: dict[_Name, Found] = {}
    for key, found in remote.found.items():
        if key not in removed and key not in kept:
            others.update(dict.fromkeys(_names(found.resource), found))
    first: dict[_Name, Pair] = {}
    for pair in pairs:
        for name in _names(pair.wanted.resource):
            other = others.get(name)
            if other is not None:
                yield from _conflict(pair, name, f"{other.resource.name} in the workspace")
            elif first.setdefault(name, pair) is not pair:
                yield from _conflict(pair, name, first[name].wanted.file)


def _names(resource: ArmResource) -> Iterator[_Name]:
    """What has to be, or should be, unique: (kind of name, the name without case)."""
    properties = resource.body.get("properties") or {}
    alias = properties.get("functionAlias")
    if alias:
        yield "function alias", str(alias)
    elif resource.kind != "watchlist":
        yield f"display name of a {resource.kind}", shown_name(resource.body).strip().lower()


def _conflict(pair: Pair, name: _Name, other: str) -> Iterator[Problem]:
    what, _ = name
    wanted = pair.wanted
    shown = wanted.resource.body["properties"].get("functionAlias") if what == "function alias" else wanted.title
    message = f"The {what} {shown!r} is also that of {other}."
    is_error = what == "function alias" or wanted.resource.kind == "workbook"
    advice = "Give one of the two another name." if is_error else "People cannot tell the two apart; `toolkit pull` imports the other one."
    findings = finding_at(wanted, "name-conflict", message, ("name",), [advice])
    found = findings.found if is_error else [finding.with_severity("warning") for finding in findings.found]
    yield from problems_of(found)
