"""The plan of a deployment: a frozen value. Explaining it and applying it are two interpreters of it; neither computes anything new.

As a file it is JSON with a digest over all of it, so that what is applied is what was reviewed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from toolkit.content.findings import Finding
from toolkit.deploy.fingerprint import digest
from toolkit.deploy.mapping import Difference, ResourceKind
from toolkit.kql.diagnostics import Severity, ToolkitError

Action = Literal["create", "update", "replace", "mark", "delete", "forget", "wait"]
"""What a step does. `mark`: the content is equal, only the mark of ownership is written. `forget`: an old record of a deleted rule is
removed. `wait`: nothing can be done yet, because the id is still blocked."""
Origin = Literal["", "file", "workspace", "both"]
"""Where a difference comes from, by what was last deployed; '' where that is not known."""
CHANGES: frozenset[Action] = frozenset({"create", "update", "replace", "delete", "wait"})
"""Actions that change content; the others keep records."""
VERSION = 1


class PlanError(ToolkitError):
    """A plan file that cannot be used, or a plan that no longer fits its workspace."""


@dataclass(frozen=True)
class Row:
    """One row of a watchlist that is written (`values`) or, without values, deleted. `shown` names it by its search key."""

    name: str
    shown: str
    values: Mapping[str, Any] | None = None
    etag: str | None = None


@dataclass(frozen=True)
class Step:
    """One resource's change.

    `name` is the resource's name in the workspace, `content` the id in the file. `body` is what a PUT sends (None: the resource itself
    is not written), `mark` the metadata of a rule. `etag` and `state` are of the resource that the step replaces or deletes, '' where
    there is none; `result` is the state after the step. `needs` are steps that have to succeed first, by their `id`; `origin` says who
    changed what an update sets right. `early`: a deletion that has to make room for new rules.
    """

    action: Action
    kind: ResourceKind
    name: str
    content: str
    title: str
    file: str = ""
    body: Mapping[str, Any] | None = None
    mark: Mapping[str, Any] | None = None
    rows: tuple[Row, ...] = ()
    etag: str | None = None
    state: str = ""
    result: str = ""
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    replaces: str = ""
    origin: Origin = ""
    early: bool = False

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.name.lower()}"


@dataclass(frozen=True)
class Problem:
    """A finding about the plan. `text` is the finding with its code frame."""

    severity: Severity
    code: str
    message: str
    file: str
    line: int
    text: str

    @classmethod
    def of(cls, finding: Finding) -> Problem:
        return cls(finding.severity, finding.code, finding.diagnostic.message, finding.source.name, finding.position.line, finding.render())

    @classmethod
    def plain(cls, severity: Severity, code: str, message: str, hint: str = "", file: str = "") -> Problem:
        """A problem that has no line in a file."""
        head = f"{file}: {severity}: {message} [{code}]".removeprefix(": ")
        return cls(severity, code, message, file, 1, f"{head}\n  hint: {hint}" if hint else head)


@dataclass(frozen=True)
class Plan:
    """Everything a deployment will do, in the order in which it is done.

    `made` is when it was made, `workspace` the resource id in lower case. `unchanged`, `protected`, `excluded`, `unmanaged` count what
    is left alone; `orphans` are names of resources that would be deleted if the plan pruned.
    """

    environment: str
    workspace: str
    owner: str
    made: str
    steps: tuple[Step, ...] = ()
    problems: tuple[Problem, ...] = ()
    unchanged: int = 0
    protected: tuple[str, ...] = ()
    excluded: int = 0
    unmanaged: int = 0
    orphans: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether an error forbids applying it."""
        return any(problem.severity == "error" for problem in self.problems)

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that change content."""
        return tuple(step for step in self.steps if step.action in CHANGES)

    def count(self, action: Action) -> int:
        return sum(step.action == action for step in self.steps)

    # --- as a file ------------------------------------------------------------------------------------------------------------------

    def data(self) -> dict[str, Any]:
        """The plan as JSON values; keys are only ever added."""
        counts = {action: self.count(action) for action in get_args(Action)}
        return {"version": VERSION, "summary": {**counts, "unchanged": self.unchanged, "blocked": self.blocked}, **asdict(self)}

    def to_json(self) -> str:
        data = json.loads(json.dumps(self.data()))
        return json.dumps({**data, "digest": digest(data)}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, name: str = "plan") -> Plan:
        """Raises PlanError for a text that is no plan of this version, or that was edited."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise PlanError(f"{name}: expected a plan written by `toolkit plan --out`, found text that is not JSON: {error}") from None
        if not isinstance(data, dict) or "digest" not in data or "steps" not in data:
            raise PlanError(f"{name}: expected a plan written by `toolkit plan --out`, found other JSON.")
        if data.get("version") != VERSION:
            raise PlanError(f"{name}: expected a plan of version {VERSION}, found {data.get('version')!r}. Make a new plan.")
        found = data.pop("digest")
        if found != digest(data):
            raise PlanError(f"{name}: the plan was changed after it was made, so it is not what was reviewed. Make a new plan.")
        try:
            return cls._of(data)
        except (AttributeError, KeyError, TypeError) as error:
            raise PlanError(f"{name}: the plan does not have the form of one: {error}. Make a new plan.") from None

    @classmethod
    def _of(cls, data: dict[str, Any]) -> Plan:
        known = {field.name for field in fields(cls)}
        values = {key: value for key, value in data.items() if key in known}
        steps, problems = (_step(step) for step in values.pop("steps")), (Problem(**problem) for problem in values.pop("problems"))
        lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
        return cls(**{**values, **lists}, steps=tuple(steps), problems=tuple(problems))


def _step(data: Mapping[str, Any]) -> Step:
    rows = tuple(Row(**row) for row in data["rows"])
    found = tuple(Difference(**difference) for difference in data["differences"])
    return Step(**{**data, "rows": rows, "differences": found, "notes": tuple(data["notes"]), "needs": tuple(data["needs"])})


def problems_of(findings: Iterable[Finding]) -> tuple[Problem, ...]:
    return tuple(Problem.of(finding) for finding in findings)
