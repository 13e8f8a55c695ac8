"""What a project deployed and no longer has: deleted where the mark says that it is ours, within a limit, and never from a partial list."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from toolkit.deploy.desired import Key, names_in, queries_of, shown_name
from toolkit.deploy.fingerprint import digest, state_of
from toolkit.deploy.mapping import ArmResource, ResourceKind
from toolkit.deploy.ownership import Mark
from toolkit.deploy.plan import Problem, Step
from toolkit.deploy.remote import Found, Remote
from toolkit.deploy.target import Pair, Target, is_protected

# what uses others goes first
_ORDER: dict[ResourceKind, int] = {"workbook": 0, "alertRule": 1, "logAlert": 1, "savedSearch": 2, "watchlist": 3}


@dataclass(frozen=True)
class Removals:
    """Steps that delete, and what is said about what they do not delete."""

    steps: tuple[Step, ...]
    orphans: tuple[str, ...]
    protected: tuple[str, ...]
    problems: tuple[Problem, ...]


NO_REMOVALS = Removals((), (), (), ())


def removals(target: Target, remote: Remote, pairs: Sequence[Pair], steps: Sequence[Step]) -> Removals:
    """`steps` are those of the plan so far; none of their resources is removed."""
    kept = {(pair.found.resource.kind, pair.found.resource.name.lower()) for pair in pairs if pair.found}
    ours = [found for key, found in remote.found.items() if key not in kept and found.mark is not None and found.mark.owner == target.owner]
    protected = [found for found in ours if is_protected(target.policy, found)]
    gone = sorted((found for found in ours if found not in protected), key=_rank)
    names = tuple(_named(found) for found in gone)
    if not target.policy.prune:
        return Removals(tuple(_forgotten(target, remote, steps)), names, tuple(map(_named, protected)), ())
    problems = [*_still_used(target, gone, remote), *_still_wanted(gone, pairs)]
    if len(gone) > target.policy.max_deletes:
        message = f"The plan would delete {len(gone)} resources; this environment allows {target.policy.max_deletes} in one deployment."
        hint = "Check that content is not missing by mistake, then raise maxDeletes or use --max-deletes."
        problems.append(Problem.plain("error", "too-many-deletes", message, hint))
    deletes = [_delete(found) for found in gone]
    return Removals((*deletes, *_forgotten(target, remote, steps)), (), tuple(map(_named, protected)), tuple(problems))


def leaving_functions(target: Target, remote: Remote, wanted: Container[Key]) -> dict[Key, str]:
    """The aliases of the functions that a plan deletes, by resource."""
    if not target.policy.prune:
        return {}
    ours = {key: found for key, found in remote.found.items() if found.mark is not None and found.mark.owner == target.owner}
    gone = {
        key: found
        for key, found in ours.items()
        if key[0] == "savedSearch" and key not in wanted and not is_protected(target.policy, found)
    }
    return {key: alias for key, found in gone.items() if (alias := _name_in_queries(found))}


def _delete(found: Found) -> Step:
    resource, mark = found.resource, found.mark
    assert mark is not None, "only what carries our mark is deleted"
    state, title = digest(state_of(resource)), shown_name(resource.body) or resource.name
    return Step("delete", resource.kind, resource.name, mark.content, title, etag=found.etag, state=state, notes=_lost_edits(found, mark))


def _lost_edits(found: Found, mark: Mark) -> tuple[str, ...]:
    """What was changed in the workspace goes away with a resource: people have to know. Rows of watchlists are not looked at."""
    state = state_of(found.resource)
    edited = mark.fingerprint.changed(state, state) if mark.fingerprint else ()
    return (f"changed in the workspace since the last deployment{found.last_written}: {', '.join(edited)}",) if edited else ()


def _forgotten(target: Target, remote: Remote, steps: Sequence[Step]) -> Iterator[Step]:
    """Records of rules that are gone: of deleted ones when their id is free again, of others at once."""
    written = {step.name.lower() for step in steps if step.kind == "alertRule"} | {step.replaces.lower() for step in steps}
    for name, mark in remote.marks.items():
        if mark.owner != target.owner or ("alertRule", name) in remote.found or name in written:
            continue
        if mark.deleted is None or mark.deleted + target.policy.tombstone_time <= target.now:
            yield Step("forget", "alertRule", name, mark.content, f"record of the deleted rule {name}")


def _rank(found: Found) -> tuple[int, bool, str]:
    properties = found.resource.body.get("properties") or {}
    return _ORDER[found.resource.kind], bool(properties.get("functionAlias")), found.resource.name


def _named(found: Found) -> str:
    return f"{found.resource.kind} {shown_name(found.resource.body) or found.resource.name}"


def _still_used(target: Target, gone: Sequence[Found], remote: Remote) -> Iterator[Problem]:
    """Functions and watchlists that content which is not this project's still uses."""
    names = _names_in_queries(gone)
    for other in remote.found.values() if names else ():
        if other.mark is not None and other.mark.owner == target.owner:
            continue
        for used in _used(other.resource, names):
            message = f"{_named(used)} is deleted, and {_named(other)}, which is not this project's, still uses it."
            yield Problem.plain("warning", "still-used", message)


def _still_wanted(gone: Sequence[Found], pairs: Sequence[Pair]) -> Iterator[Problem]:
    """Watchlists that the project's own queries still read. Such functions are found where queries are checked, at their line."""
    names = _names_in_queries([found for found in gone if found.resource.kind == "watchlist"])
    for pair in pairs if names else ():
        for used in _used(pair.wanted.resource, names):
            message = f"{_named(used)} is deleted, and {pair.wanted.title!r} still uses it."
            yield Problem.plain("warning", "still-used", message, file=pair.wanted.file)


_Names = Mapping[tuple[bool, str], Found]


def _names_in_queries(gone: Sequence[Found]) -> _Names:
    """Functions and watchlists by (whether it is a watchlist, the name that queries use); hunting queries have no such name."""
    named = [((found.resource.kind == "watchlist", _name_in_queries(found)), found) for found in gone]
    return {key: found for key, found in named if key[1]}


def _name_in_queries(found: Found) -> str:
    if found.resource.kind == "watchlist":
        return found.resource.name.lower()
    return str((found.resource.body.get("properties") or {}).get("functionAlias") or "")


def _used(resource: ArmResource, names: _Names) -> list[Found]:
    """What of `names` the queries of a resource use."""
    keys = set[tuple[bool, str]]()
    for query in queries_of(resource):
        words, texts = names_in(query)
        keys |= {(False, word) for word in words} | {(True, text) for text in texts if "_GetWatchlist" in words}
    return [names[key] for key in sorted(keys & names.keys())]
