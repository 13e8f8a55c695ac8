"""From what shall be and what is to a plan. Pure: everything it needs to know is given to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from toolkit.content.findings import Finding
from toolkit.deploy.capacity import room_for
from toolkit.deploy.choices import with_choices
from toolkit.deploy.desired import Desired, Key, Wanted, in_order, shown_name
from toolkit.deploy.fingerprint import ITEMS, Fingerprint, digest, state_of
from toolkit.deploy.mapping import ArmResource, compared
from toolkit.deploy.mapping.resources import stable_id
from toolkit.deploy.naming import conflicts
from toolkit.deploy.ownership import Mark, metadata_body, with_mark
from toolkit.deploy.plan import CHANGES, Origin, Plan, Problem, Step, problems_of
from toolkit.deploy.preflight import Preflight
from toolkit.deploy.remote import MANAGED_RULES, Found, Remote, place_of
from toolkit.deploy.removal import NO_REMOVALS, removals
from toolkit.deploy.rows import row_changes
from toolkit.deploy.target import Pair, Target, is_protected

AUTO_DISABLED = "AUTO DISABLED"
"""What the service puts in front of the name of a rule that it disabled."""
_PAUSED = "disabled, because "
_NO_PREFLIGHT: Mapping[Key, Preflight] = {}


def make_plan(target: Target, desired: Desired, remote: Remote, checked: Mapping[Key, Preflight] = _NO_PREFLIGHT) -> Plan:
    """The plan that makes the workspace have what is desired. `checked`: what preflight found wrong with queries."""
    return _Planner(target, desired, remote, checked).plan()


class _Planner:
    def __init__(self, target: Target, desired: Desired, remote: Remote, checked: Mapping[Key, Preflight]) -> None:
        self.target, self.desired, self.remote, self.checked = target, desired, remote, checked
        self.policy = target.policy
        self.problems: list[Problem] = []
        self.protected: list[str] = []
        self.unchanged = 0
        self._by_content = {
            found.mark.content.lower(): found
            for found in remote.of("alertRule")
            if found.mark is not None and found.mark.owner == target.owner
        }

    def plan(self) -> Plan:
        self._problems(self.desired.findings)
        pairs = [Pair(one, self._find(one)) for one in in_order(self.desired.wanted.values())]
        steps = [step for pair in pairs if not self._is_protected(pair) for step in self._steps(pair)]
        steps = _with_needs(steps, pairs)
        # a file that cannot be read is still a file of the project
        gone = NO_REMOVALS if self.desired.findings else removals(self.target, self.remote, pairs, steps)
        self.problems += [*conflicts(pairs, self.remote, gone), *gone.problems]
        known = {pair.found.resource.name.lower() for pair in pairs if pair.found} | {step.name.lower() for step in gone.steps}
        room = room_for((*steps, *gone.steps), self.remote)
        self.problems += room.problems
        unmanaged = sum(found.mark is None and name not in known for (_, name), found in self.remote.found.items())
        return Plan(
            self.target.environment,
            self.target.workspace.lower(),
            self.target.owner,
            self.target.now.isoformat(timespec="seconds"),
            room.steps,
            tuple(self.problems),
            self.unchanged,
            (*self.protected, *gone.protected),
            self.desired.excluded,
            unmanaged,
            gone.orphans,
            tuple(_not_read(self.remote)),
        )

    def _problems(self, findings: Sequence[Finding]) -> None:
        self.problems += problems_of(findings)

    def _is_protected(self, pair: Pair) -> bool:
        found = is_protected(self.policy, pair.found, pair.wanted)
        self.protected += [f"{pair.wanted.resource.kind} {pair.wanted.title}"] * found
        return found

    def _find(self, one: Wanted) -> Found | None:
        """By the id in the file, which is the resource's name unless the rule had to take another one."""
        if one.resource.kind == "alertRule" and one.resource.name.lower() in self._by_content:
            return self._by_content[one.resource.name.lower()]
        found = self.remote.found.get(one.key)
        elsewhere = self.remote.elsewhere.get(one.key)
        if elsewhere is not None and place_of(elsewhere.resource) == place_of(one.resource):
            return elsewhere  # the file itself says another workspace
        other = found is not None and found.mark is not None and found.mark.owner == self.target.owner
        return None if other and found and found.mark and found.mark.content.lower() != one.key[1] else found

    # --- one resource -------------------------------------------------------------------------------------------------------------------

    def _steps(self, pair: Pair) -> Iterator[Step]:
        wanted, found = pair.wanted, pair.found
        resource, notes = self._checked(wanted)
        if resource is None:
            return
        if found is None and wanted.key in self.remote.elsewhere:
            self._taken(wanted, self.remote.elsewhere[wanted.key])
            return
        if found is None:
            yield self._create(wanted, resource, notes)
            return
        if found.mark is not None and found.mark.owner != self.target.owner:
            message = f"{wanted.title!r} was deployed by the project {found.mark.owner!r}; two projects cannot keep one {resource.kind}."
            self._problem("error", "other-owner", message, wanted.file)
            return
        if found.mark is not None and found.mark.paused and not _is_paused(notes):
            resource = replace(resource, by_policy=())  # nobody chose to disable it
        if shown_name(found.resource.body).startswith(AUTO_DISABLED):
            resource = replace(resource, by_policy=())
            notes = (*notes, "the service disabled it after its query kept failing; it is written anew: look at its health afterwards")
        resource = with_choices(resource, found.resource, self.policy)
        if resource.kind == "alertRule" and _kind(resource) != _kind(found.resource):
            yield from self._replace(wanted, resource, found, notes)
            return
        yield from self._update(wanted, resource, found, notes)

    def _taken(self, wanted: Wanted, other: Found) -> None:
        """Workbooks and log alert rules of several workspaces lie in one resource group: a PUT would take this one from its workspace."""
        kind, name = wanted.resource.kind, wanted.resource.name
        where = ", ".join(place_of(other.resource)) or "none"
        message = f"The id {name} is that of a {kind} in this resource group that belongs to another workspace: {where}."
        hint = "Exclude the file in this environment, or give its content another id here."
        self._problem("error", "other-workspace", message, wanted.file, hint)

    def _checked(self, wanted: Wanted) -> tuple[ArmResource | None, tuple[str, ...]]:
        """The resource as the workspace can take it, None when it is left out or cannot be had."""
        result, resource = self.checked.get(wanted.key), wanted.resource
        if result is None:
            return resource, ()
        only_tables = bool(result.tables) and all(finding.code == "unknown-table" for finding in result.findings)
        tables = f"the workspace has no {', '.join(result.tables)}"
        if only_tables and self.policy.missing_tables == "skip":
            self._problem("warning", "missing-table", f"{wanted.title!r} is left out: {tables}.", wanted.file)
            return None, ()
        if only_tables and self.policy.missing_tables == "disable" and resource.kind == "alertRule":
            properties = {**resource.body["properties"], "enabled": False}
            disabled = replace(resource, body={**resource.body, "properties": properties}, by_policy=())
            return disabled, (f"{_PAUSED}{tables}",)
        self._problems(result.findings)
        if not result.findings:
            self._problem("error", "missing-table", f"{wanted.title!r} cannot run: {tables}.", wanted.file)
        return None, ()

    def _problem(self, severity: Any, code: str, message: str, file: str, hint: str = "") -> None:
        self.problems.append(Problem.plain(severity, code, message, hint, file))

    def _create(self, wanted: Wanted, resource: ArmResource, notes: tuple[str, ...]) -> Step:
        blocked = self._blocked_until(resource)
        if blocked and self.policy.tombstones == "wait":
            note = (
                f"Azure refuses the id until about {blocked}: the rule was deleted by this project. `tombstones: newId` takes another id."
            )
            return self._step("wait", wanted, resource, notes=(*notes, note))
        if blocked:
            notes = (*notes, f"under a new id: the rule's own is blocked until about {blocked}")
            resource = replace(resource, name=self._new_name(wanted))
        return replace(self._step("create", wanted, resource, notes=notes), origin=self._origin_of_absence(wanted))

    def _origin_of_absence(self, wanted: Wanted) -> Origin:
        """Whether a rule that is not there was deleted in the workspace or never deployed; of other kinds nobody can tell."""
        if wanted.resource.kind != "alertRule":
            return ""
        marks = (mark for mark in self.remote.marks.values() if mark.owner == self.target.owner and mark.content.lower() == wanted.key[1])
        return "workspace" if any(mark.deleted is None for mark in marks) else "file"

    def _blocked_until(self, resource: ArmResource) -> str:
        mark = self.remote.marks.get(resource.name.lower()) if resource.kind == "alertRule" else None
        if mark is None or mark.deleted is None or mark.deleted + self.policy.tombstone_time <= self.target.now:
            return ""
        return (mark.deleted + self.policy.tombstone_time).isoformat(timespec="minutes")

    def _new_name(self, wanted: Wanted) -> str:
        """The next id that a rule's own id stands for, the same on every machine."""
        number = 1
        while True:
            name = stable_id("alertRule", wanted.key[1], "again", str(number))
            if name not in self.remote.marks and ("alertRule", name) not in self.remote.found:
                return name
            number += 1

    def _replace(self, wanted: Wanted, resource: ArmResource, found: Found, notes: tuple[str, ...]) -> Iterator[Step]:
        """Azure does not change a rule's kind, and the old id stays blocked: a new rule first, then the old one is deleted."""
        before, after = _kind(found.resource), _kind(resource)
        new = replace(resource, name=self._new_name(wanted))
        changed = compared(resource, found.resource)
        origin, edits = _edits(resource, found, [property_of(each.path) for each in changed])
        note = f"kind {before} -> {after}: a new rule with the id {new.name}, then the old one is deleted"
        step = self._step("replace", wanted, new, found, (*notes, note, *edits))
        yield replace(step, replaces=found.resource.name, differences=changed, origin=origin)

    def _update(self, wanted: Wanted, resource: ArmResource, found: Found, notes: tuple[str, ...]) -> Iterator[Step]:
        resource = resource if resource.name == found.resource.name else replace(resource, name=found.resource.name)
        rows: tuple[Any, ...] = ()
        if resource.kind == "watchlist":
            rows = row_changes(resource.children, found.resource.children, str(resource.body["properties"]["itemsSearchKey"]))
        changed = compared(resource, found.resource)
        source = self.remote.sources.get(resource.name.lower(), "") if resource.kind == "alertRule" else ""
        if changed or rows:
            notes = (*notes, f"its metadata names {source}; this project's takes its place") if source else notes
            origin, edits = _edits(resource, found, [property_of(each.path) for each in changed] + [ITEMS] * bool(rows))
            step = self._step("update", wanted, resource, found, (*notes, *edits))
            yield replace(step, differences=changed, rows=rows, origin=origin)
        elif source:
            self.unchanged += 1  # equal, and somebody else's record of it stays
        elif found.mark is None or found.mark.fingerprint != Fingerprint.of(state_of(resource)):
            yield self._step("mark", wanted, resource, found, notes)
        else:
            self.unchanged += 1

    def _step(self, action: Any, wanted: Wanted, resource: ArmResource, found: Found | None = None, notes: tuple[str, ...] = ()) -> Step:
        state = state_of(resource)
        mark = Mark(self.target.owner, wanted.resource.name, Fingerprint.of(state), paused=_is_paused(notes))
        metadata = None
        if resource.kind == "alertRule":
            rule_id = f"{self.target.workspace}/providers/Microsoft.SecurityInsights/alertRules/{resource.name}"
            metadata = metadata_body(mark, rule_id, wanted.version)
        body = with_mark(resource.kind, {**resource.body}, mark)
        if action == "create" and resource.only_at_creation:
            body["properties"] = {**body["properties"], **resource.only_at_creation}
        writes = action != "wait" and not (action == "mark" and metadata is not None)
        return Step(
            action,
            resource.kind,
            resource.name,
            wanted.resource.name,
            wanted.title,
            wanted.file,
            body if writes else None,
            metadata,
            etag=found.etag if found else None,
            state=digest(state_of(found.resource)) if found else "",
            result=digest(state),
            notes=notes,
        )


def _is_paused(notes: Sequence[str]) -> bool:
    return any(note.startswith(_PAUSED) for note in notes)


def property_of(path: str) -> str:
    """The property that a difference's path lies in."""
    return path.removeprefix("properties.").partition(".")[0].partition("[")[0]


def _edits(resource: ArmResource, found: Found, names: Sequence[str]) -> tuple[Origin, list[str]]:
    """Who changed these properties since the last deployment, and what there is to say about it."""
    if found.mark is None:
        return "", [f"taken over: not deployed by this project so far{found.last_written}"]
    if found.mark.fingerprint is None:
        return "", []
    edited, ours = sides(resource, found, names)
    both = [name for name in edited if name in ours]
    notes = [f"changed in the workspace since the last deployment{found.last_written}: {', '.join(edited)}"] if edited else []
    notes += [f"changed in the file as well: {', '.join(both)}"] if both else []
    return "both" if edited and ours else "workspace" if edited else "file", notes


def sides(resource: ArmResource, found: Found, names: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which of these properties were changed in the workspace, and which in the file, since the last deployment; all in the workspace where
    nothing is known of one."""
    names = tuple(dict.fromkeys(names))
    if found.mark is None or found.mark.fingerprint is None:
        return names, ()
    return found.mark.fingerprint.changed(state_of(found.resource), names), found.mark.fingerprint.changed(state_of(resource), names)


def _kind(resource: ArmResource) -> str:
    return str(resource.body.get("kind") or MANAGED_RULES[0])


def _with_needs(steps: Sequence[Step], pairs: Sequence[Pair]) -> list[Step]:
    """Steps with the ids of those that have to succeed before them."""
    changing = {(step.kind, step.content.lower()): step.id for step in steps if step.action in CHANGES}
    needs = {pair.wanted.key: pair.wanted.needs for pair in pairs}
    return [
        replace(step, needs=tuple(changing[need] for need in needs.get((step.kind, step.content.lower()), ()) if need in changing))
        for step in steps
    ]


def _not_read(remote: Remote) -> Iterator[str]:
    for kind, error in remote.missing.items():
        yield f"{kind}: could not be read, so nothing of this kind is compared or deleted. {str(error).splitlines()[0]}"
