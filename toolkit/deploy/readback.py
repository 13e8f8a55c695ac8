"""Reads a workspace again after a deployment: what was said to be written has to be there, and what was deleted has to be gone.

A list costs few requests for many writes. A copy of the service that has not heard of a write yet is asked again, item by item.
"""

from __future__ import annotations

from dataclasses import replace

from toolkit.deploy.apply import Applied, Outcome
from toolkit.deploy.connection import Connection
from toolkit.deploy.fingerprint import digest, state_of
from toolkit.deploy.plan import Step
from toolkit.deploy.remote import Found, Remote, categories_of, read_remote
from toolkit.kql.diagnostics import ToolkitError

_PAUSES = (1.0, 4.0, 10.0)
"""Seconds before a resource that is not as it was written is looked at again."""


def verified(applied: Applied, connection: Connection) -> Applied:
    """The same, but what the workspace does not confirm is failed. Reads nothing when nothing was done or the run was stopped."""
    done = [outcome for outcome in applied.of("done") if outcome.step.action != "forget"]
    if not done or applied.interrupted:
        return applied
    try:
        wrong = _unconfirmed([outcome.step for outcome in done], connection)
    except ToolkitError as error:
        wrong = {outcome.step.id: f"the workspace could not be read again: {str(error).splitlines()[0]}" for outcome in done}
    return replace(applied, outcomes=tuple(_judged(outcome, wrong) for outcome in applied.outcomes))


def _judged(outcome: Outcome, wrong: dict[str, str]) -> Outcome:
    found = wrong.get(outcome.step.id)
    return outcome if found is None else replace(outcome, status="failed", message=found)


def _unconfirmed(steps: list[Step], connection: Connection) -> dict[str, str]:
    """What is wrong with steps by their id, after having asked again for a while."""
    options, wrong = connection.arm.options, dict[str, str]()
    for pause in (*_PAUSES, None):
        remote = _read(steps, connection)
        wrong = {step.id: problem for step in steps if (problem := _problem(step, remote))}
        steps = [step for step in steps if step.id in wrong]
        if not steps or pause is None or options.cancel.is_set():
            break
        options.clock.sleep(pause, options.cancel)
    return wrong


def _read(steps: list[Step], connection: Connection) -> Remote:
    kinds = dict.fromkeys(step.kind for step in steps)
    books = categories_of(step.body for step in steps if step.kind == "workbook")
    return read_remote(connection, kinds, [step.name for step in steps if step.kind == "watchlist"], kinds, books)


def _problem(step: Step, remote: Remote) -> str:
    found = remote.at(step.kind, step.name)
    if step.action == "delete":
        return "it was deleted and is still there" if found is not None else ""
    if step.replaces and (step.kind, step.replaces.lower()) in remote.found:
        return f"the rule {step.replaces} that it replaces is still there"
    return _difference(step, found)


def _difference(step: Step, found: Found | None) -> str:
    if found is None:
        return "it was written and is not there"
    if digest(state_of(found.resource)) != step.result:
        by = f"; last written by {found.by}" if found.by else ""
        return f"it was written and is not the same when it is read again{by}"
    return "" if found.mark is not None else "it was written and does not carry this project's mark"
