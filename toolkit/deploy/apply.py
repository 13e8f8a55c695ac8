"""Does what a plan says, and nothing else: in order, side by side where the order allows, each step with an outcome of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any, Literal, get_args

from toolkit.azure import Address
from toolkit.azure.errors import CancelledError, QueryRejectedError, TombstoneError
from toolkit.azure.resources import WATCHLIST_ITEM
from toolkit.deploy.connection import Connection
from toolkit.deploy.mapping import ResourceKind, differences
from toolkit.deploy.ownership import Mark, metadata_body, split_mark
from toolkit.deploy.plan import Plan, Step
from toolkit.deploy.remote import address_of, mark_address
from toolkit.kql.diagnostics import ToolkitError

Status = Literal["done", "failed", "skipped", "waiting", "not started"]
STATUSES: tuple[Status, ...] = get_args(Status)
_RANKS: Mapping[ResourceKind, int] = {"watchlist": 0, "savedSearch": 2, "alertRule": 2, "logAlert": 2, "workbook": 3}
_REMOVAL = 10
_NEW_WORKSPACE_PAUSES = (30.0, 60.0, 60.0)
"""Seconds after which a workspace that was made a minute ago is asked again."""


@dataclass(frozen=True)
class Outcome:
    """What became of a step. `message` says why when it is not done; `correlation_id` is for Microsoft's support."""

    step: Step
    status: Status
    message: str = ""
    correlation_id: str = ""


@dataclass(frozen=True)
class Applied:
    """What became of a plan: an outcome for every step, in the plan's order."""

    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    interrupted: bool = False

    def of(self, *statuses: Status) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.status in statuses)

    @property
    def clean(self) -> bool:
        return len(self.of("done")) == len(self.outcomes)


@dataclass
class _Run:
    """One application; `outcomes` by the id of the step."""

    connection: Connection
    owner: str
    now: datetime
    progress: Callable[[str], None]
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    # --- one step -------------------------------------------------------------------------------------------------------------------

    def do(self, step: Step) -> Outcome:
        """Raises nothing but defects: errors of Azure are outcomes."""
        lacking = [need for need in step.needs if need in self.outcomes and self.outcomes[need].status != "done"]
        if lacking:
            return Outcome(step, "skipped", f"not tried, because {self.outcomes[lacking[0]].step.title!r}, which it needs, is not there")
        if step.action == "delete" and step.kind in ("savedSearch", "watchlist") and (undone := self._undone()) is not None:
            return Outcome(step, "skipped", f"not deleted, because {undone.step.title!r} may still use it, and was not written")
        if step.action == "wait":
            return Outcome(step, "waiting", "; ".join(step.notes))
        try:
            _ACTIONS[step.action](self, step)
        except CancelledError as error:
            return Outcome(step, "failed" if error.unclear else "not started", str(error), error.correlation_id)
        except TombstoneError as error:
            return Outcome(step, "waiting", str(error), error.correlation_id)
        except ToolkitError as error:
            return Outcome(step, "failed", str(error), getattr(error, "correlation_id", ""))
        finally:
            self.progress(step.title)
        return Outcome(step, "done")

    def _undone(self) -> Outcome | None:
        """A step that should have been written before the deletions and was not."""
        return next((each for each in self.outcomes.values() if each.step.action in ("update", "replace") and each.status != "done"), None)

    def write(self, step: Step) -> None:
        """Creates or replaces the resource, its rows and its mark, and checks what the service says it has now."""
        new = step.action in ("create", "replace")
        if step.body is not None:
            body = self._put(step, None if new else step.etag, new)
            _verify(step, body)
        for row in step.rows:
            self._row(step, row.name, row.values, row.etag)
        self.mark(step)

    def _put(self, step: Step, etag: str | None, new: bool) -> dict[str, Any]:
        assert step.body is not None, "only steps with a body are put"
        address = address_of(self.connection, step.kind, step.name)
        if new and step.kind == "watchlist" and self.connection.arm.find(address) is not None:
            # the upload would be added to its rows
            raise MadeMeanwhileError(f"{step.title}: somebody made this watchlist after the plan; make a new plan.")
        for pause in (*_NEW_WORKSPACE_PAUSES, None):
            try:
                return self.connection.arm.put(address, step.body, etag=etag, new=new).body
            except QueryRejectedError as error:
                if not error.transient or pause is None:
                    raise
            options = self.connection.arm.options
            options.clock.sleep(pause, options.cancel)
        raise AssertionError("the last try returns or raises")

    def _row(self, step: Step, name: str, values: Mapping[str, Any] | None, etag: str | None) -> None:
        address = Address(WATCHLIST_ITEM, self.connection.workspace, name, step.name)
        if values is None:
            self.connection.arm.delete(address, etag=etag)
        else:
            self.connection.arm.put(address, {"properties": {"itemsKeyValue": dict(values)}}, etag=etag, new=etag is None)

    def mark(self, step: Step) -> None:
        if step.mark is not None:
            self.connection.arm.put(mark_address(self.connection, step.name), step.mark)

    def mark_only(self, step: Step) -> None:
        if step.mark is not None:
            self.mark(step)
        else:
            self.write(step)

    def replace(self, step: Step) -> None:
        """The new rule first: there is no moment without a rule."""
        self.write(step)
        self._delete(step.kind, step.replaces, step.etag)
        self._bury(step.replaces, step.content)

    def delete(self, step: Step) -> None:
        self._delete(step.kind, step.name, step.etag)
        if step.kind == "alertRule":
            self._bury(step.name, step.content)

    def _delete(self, kind: ResourceKind, name: str, etag: str | None) -> None:
        self.connection.arm.delete(address_of(self.connection, kind, name), etag=etag)

    def _bury(self, rule: str, content: str) -> None:
        """The rule's mark becomes the record that its id is blocked."""
        mark = Mark(self.owner, content, deleted=self.now)
        self.connection.arm.put(mark_address(self.connection, rule), metadata_body(mark, address_of(self.connection, "alertRule", rule).id))

    def forget(self, step: Step) -> None:
        self.connection.arm.delete(mark_address(self.connection, step.name))


_ACTIONS: Mapping[str, Callable[[_Run, Step], None]] = {
    "create": _Run.write,
    "update": _Run.write,
    "replace": _Run.replace,
    "mark": _Run.mark_only,
    "delete": _Run.delete,
    "forget": _Run.forget,
}


class MadeMeanwhileError(ToolkitError):
    """What the plan creates is there already."""


class VerificationError(ToolkitError):
    """The service took a write and has something else."""


def _verify(step: Step, body: Mapping[str, Any]) -> None:
    sent, _ = split_mark(step.kind, step.name, step.body or {})
    stored, _ = split_mark(step.kind, step.name, body)
    if found := differences(step.kind, sent, stored):
        raise VerificationError(f"{step.title}: the service took the write but has something else: {found[0].render()}")


def apply(plan: Plan, connection: Connection, now: datetime, progress: Callable[[str], None]) -> Applied:
    """Applies a plan. Ctrl-C lets running writes end and starts no more; running again does the rest.

    `now` is the time that records of deleted rules carry. `progress` is told the title of every step that ended.
    """
    run = _Run(connection, plan.owner, now, progress)
    cancel = connection.arm.options.cancel
    for batch in _batches(plan.steps):
        found = connection.arm.run_many([partial(run.do, step) for step in batch])
        for step, outcome in zip(batch, found, strict=True):
            run.outcomes[step.id] = outcome.value or Outcome(step, "not started", "stopped before it was started")
    return Applied(plan, tuple(run.outcomes[step.id] for step in plan.steps), cancel.is_set())


def _batches(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Steps that can be done side by side: watchlists, functions by what they call, rules and queries, workbooks; then deletions."""
    depths: dict[str, int] = {}
    for step in steps:  # a plan's steps come after those that they need
        depths[step.id] = 1 + max((depths.get(need, 0) for need in step.needs), default=0)
    ranked = sorted(steps, key=lambda step: _rank(step, depths))
    for _, group in groupby(ranked, key=lambda step: _rank(step, depths)):
        yield list(group)


def _rank(step: Step, depths: Mapping[str, int]) -> tuple[int, int]:
    if step.early:
        return _RANKS[step.kind], -1
    if step.action in ("delete", "forget"):
        return _REMOVAL + (step.action == "forget") * 10 + 3 - _RANKS[step.kind], 0
    properties = (step.body or {}).get("properties") or {}
    is_function = step.kind == "savedSearch" and bool(properties.get("functionAlias"))
    return (1 if is_function else _RANKS[step.kind]), depths[step.id] if is_function else 0
