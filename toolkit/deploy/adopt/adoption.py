"""Changes made in a workspace, written back into the file that says the content: only what was changed there, in the file's own style."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.content.files import read_text
from toolkit.content.findings import ContentError, Finding, Findings
from toolkit.content.items import Item, read_item
from toolkit.content.models.function import WatchlistFile
from toolkit.content.watchlists import MAX_CSV, Watchlist, read_watchlist
from toolkit.content.yaml.loader import parse_yaml
from toolkit.content.yaml.nodes import Document
from toolkit.deploy.adopt.align import aligned, paths, with_desired
from toolkit.deploy.adopt.edits import CannotEditError, Edit, apply
from toolkit.deploy.adopt.json_edit import edited_json
from toolkit.deploy.adopt.keys import Change, Untakable, changes, untakable
from toolkit.deploy.adopt.rows import edited_rows
from toolkit.deploy.adopt.yaml_edit import key_edits
from toolkit.deploy.mapping import ArmResource, Settings, UnmappableError, WorkbookSource, differences, from_arm, normal, to_arm
from toolkit.deploy.mapping.yaml_text import yaml_text
from toolkit.kql.source import NOWHERE, Source

_BOM = "\ufeff"
Content = Item | WorkbookSource


@dataclass(frozen=True)
class Adoption:
    """The file's new text, and that of the files beside it that change (name -> text).

    `changed` are the keys written, `refused` says of every other difference why the file cannot take it, at its place. For a .csv
    without a YAML file and a workbook without one, `text` is that of the .csv or .json file.
    """

    text: str
    beside: Mapping[str, str] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    refused: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class AdoptOptions:
    """`prefix` is what the environment puts in front of every shown name. `kept` are paths of the body whose value in the workspace is
    nobody's change (`properties.enabled` where the file does not say). `beside` is the CSV text of a watchlist, read from its file by
    default."""

    prefix: str = ""
    kept: tuple[str, ...] = ()
    beside: str | None = None


def adopted(old_text: str, item: Content, remote: ArmResource, settings: Settings, options: AdoptOptions | None = None) -> Adoption:
    """The content that says what the workspace has now. `old_text` is that of the item's file; of a workbook that of the YAML about it.

    The new text read again is the remote resource but for what is refused; where nothing differs it is the old text. Raises
    MappingError for a file that has errors already.
    """
    return _Adopting(old_text, item, remote, settings, options or AdoptOptions()).run()


class _Adopting:
    def __init__(self, old_text: str, item: Content, remote: ArmResource, settings: Settings, options: AdoptOptions) -> None:
        self.mark = _BOM if old_text.startswith(_BOM) else ""
        self.old = old_text.removeprefix(_BOM)
        self.settings, self.options, self.given = settings, options, item
        self.csv: str | None = None
        self.csv_after: str | None = None
        self.rows: Watchlist | None = None
        if isinstance(item, Item) and item.kind == "watchlist":
            self.csv = self._csv(item) if options.beside is None else options.beside.removeprefix(_BOM)
        self.item = self.read(self.old)
        self.desired = self.resource(self.item, self.csv)
        self.findings = Findings(_source(self.item))
        self.remote = remote

    # --- reading

    @staticmethod
    def _csv(item: Item) -> str | None:
        model = item.model
        if not isinstance(model, WatchlistFile) or model.raw_content is not None:
            return None
        path = item.path if item.path.suffix == ".csv" else item.path.with_name(model.file or f"{item.name}.csv")
        return read_text(path, str(Path(item.shown).with_name(path.name)), MAX_CSV)

    def read(self, text: str) -> Content:
        """The content that the file would be with this text."""
        if isinstance(self.given, WorkbookSource):
            about = parse_yaml(text, self.given.about.source.name)[0] if self.given.about else None
            return replace(self.given, about=about)
        if self.given.document is None:
            return self.given
        document, findings = parse_yaml(text, self.given.shown)
        return read_item(self.given.path, self.given.kind, document, findings)

    def resource(self, item: Content, rows: str | None = None) -> ArmResource:
        return to_arm(item, self.settings, self.watchlist(item, rows))

    def watchlist(self, item: Content, text: str | None) -> Watchlist | None:
        if not isinstance(item, Item) or not isinstance(item.model, WatchlistFile) or text is None:
            return None
        model = item.model
        item.model = model.model_copy(update={"raw_content": text})
        rows = read_watchlist(item)
        item.model = model
        return rows

    # --- what to write

    def run(self) -> Adoption:
        beside, own_rows = self.contents()
        self.csv_after = beside.get("", self.csv)
        target = self.target()
        text, changed = self.edited(target)
        if own_rows is not None:
            text, more = self.raw_rows(text, own_rows)
            changed += more
        given = self.given
        if _document(given) is None:
            main = _only(given, self.csv)
            new = {f"{_stem(given)}.yaml": text} if text else {}
            return Adoption(self.mark + beside.pop("", main), {**beside, **new}, tuple(changed), tuple(self.findings.found))
        if "" in beside:
            beside[_beside_name(given)] = beside.pop("")
        return Adoption(self.mark + text, beside, tuple(changed), tuple(self.findings.found))

    def target(self) -> ArmResource:
        """The remote resource as far as the file can take it."""
        remote = self.unprefixed(self.remote)
        target = aligned(self.desired, remote, self.options.kept)
        if self.desired.kind == "workbook":
            target = with_desired(target, self.desired, "properties.serializedData")
        for problem in untakable(self.item, self.desired, target):
            self.refuse(problem)
            target = with_desired(target, self.desired, problem.body_path)
        return target

    def unprefixed(self, remote: ArmResource) -> ArmResource:
        prefix, properties = self.options.prefix, dict(remote.body.get("properties") or {})
        name = str(properties.get("displayName") or "")
        if not prefix:
            return remote
        if name.startswith(prefix) and name.removeprefix(prefix).strip():
            properties["displayName"] = name.removeprefix(prefix)
            return replace(remote, body={**remote.body, "properties": properties})
        message = (
            f"The environment puts {prefix!r} in front of every shown name; the workspace shows {name!r}, which does not begin with it."
        )
        document = _document(self.item)
        key = ("displayName",) if document and "displayName" in document.mapping.entries else ("name",)
        self.refuse(Untakable("properties.displayName", key, "not-prefixed", message))
        return with_desired(remote, self.desired, "properties.displayName")

    def edited(self, target: ArmResource) -> tuple[str, list[str]]:
        """The YAML text with everything in which the target differs, and the keys written."""
        if not paths(target, self.desired) and target.name.lower() == self.desired.name.lower():
            return self.old, []
        try:
            before = from_arm(replace(self.desired, children=()), self.settings).document
            after = from_arm(target, self.settings).document
        except UnmappableError as error:
            self.refuse(Untakable(error.path, (), "no-file-says-it", f"No file can say what the workspace has: {error.problem}"))
            return self.old, []
        wanted = list(changes(self.item, before, after, target))
        if _document(self.given) is None:
            identity = {"id": self.remote.name} if self.remote.kind == "workbook" else {}
            return yaml_text({**identity, **{change.path[0]: change.after for change in wanted}}), [change.path[0] for change in wanted]
        for whole in (False, True):
            if (text := self.attempt(wanted, dict.fromkeys(wanted, whole))) is not None and not paths(target, self.as_resource(text)):
                return self.identified(text, target, [change.path[0] for change in wanted])
        return self.one_by_one(wanted, target)

    def attempt(self, wanted: list[Change], whole: Mapping[Change, bool]) -> str | None:
        """The text with these changes; None where it cannot be edited like that or is not read again without errors."""
        document = _document(self.item)
        assert document is not None
        edits: list[Edit] = []
        try:
            for change in wanted:
                edits += key_edits(document, change.path, change.before, change.after, whole=whole[change])
            text = apply(self.old, edits)
            self.as_resource(text)
        except (CannotEditError, ContentError):
            return None
        return text

    def as_resource(self, text: str) -> ArmResource:
        return self.resource(self.read(text), self.csv_after)

    def one_by_one(self, wanted: list[Change], target: ArmResource) -> tuple[str, list[str]]:
        """As many of the changes as the file takes; of the rest is said what is left."""
        done: dict[Change, bool] = {}
        text, left = self.old, paths(target, self.desired)
        progress = True
        while progress and left:
            progress = False
            for change, whole in [(change, whole) for change in wanted if change not in done for whole in (False, True)]:
                if change in done:
                    continue
                new = self.attempt([*done, change], {**done, change: whole})
                now = left if new is None else paths(target, self.as_resource(new))
                if new is not None and now < left:
                    done[change], text, left, progress = whole, new, now, True
        for difference in differences(target.kind, self.as_resource(text).body, target.body):
            if difference.path in left:
                shown = json.dumps(difference.before, ensure_ascii=False, default=str)
                shown = shown if len(shown) <= 200 else shown[:197] + "..."
                message = f"The file cannot take what the workspace has as {difference.path}: {shown}"
                at = next((change.path for change in wanted if change not in done and str(change.path[-1]) in difference.path), ())
                self.refuse(Untakable(difference.path, at, "cannot-adopt", message))
        return self.identified(text, target, [change.path[0] for change in done])

    def identified(self, text: str, target: ArmResource, changed: list[str]) -> tuple[str, list[str]]:
        """A file without an id is the resource of its name: when the name changes the id has to be said."""
        if self.as_resource(text).name.lower() == self.remote.name.lower():
            return text, changed
        document = _document(self.read(text))
        assert document is not None
        path = ("target", "name") if document.node(("target", "name")) is not None else ("id",)
        try:
            new = apply(text, key_edits(document, path, None, self.remote.name))
            if self.as_resource(new).name.lower() == self.remote.name.lower():
                return new, [path[0], *changed]
        except (CannotEditError, ContentError):
            pass
        self.refuse(Untakable("name", path, "cannot-adopt", f"The file would no longer be the resource {self.remote.name}."))
        return self.old, []

    # --- rows and workbooks

    def contents(self) -> tuple[dict[str, str], str | None]:
        """The new text of the CSV or JSON file under the name '', where it changes; and of rows that stand in the YAML file itself."""
        if isinstance(self.given, WorkbookSource):
            return self.workbook(self.given), None
        if self.given.kind != "watchlist":
            return {}, None
        assert isinstance(self.item, Item)
        assert isinstance(self.item.model, WatchlistFile)
        old = self.csv if self.csv is not None else self.item.model.raw_content
        new = self.new_rows(old or "", self.item.model)
        if new is None or new == old:
            return {}, None
        if self.csv is None:
            return {}, new
        return {"": new}, None

    def new_rows(self, text: str, model: WatchlistFile) -> str | None:
        rows = [(child.body.get("properties") or {}).get("itemsKeyValue") for child in self.remote.children]
        for row in rows:
            if not isinstance(row, Mapping) or not all(isinstance(value, str) for value in row.values() if value is not None):
                self.refuse(
                    Untakable("watchlistItems", (), "no-file-says-it", f"A row of the workspace has values that are no text: {row!r}")
                )
                return None
        given = [{name: value for name, value in row.items() if value is not None} for row in rows if isinstance(row, Mapping)]
        try:
            return edited_rows(text, model, given, str((self.remote.body.get("properties") or {}).get("itemsSearchKey") or ""))
        except csv.Error:
            return None

    def raw_rows(self, text: str, rows: str) -> tuple[str, list[str]]:
        document, _ = parse_yaml(text, "")
        for whole in (False, True):
            try:
                new = apply(text, key_edits(document, ("rawContent",), "", rows, whole=whole))
                if _rows_of(self.as_resource(new)) == _rows_of(self.remote):
                    return new, ["rawContent"]
            except (CannotEditError, ContentError):
                continue
        self.refuse(Untakable("watchlistItems", ("rawContent",), "cannot-adopt", "The rows in the file cannot be written anew."))
        return text, []

    def workbook(self, source: WorkbookSource) -> dict[str, str]:
        """The JSON text that changes."""
        data = (self.remote.body.get("properties") or {}).get("serializedData")
        if not isinstance(data, str):
            return {}
        old, new = normal("workbook", self.desired.body)["properties"], normal("workbook", self.remote.body)["properties"]
        if old.get("serializedData") == new.get("serializedData"):
            return {}
        try:
            from_arm(self.remote, self.settings)
            return {"": edited_json(source.json.text, json.loads(data))}
        except (UnmappableError, ValueError, RecursionError) as error:
            self.refuse(Untakable("properties.serializedData", (), "no-file-says-it", f"No file can say what the workspace has: {error}"))
            return {}

    # --- findings

    def refuse(self, problem: Untakable) -> None:
        self.findings.add(problem.code, problem.message, self.span(problem.path), hints=problem.hints)

    def span(self, path: tuple[str, ...]) -> Any:
        document = _document(self.item)
        return document.span(path) if document else NOWHERE


def _rows_of(resource: ArmResource) -> list[str]:
    return sorted(json.dumps(normal("watchlistItem", child.body), sort_keys=True) for child in resource.children)


def _document(content: Content) -> Document | None:
    return content.about if isinstance(content, WorkbookSource) else content.document


def _source(content: Content) -> Source:
    document = _document(content)
    if document is not None:
        return document.source
    return content.json if isinstance(content, WorkbookSource) else content.source


def _only(content: Content, rows: str | None) -> str:
    return content.json.text if isinstance(content, WorkbookSource) else rows or ""


def _stem(content: Content) -> str:
    return content.stem if isinstance(content, WorkbookSource) else content.name


def _beside_name(content: Content) -> str:
    if isinstance(content, WorkbookSource):
        return f"{content.stem}.json"
    model = content.model
    return (model.file if isinstance(model, WatchlistFile) else None) or f"{content.name}.csv"
