"""What an environment shall have: every content file of the project that is for it, as resources."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from toolkit.content.findings import ContentError, Finding, Findings, file_finding
from toolkit.content.items import Item
from toolkit.content.models.project import Environment
from toolkit.content.models.rule import Rule
from toolkit.content.project import KINDS, Project
from toolkit.content.watchlists import Watchlist, read_watchlist
from toolkit.deploy.connection import environment_of
from toolkit.deploy.mapping import ArmResource, MappingError, ResourceKind, Settings, WorkbookSource, to_arm
from toolkit.kql.lexer import IDENTIFIER, STRING, tokenize
from toolkit.kql.literals import LiteralError, string_value
from toolkit.kql.source import NOWHERE

Key = tuple[ResourceKind, str]
"""A resource of a workspace: its kind, and its name in lower case (Azure compares names without case)."""


@dataclass(frozen=True)
class Wanted:
    """One resource that shall be there, and the file that says so. `needs` are functions and watchlists that its query uses."""

    resource: ArmResource
    file: str
    source: Item | WorkbookSource
    needs: tuple[Key, ...] = ()

    @property
    def key(self) -> Key:
        return self.resource.kind, self.resource.name.lower()

    @property
    def title(self) -> str:
        return shown_name(self.resource.body) or self.resource.name

    @property
    def version(self) -> str | None:
        model = self.source.model if isinstance(self.source, Item) else None
        return model.version if isinstance(model, Rule) else None


@dataclass
class Desired:
    """Everything that an environment shall have, and the errors of the files that could not be read as that."""

    wanted: dict[Key, Wanted] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    excluded: int = 0


def shown_name(body: Mapping[str, Any]) -> str:
    return str((body.get("properties") or {}).get("displayName") or "")


def desired_state(project: Project, environment: str) -> Desired:
    """Reads and renders the project's content for an environment.

    Raises ContentError for the environment itself. Errors of files are findings, and what such a file says is not among the wanted.
    """
    target = environment_of(project, environment)
    settings = settings_of(project, environment, target)
    desired = Desired()
    for item in (item for kind in (*KINDS, "workbook") for item in project.items(kind)):
        if _excluded(target, project, item.path):
            desired.excluded += 1
            continue
        try:
            source, rows = _read(item)
            if source is not None:
                resource = with_prefix(to_arm(source, settings, rows), target.prefix)
                _add(desired, Wanted(resource, item.shown, source))
        except ContentError as error:
            desired.findings += error.findings
    desired.wanted = {key: replace(one, needs=needs) for key, one, needs in _with_needs(desired.wanted)}
    return desired


def settings_of(project: Project, name: str, environment: Environment) -> Settings:
    """What bodies depend on, by the environment's policy."""
    policy = environment.deploy
    enabled = policy.new_rules == "enabled"
    return Settings(project, name, enabled, "strip" if policy.template_link == "strip" else "keep")


def _read(item: Item) -> tuple[Item | WorkbookSource | None, Watchlist | None]:
    """What is mapped, and the rows of a watchlist; none for a rule of a kind that files do not keep. Raises ContentError."""
    if item.kind == "workbook":
        if item.workbook is None or item.errors:
            raise MappingError([finding for finding in item.findings if finding.severity == "error"])
        return item.workbook.source(), None
    if item.model is None and not item.errors:
        return None, None
    return item, read_watchlist(item) if item.kind == "watchlist" else None


def _excluded(environment: Environment, project: Project, path: Path) -> bool:
    if not environment.exclude:
        return False
    relative = os.path.relpath(path.resolve(), project.root)
    return any(pattern in (path.stem, path.name) or fnmatch(relative, pattern) for pattern in environment.exclude)


def _add(desired: Desired, wanted: Wanted) -> None:
    first = desired.wanted.setdefault(wanted.key, wanted)
    if first is not wanted:
        message = f"{wanted.resource.name!r} is already the {wanted.resource.kind} of {first.file}: one would overwrite the other."
        desired.findings.append(file_finding(wanted.file, "duplicate-id", message, hints=["Give one of the two another id."]))


def with_prefix(resource: ArmResource, prefix: str) -> ArmResource:
    """The resource with the environment's prefix in front of its shown name. Names that queries use stay."""
    if not prefix:
        return resource
    properties = dict(resource.body["properties"])
    properties["displayName"] = f"{prefix}{properties.get('displayName') or resource.name}"
    return replace(resource, body={**resource.body, "properties": properties})


# --- what a query needs ------------------------------------------------------------------------------------------------------------


def _with_needs(wanted: Mapping[Key, Wanted]) -> Iterator[tuple[Key, Wanted, tuple[Key, ...]]]:
    functions = {
        str(one.resource.body["properties"]["functionAlias"]): key
        for key, one in wanted.items()
        if one.resource.kind == "savedSearch" and one.resource.body["properties"].get("functionAlias")
    }
    watchlists = {key[1]: key for key in wanted if key[0] == "watchlist"}
    for key, one in wanted.items():
        names: set[Key] = set()
        for query in queries_of(one.resource):
            names |= _used(query, functions, watchlists)
        yield key, one, tuple(sorted(names - {key}))


def queries_of(resource: ArmResource) -> Iterator[str]:
    """The KQL texts of a rule, hunting query, function or log alert rule."""
    properties = resource.body.get("properties") or {}
    if isinstance(properties.get("query"), str):
        yield properties["query"]
    for criterion in (properties.get("criteria") or {}).get("allOf") or []:
        if isinstance(criterion.get("query"), str):
            yield criterion["query"]


def _used(query: str, functions: Mapping[str, Key], watchlists: Mapping[str, Key]) -> set[Key]:
    """Functions by the words of the query, watchlists by its strings: one too many only orders two writes that need no order."""
    folded = query.lower()
    if not any(name in query for name in functions) and not any(name in folded for name in watchlists):
        return set()
    words, texts = names_in(query)
    return {functions[word] for word in words & functions.keys()} | {watchlists[text] for text in texts & watchlists.keys()}


def names_in(query: str) -> tuple[set[str], set[str]]:
    """The words of a query, which may name functions, and its strings in lower case, which may name watchlists."""
    tokens = tokenize(query)
    words, texts = set[str](), set[str]()
    for at, kind in enumerate(tokens.kinds):
        if kind == IDENTIFIER:
            words.add(tokens.spelling(at))
        elif kind == STRING:
            with suppress(LiteralError):  # a string that is none is told by the query's own check
                texts.add(string_value(tokens.spelling(at)).lower())
    return words, texts


def in_order(wanted: Iterable[Wanted]) -> list[Wanted]:
    """Watchlists first, then functions below the functions that call them, then what runs on its own, workbooks last.

    Functions that call each other in a circle stay in their order; the service refuses them itself.
    """
    ranks = {"watchlist": 0, "alertRule": 2, "logAlert": 2, "workbook": 3}
    by_key = {one.key: one for one in wanted}
    placed: dict[Key, Wanted] = {}
    entered: set[Key] = set()

    def place(first: Wanted) -> None:
        above = [(first, iter(first.needs))]  # no recursion: functions may call each other through any number of others
        entered.add(first.key)
        while above:
            one, needs = above[-1]
            below = next((need for need in needs if need in by_key and need not in entered), None)
            if below is None:
                placed.setdefault(one.key, one)
                above.pop()
            else:
                entered.add(below)
                above.append((by_key[below], iter(by_key[below].needs)))

    def rank(one: Wanted) -> int:
        return ranks.get(one.resource.kind, 1 if one.resource.body["properties"].get("functionAlias") else 2)

    for one in sorted(by_key.values(), key=rank):
        if one.key not in entered:
            place(one)
    return list(placed.values())


def finding_at(wanted: Wanted, code: str, message: str, path: Sequence[str | int] = ("id",), hints: Sequence[str] = ()) -> Findings:
    """One finding about a wanted resource, at a key of its file."""
    if isinstance(wanted.source, WorkbookSource):
        about = wanted.source.about
        findings = Findings(about.source if about else wanted.source.json)
        span = about.span(tuple(path)) if about else NOWHERE
    else:
        findings = Findings(wanted.source.source)
        span = wanted.source.document.span(tuple(path)) if wanted.source.document else NOWHERE
    findings.add(code, message, span, hints=hints)
    return findings
