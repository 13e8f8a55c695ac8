"""Resources of a workspace that no file of the project has yet, as new content files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from toolkit.content.findings import ContentError
from toolkit.content.items import Item
from toolkit.content.models.function import FunctionFile, WatchlistFile
from toolkit.content.models.rule import Described
from toolkit.content.project import KINDS, Project
from toolkit.content.watchlists import Watchlist
from toolkit.content.yaml.nodes import Scalar
from toolkit.deploy.adopt.files import Stems, slug
from toolkit.deploy.mapping import ArmResource, ContentFile, ResourceKind, Settings, UnmappableError, from_arm, to_arm
from toolkit.deploy.mapping.yaml_text import yaml_text

SYSTEM = "imported"
_FILE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_OTHER_KIND = "rules of this kind have no query of their own and are not kept in files"

Key = tuple[ResourceKind, str]
"""What a resource is found by: its kind and its name in lower case; for functions `function:` and the alias."""


@dataclass(frozen=True)
class Pulled:
    """One resource as new files: path -> text, the content file itself first."""

    resource: ArmResource
    files: Mapping[Path, str]


@dataclass(frozen=True)
class Skipped:
    """A resource that is not written, and why. `near` is the nearest file there is, for people to look at."""

    resource: ArmResource
    reason: str
    near: str = ""


@dataclass(frozen=True)
class Pull:
    """`known` are the resources that the project has files of already."""

    content: tuple[Pulled, ...]
    skipped: tuple[Skipped, ...]
    known: tuple[ArmResource, ...]

    @property
    def files(self) -> dict[Path, str]:
        """Everything to write."""
        return {path: text for one in self.content for path, text in one.files.items()}


@dataclass(frozen=True)
class PullOptions:
    """How to pull. `prefix` stands in front of every shown name in this environment and is taken off; `system` is the folder of the new
    files; `known` are the keys of what the project has, by default read from its files."""

    prefix: str = ""
    system: str = SYSTEM
    known: Collection[Key] | None = None


def pulled(resources: Sequence[ArmResource], project: Project, settings: Settings, into: Path, options: PullOptions | None = None) -> Pull:
    """New files, below `into`, of every resource that no file of the project is yet; nothing is written.

    The files read again are the same resources: ids, bodies and rows. What files cannot say exactly is among `skipped`. The same
    resources give the same names, in whatever order they come.
    """
    options = options or PullOptions()
    known = known_keys(project, settings) if options.known is None else set(options.known)
    there = [resource for resource in resources if known.intersection(keys_of(resource))]
    new = [resource for resource in resources if not known.intersection(keys_of(resource))]
    folders = _Folders(project, into, options.system)
    content: list[Pulled] = []
    skipped: list[Skipped] = []
    for resource in sorted(new, key=lambda resource: (resource.kind, resource.name.lower(), resource.name)):
        try:
            content.append(_file(without_prefix(resource, options.prefix), settings, folders))
        except UnmappableError as error:
            managed = error.path != "kind" or resource.kind != "alertRule"
            skipped.append(Skipped(resource, f"{error.path}: {error.problem}" if managed else _OTHER_KIND, error.text))
    return Pull(tuple(content), tuple(skipped), tuple(there))


def _file(resource: ArmResource, settings: Settings, folders: _Folders) -> Pulled:
    file = from_arm(resource, settings)
    texts = [file.text, *file.beside.values()]
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as error:
        raise UnmappableError(
            resource, "properties", "it holds half a character (a lone surrogate), which UTF-8 has no form for"
        ) from error
    return Pulled(resource, folders.files(resource, file))


def without_prefix(resource: ArmResource, prefix: str) -> ArmResource:
    """The resource without the environment's prefix in front of its shown name. Raises UnmappableError for a name that lacks it."""
    if not prefix:
        return resource
    properties = dict(resource.body.get("properties") or {})
    name = str(properties.get("displayName") or "")
    if not name.startswith(prefix) or not name.removeprefix(prefix).strip():
        problem = f"the environment puts {prefix!r} in front of every shown name, and {name!r} does not begin with it"
        raise UnmappableError(resource, "properties.displayName", problem)
    return replace(resource, body={**resource.body, "properties": {**properties, "displayName": name.removeprefix(prefix)}})


def keys_of(resource: ArmResource) -> Iterator[Key]:
    yield resource.kind, resource.name.lower()
    alias = (resource.body.get("properties") or {}).get("functionAlias")
    if resource.kind == "savedSearch" and alias:
        yield resource.kind, f"function:{str(alias).lower()}"


# --- what the project has already ---------------------------------------------------------------------------------------------------


def known_keys(project: Project, settings: Settings) -> set[Key]:
    """The keys of everything that the project has a file of, readable or not."""
    found: set[Key] = set()
    for kind in KINDS:
        for item in project.items(kind):
            found.update(_keys_of_item(item, settings))
    for item in project.items("workbook"):
        found.update(_key_of_workbook(item, settings))
    return found


def _keys_of_item(item: Item, settings: Settings) -> Iterator[Key]:
    model = item.model
    if isinstance(model, WatchlistFile):
        yield "watchlist", (model.watchlist_alias or model.alias or item.name).lower()
        return
    try:
        yield from keys_of(to_arm(item, settings, Watchlist("", [], [], None)))
    except ContentError:
        # A file with errors is still the file of its id: a second one would not help anybody.
        if isinstance(model, FunctionFile) and model.name:
            yield "savedSearch", f"function:{model.name.lower()}"
        if isinstance(model, Described) and model.id:
            for kind in ("alertRule", "logAlert", "savedSearch"):
                yield kind, model.id.strip().lower()


def _key_of_workbook(item: Item, settings: Settings) -> Iterator[Key]:
    about = item.workbook.about if item.workbook else None
    given = about.node(("id",)) if about else None
    if isinstance(given, Scalar) and given.text:
        yield "workbook", given.text.lower()
        return
    try:
        if item.workbook is not None:
            yield from keys_of(to_arm(item.workbook.source(), settings))
    except ContentError:
        return  # it has no id of its own, and without errors only could one be made


# --- where new files go -------------------------------------------------------------------------------------------------------------


class _Folders:
    """The folders that the project's patterns look into, and the names that are free there."""

    def __init__(self, project: Project, into: Path, system: str) -> None:
        self.project, self.into, self.system = project, into, system
        self.stems = Stems(set(_stems_in_use(project)))
        self.listed: set[Path] = set()

    def files(self, resource: ArmResource, file: ContentFile) -> dict[Path, str]:
        kind = _content_kind(resource)
        folder = self.folder(kind)
        stem = self.stem(resource, folder)
        if kind != "workbooks":
            return {
                folder / f"{stem}.yaml": file.text,
                **{folder / f"{stem}{PurePath(name).suffix}": text for name, text in file.beside.items()},
            }
        about = {key: value for key, value in file.document.items() if key != "file"}
        (text,) = file.beside.values()
        return {folder / f"{stem}.json": text, folder / f"{stem}.yaml": yaml_text(about)}

    def stem(self, resource: ArmResource, folder: Path) -> str:
        if folder not in self.listed and folder.is_dir():
            self.stems.taken.update(_stem(path.name) for path in folder.iterdir())
        self.listed.add(folder)
        properties = resource.body.get("properties") or {}
        alias = properties.get("functionAlias") or properties.get("watchlistAlias")
        if isinstance(alias, str) and _FILE_NAME.fullmatch(alias):
            return self.stems.new(alias, resource.name)
        title = str(properties.get("displayName") or "")
        return self.stems.new(slug(title, slug(resource.name, resource.kind.lower())), resource.name)

    def folder(self, kind: str) -> Path:
        """Below `into` where the project's patterns find it there, else where its first pattern looks."""
        patterns = _patterns(self.project, kind)
        suffix = ".json" if kind == "workbooks" else ".yaml"
        usual = self.into / self.system / kind if kind != "workbooks" else self.into.parent / kind
        root = self.project.root.resolve()
        if not usual.resolve().is_relative_to(root):
            return self.into / (kind if kind == "workbooks" else f"{self.system}/{kind}")
        relative = PurePath(usual.resolve().relative_to(root), f"x{suffix}")
        if any(_matches(relative, pattern) for pattern in patterns):
            return usual
        pattern = next((pattern for pattern in patterns if PurePath(f"x{suffix}").match(PurePath(pattern).name)), None)
        if pattern is None:
            return usual
        return self.project.root.joinpath(*(re.sub(r"[*?\[\]]+", self.system, part) for part in PurePath(pattern).parent.parts))


def _matches(path: PurePath, pattern: str) -> bool:
    return len(path.parts) == len(PurePath(pattern).parts) and path.match(pattern)


def _patterns(project: Project, kind: str) -> Sequence[str]:
    paths = project.config.content
    found = {"rules": paths.rules, "hunting": paths.hunting, "functions": paths.functions, "watchlists": paths.watchlists}
    return found.get(kind, paths.workbooks)


def _content_kind(resource: ArmResource) -> str:
    if resource.kind == "savedSearch":
        return "functions" if (resource.body.get("properties") or {}).get("functionAlias") else "hunting"
    return {"watchlist": "watchlists", "workbook": "workbooks"}.get(resource.kind, "rules")


def _stems_in_use(project: Project) -> Iterator[str]:
    """Names that files have, and names under which toolkit.yaml holds values: a new file of that name would get them."""
    config = project.config
    tables: Iterable[Mapping[str, Any]] = (config.rules, *(environment.rules for environment in config.environments.values()))
    for table in tables:
        yield from (name.lower() for name in table)
    for kind in KINDS:
        yield from (_stem(path.name) for path in project.files(kind))


def _stem(name: str) -> str:
    return name.lower().partition(".")[0]
