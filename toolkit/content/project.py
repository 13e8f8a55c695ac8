"""A project: the folder of a `toolkit.yaml`, its configuration, and the content files in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from toolkit.content.findings import ContentError, Findings, file_finding
from toolkit.content.items import TESTS_SUFFIXES, Item, Kind, is_tests_file, load_item
from toolkit.content.models.project import Environment, ProjectFile
from toolkit.content.models.validate import validate_model
from toolkit.content.yaml.loader import load_mapping
from toolkit.content.yaml.nodes import Document
from toolkit.kql.diagnostics import suggestion
from toolkit.kql.source import NOWHERE, Source

PROJECT_FILE = "toolkit.yaml"
KINDS: tuple[Kind, ...] = ("rule", "hunting", "function", "watchlist")
"""The kinds whose files are YAML. A workbook is a JSON file, and has no model of its fields."""
_WORKBOOK: tuple[Kind] = ("workbook",)
_SUFFIXES = (".yaml", ".yml", ".json")
_SKIPPED_FOLDERS = frozenset({".git", ".github", ".venv", "node_modules", "__pycache__"})


@dataclass
class Project:
    """`root` is the folder that patterns are relative to, `base` the folder that shown paths are relative to."""

    root: Path
    base: Path
    config: ProjectFile = field(default_factory=ProjectFile)
    document: Document | None = None
    _files: dict[Kind, list[Path]] = field(default_factory=dict, repr=False)

    @classmethod
    def find(cls, start: Path, base: Path) -> Project:
        """The project that `start` lies in: the nearest folder upwards with a toolkit.yaml, else the folder itself.

        Raises ContentError when toolkit.yaml cannot be read or is wrong: nothing can be trusted then.
        """
        folder = (start if start.is_dir() else start.parent).resolve()
        for candidate in (folder, *folder.parents):
            if (candidate / PROJECT_FILE).is_file():
                return cls.load(candidate, base)
        return cls(folder, base)

    @classmethod
    def load(cls, root: Path, base: Path) -> Project:
        """The project whose toolkit.yaml lies in `root`. Raises ContentError."""
        document, findings = load_mapping(root / PROJECT_FILE, show_path(root / PROJECT_FILE, base))
        config = validate_model(ProjectFile, document, findings)
        if findings.errors or config is None:
            raise ContentError(findings.found)
        return cls(root, base, config, document)

    @property
    def configured(self) -> bool:
        """Whether there is a toolkit.yaml at all."""
        return self.document is not None

    @property
    def source(self) -> Source:
        return self.document.source if self.document else Source("", self.show(self.root / PROJECT_FILE))

    def show(self, path: Path) -> str:
        return show_path(path, self.base)

    def environment(self, name: str | None) -> Environment | None:
        """An environment by name; None for None. Raises ContentError for a name that toolkit.yaml does not have."""
        if name is None:
            return None
        found = self.config.environments.get(name)
        if found is None:
            known = ", ".join(self.config.environments) or "none"
            hints = suggestion(name, self.config.environments) or (f"Environments in {PROJECT_FILE}: {known}.",)
            findings = Findings(self.source)
            span = self.document.span(("environments",)) if self.document else NOWHERE
            findings.add("unknown-environment", f"There is no environment {name!r}.", span, hints=hints)
            raise ContentError(findings.found)
        return found

    def files(self, kind: Kind) -> list[Path]:
        """The content files of one kind that the project's patterns name, sorted; a watchlist's .csv only if it has no .yaml."""
        if kind not in self._files:
            paths = self.config.content
            patterns: dict[Kind, Sequence[str]] = {
                "rule": paths.rules,
                "hunting": paths.hunting,
                "function": paths.functions,
                "watchlist": paths.watchlists,
                "workbook": paths.workbooks,
            }
            found = {path for pattern in patterns[kind] for path in self.root.glob(pattern) if path.is_file() and not is_tests_file(path)}
            self._files[kind] = sorted(path for path in found if not self.excluded(path) and not _is_described(path))
        return self._files[kind]

    def excluded(self, path: Path) -> bool:
        if not self.config.exclude:
            return False
        relative = os.path.relpath(path.resolve(), self.root)
        return any(fnmatch(relative, pattern) for pattern in self.config.exclude)

    def kind_of(self, path: Path) -> Kind | None:
        """The kind that the project's patterns give a file."""
        resolved = path.resolve()
        return next((kind for kind in (*KINDS, *_WORKBOOK) if any(resolved == known.resolve() for known in self.files(kind))), None)

    def items(self, kind: Kind) -> Iterator[Item]:
        """Every content file of one kind, read."""
        for path in self.files(kind):
            if item := load_item(path, self.show(path), kind):
                yield item

    def select(self, paths: Sequence[Path]) -> list[Item]:
        """The content that a user names by files and folders. Raises ContentError for a path that is no content."""
        items: dict[Path, Item] = {}
        for path in paths:
            for item in self._folder(path) if path.is_dir() else [self._file(path)]:
                items.setdefault(item.path.resolve(), item)
        return list(items.values())

    def _file(self, path: Path) -> Item:
        if is_tests_file(path):
            path = tested_file(path)
        if path.suffix == ".kql" and (whole := path.parent.with_name(f"{path.parent.name}.json")).is_file():
            path = whole  # a query of a workbook is checked with the rest of it
        if not path.exists():
            raise ContentError([file_finding(self.show(path), "no-such-file", "There is no such file or folder.")])
        kind: Kind | None = "watchlist" if path.suffix == ".csv" else self.kind_of(path)
        item = load_item(path, self.show(path), kind)
        if item is None:
            message = "The file is no detection content: no rule, hunting query, function, watchlist or workbook."
            hints = ["A rule has at least the keys id, name and query."]
            raise ContentError([file_finding(self.show(path), "not-content", message, hints=hints)])
        return item

    def _folder(self, folder: Path) -> Iterator[Item]:
        for parent, folders, names in os.walk(folder):
            folders[:] = sorted(name for name in folders if name not in _SKIPPED_FOLDERS and name != "samples")
            for name in sorted(names):
                path = Path(parent, name)
                if path.suffix not in _SUFFIXES or is_tests_file(path) or name == PROJECT_FILE or self.excluded(path):
                    continue
                if item := load_item(path, self.show(path), self.kind_of(path)):
                    yield item


def show_path(path: Path, base: Path) -> str:
    """A path as people see it: relative to `base` where it lies inside it."""
    text, folder = str(path), f"{base}{os.sep}"
    if text.startswith(folder) and ".." not in text:
        return text[len(folder) :]
    relative = os.path.relpath(path, base)
    return str(path) if relative.startswith("..") else relative


def tested_file(tests: Path) -> Path:
    """The content file that a tests file stands beside."""
    suffix = next(suffix for suffix in TESTS_SUFFIXES if tests.name.endswith(suffix))
    return tests.with_name(tests.name.removesuffix(suffix) + suffix.removeprefix(".tests"))


def _is_described(path: Path) -> bool:
    """A watchlist's rows (.csv) whose description (.yaml) is in the list itself."""
    return path.suffix == ".csv" and (path.with_suffix(".yaml").exists() or path.with_suffix(".yml").exists())
