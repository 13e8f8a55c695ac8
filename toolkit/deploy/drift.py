"""Drift: what the workspace has otherwise than the files say, and who changed it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from toolkit.deploy.explain import SIGNS, kind_of, step_details
from toolkit.deploy.plan import CHANGES, Plan, Problem, Step
from toolkit.report.text import visible


@dataclass(frozen=True)
class Drift:
    """`changed` are steps that undo what was done in the workspace, `missing` those that would make again what is not there (it was
    deleted; of what is no rule it may never have been deployed), `pending` what was changed in the files and not deployed yet."""

    environment: str
    changed: tuple[Step, ...]
    missing: tuple[Step, ...]
    pending: tuple[Step, ...]
    unmanaged: int = 0
    errors: tuple[Problem, ...] = ()
    """What keeps content from being compared: a file or a query that is wrong."""

    @property
    def clean(self) -> bool:
        return not self.changed and not self.missing and not self.errors


def drift_of(plan: Plan) -> Drift:
    """The drift that a plan would set right."""
    updates = [step for step in plan.steps if step.action in ("update", "replace")]
    return Drift(
        plan.environment,
        tuple(step for step in updates if step.origin != "file"),
        tuple(step for step in plan.steps if step.action == "create" and step.origin != "file"),
        tuple(step for step in plan.steps if step.action in ("delete", "wait") or (step.action in CHANGES and step.origin == "file")),
        plan.unmanaged,
        tuple(problem for problem in plan.problems if problem.severity == "error"),
    )


def drift_lines(drift: Drift) -> Iterator[str]:
    """The drift for people: `-` is what the workspace has, `+` what the files say."""
    for step in drift.changed:
        yield visible(f"{SIGNS['update']} {kind_of(step)} {step.title!r} differs  ({step.file})")
        yield from (f"    {line}".rstrip() for line in step_details(step))
    for step in drift.missing:
        yield visible(f"{SIGNS['delete']} {kind_of(step)} {step.title!r} is not there  ({step.file})")
    for step in drift.pending:
        yield visible(f"note: not deployed yet: {SIGNS[step.action]} {kind_of(step)} {step.title!r}")
    yield drift_summary(drift)


def drift_summary(drift: Drift) -> str:
    counts = [(len(drift.changed), "changed in the workspace"), (len(drift.missing), "not there"), (len(drift.pending), "not deployed yet")]
    listed = ", ".join(f"{count} {words}" for count, words in counts if count)
    if not drift.errors:
        return f"{drift.environment}: {listed or 'no drift'}."
    count = f"{len(drift.errors)} error{'s' if len(drift.errors) > 1 else ''}"
    return f"{drift.environment}: {listed or 'no drift in what was compared'}; {count}, so not everything was compared."


def drift_data(drift: Drift) -> dict[str, Any]:
    """The drift as JSON values; keys are only ever added."""
    lists = (("changed", drift.changed), ("missing", drift.missing), ("pending", drift.pending))
    return {
        "version": 1,
        "environment": drift.environment,
        "clean": drift.clean,
        "unmanaged": drift.unmanaged,
        "errors": [{"code": each.code, "message": each.message, "file": each.file, "line": each.line} for each in drift.errors],
        **{name: [_step_data(step) for step in steps] for name, steps in lists},
    }


def _step_data(step: Step) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "name": step.name,
        "title": step.title,
        "file": step.file,
        "origin": step.origin,
        "differences": [{"path": each.path, "workspace": each.before, "file": each.after} for each in step.differences],
        "rows": len(step.rows),
        "notes": list(step.notes),
    }
