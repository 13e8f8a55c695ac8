"""Changes of the workspace written back into the project's files: which of them, and what becomes of each file. Nothing is written here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.content.files import read_text
from toolkit.content.findings import ContentError, Finding
from toolkit.content.project import Project
from toolkit.content.workbooks import FILE_KEY, MAX_BYTES, WorkbookSource
from toolkit.deploy.adopt import AdoptOptions, adopted
from toolkit.deploy.adopt.json_edit import edited_json
from toolkit.deploy.choices import kept_paths
from toolkit.deploy.connection import environment_of
from toolkit.deploy.desired import Wanted, finding_at, settings_of
from toolkit.deploy.plan import Step
from toolkit.deploy.planning import property_of, sides
from toolkit.deploy.remote import Found
from toolkit.deploy.service import Situation


@dataclass(frozen=True)
class FileChange:
    """A file and its new text. `old` is what it was made of; '' for a file that is not there yet."""

    path: Path
    old: str
    new: str


@dataclass
class Adoptions:
    """`changes` of files, in their order; `refused` is what a file cannot take, at its place."""

    changes: list[FileChange] = field(default_factory=list)
    refused: list[Finding] = field(default_factory=list)


def adoptions(project: Project, situation: Situation, steps: Iterable[Step]) -> Adoptions:
    """What makes the files say what the workspace has, for steps of a plan that would undo it.

    Only what was changed in the workspace is taken: a property that was changed in the file as well is left and reported.
    """
    found = Adoptions()
    wanted = {(one.resource.kind, one.resource.name.lower()): one for one in situation.desired.wanted.values()}
    for step in steps:
        one, remote = (
            wanted.get((step.kind, step.content.lower())),
            situation.remote.found.get((step.kind, step.replaces.lower() or step.name.lower())),
        )
        if one is not None and remote is not None:
            try:
                _adopt(project, situation, step, (one, remote), found)
            except ContentError as error:
                found.refused += error.findings
    return found


def _adopt(project: Project, situation: Situation, step: Step, pair: tuple[Wanted, Found], result: Adoptions) -> None:
    wanted, remote = pair
    target = situation.target
    environment = environment_of(project, target.environment)
    names = [property_of(difference.path) for difference in step.differences]
    edited, ours = sides(wanted.resource, remote, names)
    result.refused += [finding for name in edited if name in ours for finding in _conflict(wanted, name)]
    kept = (*kept_paths(wanted.resource, target.policy), *(path for name in ours for path in (f"properties.{name}", name)))
    options = AdoptOptions(environment.prefix, kept)
    settings = settings_of(project, target.environment, environment)
    path = project.base / wanted.file
    main = _main_file(wanted, path)
    bare = isinstance(wanted.source, WorkbookSource) and wanted.source.about is None
    change = adopted("" if bare else _text(main, project), wanted.source, remote.resource, settings, options)
    result.refused += change.refused
    texts = {main: change.text, **{path.parent / name: text for name, text in change.beside.items()}}
    if isinstance(wanted.source, WorkbookSource) and path in texts:
        texts |= dict(_parts(path, texts.pop(path), project))
    result.changes += [FileChange(file, before, text) for file, text in texts.items() if text and text != (before := _text(file, project))]


def _main_file(wanted: Wanted, path: Path) -> Path:
    """The file whose text says the resource: of a workbook the YAML about it, where there is one."""
    if not isinstance(wanted.source, WorkbookSource) or wanted.source.about is None:
        return path
    return next(about for suffix in (".yaml", ".yml") if (about := path.with_suffix(suffix)).is_file())


def _text(path: Path, project: Project) -> str:
    """The text of a file, '' where there is none."""
    return read_text(path, project.show(path), MAX_BYTES) if path.is_file() else ""


def _conflict(wanted: Wanted, name: str) -> list[Finding]:
    message = f"{name!r} was changed in the workspace and in this file since the last deployment; the file is left as it is."
    advice = "Decide which of the two is right; `toolkit plan` shows the difference."
    return finding_at(wanted, "changed-twice", message, (name,), [advice]).found


# --- workbooks whose texts stand in files of their own -----------------------------------------------------------------------------------


def _parts(path: Path, text: str, project: Project) -> Iterator[tuple[Path, str]]:
    """The workbook's JSON file and the files of its texts, for a new whole content."""
    raw_text = _text(path, project)
    raw, content = json.loads(raw_text), json.loads(text)
    texts: dict[str, str] = {}
    target = _referring(raw, content, texts)
    yield path, edited_json(raw_text, target)
    for name, part in texts.items():
        yield path.parent / name, part + "\n"


def _referring(raw: Any, content: Any, texts: dict[str, str]) -> Any:
    """`content` with references where `raw` has them; the texts that they stand for are put into `texts`."""
    if isinstance(raw, Mapping):
        name = raw.get(FILE_KEY)
        if isinstance(name, str) and isinstance(content, str) and texts.get(name, content) == content:
            texts[name] = content
            return raw
        return {key: _referring(raw.get(key), value, texts) for key, value in content.items()} if isinstance(content, Mapping) else content
    if isinstance(raw, list) and isinstance(content, list):
        return [_referring(raw[number] if number < len(raw) else None, value, texts) for number, value in enumerate(content)]
    return content
