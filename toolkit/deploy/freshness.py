"""Does a plan still fit? A plan that was reviewed yesterday is applied only to the workspace that was reviewed.

A step that was done already (an earlier run was stopped half-way) is no contradiction: the rest is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toolkit.deploy.connection import Connection
from toolkit.deploy.fingerprint import digest, state_of
from toolkit.deploy.ownership import mark_of_metadata, split_mark
from toolkit.deploy.plan import Plan, PlanError, Step
from toolkit.deploy.remote import Found, Remote, categories_of, read_remote

_SHOWN = 10


def refreshed(plan: Plan, connection: Connection) -> Plan:
    """The plan with what is still to be done, at the workspace's present etags.

    Raises PlanError when the plan is for another workspace or is blocked, or when something that it touches was changed since.
    """
    if plan.workspace != connection.workspace.id.lower():
        raise PlanError(f"The plan is for the workspace {plan.workspace}, not for {connection.workspace.id.lower()}.")
    if plan.blocked:
        raise PlanError("The plan has errors and cannot be applied; `toolkit plan` shows them.")
    books = categories_of(step.body for step in plan.steps if step.kind == "workbook")
    remote = read_remote(
        connection, {step.kind for step in plan.steps}, [step.name for step in plan.steps if step.kind == "watchlist"], categories=books
    )
    stale: list[str] = []
    steps = [found for step in plan.steps if (found := _current(step, remote, plan.owner, stale)) is not None]
    if stale:
        raise PlanError(_refusal(stale))
    return replace(plan, steps=tuple(steps), unchanged=plan.unchanged + len(plan.steps) - len(steps))


def _refusal(stale: Sequence[str]) -> str:
    more = [f"  and {len(stale) - _SHOWN} more"] if len(stale) > _SHOWN else []
    lines = ["The plan is stale: the workspace changed after it was made.", *(f"  {line}" for line in stale[:_SHOWN]), *more]
    return "\n".join([*lines, "Make a new plan and review it; nothing was written."])


def _current(step: Step, remote: Remote, owner: str, stale: list[str]) -> Step | None:
    """The step as it is to be done now, None when nothing is left of it."""
    if step.action in ("forget", "wait"):
        return step
    found = remote.at(step.kind, step.name)
    if step.action == "replace":
        return _replacement(step, found, _own(step, remote, owner), stale)
    if found is None:
        if step.action in ("create", "delete"):
            return step if step.action == "create" else None
        stale.append(f"{step.title}: it was deleted meanwhile.")
        return None
    if _lost(step, found, owner):
        stale.append(f"{step.title}: it no longer carries this project's mark.")
        return None
    state = digest(state_of(found.resource))
    if step.action != "delete" and state == step.result:
        return None if _marked(step, found, owner) else replace(step, action="mark", body=None if step.mark else step.body, etag=found.etag)
    if step.state and (state == step.state or (found.etag and found.etag == step.etag)):
        return replace(step, etag=found.etag)
    by = f" by {found.by}" if found.by else ""
    stale.append(f"{step.title}: it was {'made' if step.action == 'create' else 'changed'} meanwhile{by}.")
    return None


def _own(step: Step, remote: Remote, owner: str) -> Found | None:
    """The rule that a step replaces, as long as no other project has it."""
    old = remote.found.get((step.kind, step.replaces.lower()))
    return None if old is None or _lost(step, old, owner) else old


def _lost(step: Step, found: Found, owner: str) -> bool:
    """Whether another project has it now; of what is deleted, also whether it is nobody's now."""
    if found.mark is None:
        return step.action == "delete"
    return found.mark.owner != owner


def _marked(step: Step, found: Found, owner: str) -> bool:
    """Whether the mark is the one that the step writes."""
    expected = mark_of_metadata({"name": f"analyticsrule-{step.name}", **step.mark}) if step.mark else None
    mark = expected[1] if expected else split_mark(step.kind, step.name, step.body or {})[1]
    return found.mark is not None and found.mark.owner == owner and (mark is None or found.mark.fingerprint == mark.fingerprint)


def _replacement(step: Step, new: Found | None, old: Found | None, stale: list[str]) -> Step | None:
    if new is not None and digest(state_of(new.resource)) != step.result:
        stale.append(f"{step.title}: its new id {step.name} was taken meanwhile.")
        return None
    if old is None:
        if new is None:
            stale.append(f"{step.title}: the rule that it replaces was deleted meanwhile.")
        return None
    if digest(state_of(old.resource)) != step.state:
        stale.append(f"{step.title}: it was changed meanwhile.")
        return None
    return replace(step, etag=old.etag)
