"""Content files in memory, as the adoption gets them, and what they are in Azure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.deploy.mapping.content import SETTINGS, item_of
from toolkit.content.items import Item
from toolkit.content.models.function import WatchlistFile
from toolkit.content.watchlists import Watchlist, read_watchlist
from toolkit.content.yaml import parse_yaml
from toolkit.deploy.adopt import Adoption, AdoptOptions
from toolkit.deploy.mapping import ArmResource, Settings, WorkbookSource, from_arm, to_arm
from toolkit.kql.source import Source


@dataclass(frozen=True)
class Files:
    """A content file's text, and that of the CSV or JSON file beside it."""

    kind: str
    text: str
    beside: str | None = None
    settings: Settings = SETTINGS

    @property
    def item(self) -> Item | WorkbookSource:
        if self.kind == "workbook":
            assert self.beside is not None
            about = parse_yaml(self.text, "content.yaml")[0] if self.text else None
            return WorkbookSource("content", Source(self.beside, "content.json"), about)
        return item_of(self.text, self.kind)

    @property
    def options(self) -> AdoptOptions:
        return AdoptOptions(beside=self.beside)

    @property
    def resource(self) -> ArmResource:
        item = self.item
        rows: Watchlist | None = None
        if isinstance(item, Item) and isinstance(item.model, WatchlistFile) and self.beside is not None:
            model = item.model
            item.model = model.model_copy(update={"raw_content": self.beside})
            rows = read_watchlist(item)
            item.model = model
        return to_arm(item, self.settings, rows)

    def with_changes(self, found: Adoption) -> Files:
        (beside,) = found.beside.values() or [self.beside]
        return replace(self, text=found.text, beside=beside)


def files_of(resource: ArmResource) -> Files:
    """The files that `from_arm` writes."""
    file = from_arm(resource, SETTINGS)
    kinds = {"alertRule": "rule", "logAlert": "rule", "watchlist": "watchlist", "workbook": "workbook"}
    kind = kinds.get(resource.kind) or ("function" if "functionAlias" in file.document else "hunting")
    return Files(kind, file.text, next(iter(file.beside.values()), None))
