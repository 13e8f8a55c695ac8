"""What the local Azure remembers: workspaces, resource groups, operations; and how it is asked to behave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID, uuid5

from tests.azure_server.authors import DEPLOYER, system_data
from tests.azure_server.clock import Clock, timestamp
from tests.azure_server.faults import FaultPlan
from tests.azure_server.messages import Record, Request

if TYPE_CHECKING:
    from toolkit import Workspace

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
_NAMESPACE = UUID("7c6e2a50-8d0e-4a6b-9a75-6a0b6a4f0c11")


@dataclass
class Behaviour:
    """The points that Microsoft does not document, or that differ between regions and years, and the sizes of things.

    `tombstone`: how long a deleted rule's id stays blocked. `etag_status`: what a stale etag in the body gets (the header
    If-Match gets 412). `operation_polls`, `operation_seconds`: how often, and how long on the server's clock, a long-running
    operation says InProgress. `missing_watchlist_rejected`: a rule whose query reads a watchlist that does not exist is refused.
    `disabled_rule_checked`: the query of a rule that is written disabled has to run as well (tools that deploy rules disabled when
    their tables are missing say that it has not).
    `enforce_rate`: requests over the token buckets of a subscription get 429 (give clients that wait a running clock).
    `anonymous_queries`: queries need no token (notebooks against a local server). `system_data`: resources say in `systemData` who
    wrote them; some versions of the services leave it out. `duplicate_alias_rejected`: a function cannot take the alias that another
    saved search has; otherwise the last one that was written wins.
    """

    page_size: int = 100
    tombstone: timedelta = timedelta(hours=24)
    tombstone_status: int = 400
    etag_status: int = 409
    kind_change_rejected: bool = True
    stable_accepts_nrt: bool = False
    missing_watchlist_rejected: bool = True
    duplicate_alias_rejected: bool = True
    system_data: bool = True
    operation_polls: int = 1
    operation_seconds: float = 0.0
    operation_retry_after: int = 0
    enforce_rate: bool = False
    disabled_rule_checked: bool = False
    anonymous_queries: bool = False
    row_limit: int = 500_000
    max_scheduled: int = 512
    max_nrt: int = 50


class Collection:
    """Resources by name in any case, in the order of their creation. Every resource keeps its number for life: paging goes by it."""

    def __init__(self) -> None:
        self._items: dict[str, tuple[int, dict[str, Any]]] = {}
        self._last = 0

    def get(self, name: str) -> dict[str, Any] | None:
        found = self._items.get(name.casefold())
        return found[1] if found else None

    def put(self, name: str, item: dict[str, Any]) -> bool:
        """Stores an item; true when it is new."""
        known = self._items.get(name.casefold())
        if known is None:
            self._last += 1
        self._items[name.casefold()] = (known[0] if known else self._last, item)
        return known is None

    def pop(self, name: str) -> dict[str, Any] | None:
        found = self._items.pop(name.casefold(), None)
        return found[1] if found else None

    def numbered(self) -> list[tuple[int, dict[str, Any]]]:
        return list(self._items.values())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter([item for _, item in self._items.values()])

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._items


class Site:
    """One Log Analytics workspace with Sentinel. `engine` holds its tables and logs; None: queries are not looked at."""

    def __init__(self, name: str, engine: Workspace | None, *, group: str = "rg-soc", subscription: str = SUBSCRIPTION) -> None:
        self.name, self.engine, self.group, self.subscription = name, engine, group, subscription
        self.customer_id = str(uuid5(_NAMESPACE, f"{subscription}/{group}/{name}".casefold()))
        self.rules, self.templates, self.metadata = Collection(), Collection(), Collection()
        self.saved_searches, self.watchlists = Collection(), Collection()
        self.actions: dict[str, Collection] = {}
        self.items: dict[str, Collection] = {}
        self.tombstones: dict[str, datetime] = {}
        self._view: Workspace | None = None
        self._changed: set[tuple[str, str]] = set()
        self._deleted = False

    @property
    def id(self) -> str:
        """The resource id of the workspace."""
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        return f"{group}/providers/Microsoft.OperationalInsights/workspaces/{self.name}"

    @property
    def sentinel(self) -> str:
        """The path under which Sentinel's resources of the workspace are."""
        return f"{self.id}/providers/Microsoft.SecurityInsights"

    def view(self) -> Workspace | None:
        """The engine with the functions and watchlists that are deployed now. Call it under the account's lock.

        A view never changes once it is given away, for queries run on it outside the lock: what was deployed since goes into a
        fork of it, and into a fork of the engine itself after something was deleted.
        """
        if self.engine is None:
            return None
        if self._view is None or self._deleted:
            self._view, self._deleted = self.engine, False
            self._changed = {("function", saved["name"]) for saved in self.saved_searches}
            self._changed |= {("watchlist", watchlist["name"]) for watchlist in self.watchlists}
        if self._changed:
            self._view = self._view.fork()
            for what, name in sorted(self._changed):
                self._define_watchlist(self._view, name) if what == "watchlist" else self._define_function(self._view, name)
            self._changed = set()
        return self._view

    def touch(self, what: Literal["function", "watchlist"], name: str, *, deleted: bool = False) -> None:
        """Notes that a function or watchlist is not what queries know any more."""
        self._changed.add((what, name))
        self._deleted = self._deleted or deleted

    def _define_function(self, view: Workspace, name: str) -> None:
        properties = (self.saved_searches.get(name) or {"properties": {}})["properties"]
        if alias := properties.get("functionAlias"):
            view.define_function(alias, properties["query"], properties.get("functionParameters") or "")

    def _define_watchlist(self, view: Workspace, name: str) -> None:
        watchlist = self.watchlists.get(name)
        if watchlist is not None:
            rows = [item["properties"]["itemsKeyValue"] for item in self.items[name.casefold()]]
            view.define_watchlist(watchlist["name"], rows, watchlist["properties"]["itemsSearchKey"])


@dataclass
class Group:
    """What belongs to a resource group and not to a workspace."""

    subscription: str
    name: str
    workbooks: Collection = field(default_factory=Collection)
    log_alerts: Collection = field(default_factory=Collection)
    revisions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.name}"


@dataclass
class Operation:
    """A long-running operation: in progress until it was asked for often enough and enough time has passed."""

    id: str
    polls: int
    until: datetime
    finish: Any  # () -> an error message or None, called once
    status: str = "InProgress"
    error: str | None = None


class Account:
    """Everything behind one server. `lock` is held while a request to the resource manager is served."""

    def __init__(self, sites: list[Site], clock: Clock, behaviour: Behaviour, faults: FaultPlan) -> None:
        self.sites, self.clock, self.behaviour, self.faults = sites, clock, behaviour, faults
        self.lock = RLock()
        self.groups: dict[tuple[str, str], Group] = {}
        self.operations: dict[str, Operation] = {}
        self.denied: set[str] = set()
        self._numbers = 0
        for site in sites:
            self.groups.setdefault((site.subscription.casefold(), site.group.casefold()), Group(site.subscription, site.group))

    def number(self) -> int:
        self._numbers += 1
        return self._numbers

    def guid(self) -> str:
        """A new GUID, the same in every run."""
        return str(uuid5(_NAMESPACE, f"guid {self.number()}"))

    def etag(self) -> str:
        """A new quoted etag, as the content APIs write them: "0300bf09-0000-0000-0000-5c37296e0000"."""
        return f'"{self.number():08x}-0000-0000-0000-{int(self.clock.now().timestamp()):08x}0000"'

    def now(self) -> str:
        return timestamp(self.clock.now())

    def start(self, finish: Any) -> Operation:
        """Begins a long-running operation; it ends at once when the behaviour asks for no polls and no time."""
        until = self.clock.now() + timedelta(seconds=self.behaviour.operation_seconds)
        operation = Operation(self.guid(), self.behaviour.operation_polls, until, finish)
        self.operations[operation.id] = operation
        self.settle(operation)
        return operation

    def settle(self, operation: Operation, *, polled: bool = False) -> None:
        """Ends an operation whose time has come. `polled`: a client asked for it."""
        if operation.status != "InProgress":
            return
        if operation.polls > 0 or self.clock.now() < operation.until:
            operation.polls -= polled
            return
        self.finish(operation)

    def finish(self, operation: Operation) -> None:
        """Ends an operation whether or not its time has come."""
        if operation.status == "InProgress":
            operation.error = operation.finish()
            operation.status = "Failed" if operation.error else "Succeeded"


@dataclass
class Call:
    """One request to the resource manager on its way through a handler."""

    request: Request
    account: Account
    record: Record
    group: Group
    names: dict[str, str]
    _site: Site | None
    who: str = DEPLOYER

    @property
    def site(self) -> Site:
        assert self._site is not None, "this route has no workspace"
        return self._site

    def wrote(self, what: str, resource: dict[str, Any]) -> None:
        """Notes that the request created, updated or deleted a resource."""
        self.record.writes.append((what, resource["id"]))

    def system_data(self, known: dict[str, Any] | None) -> dict[str, Any]:
        """What a resource says about its authors when this request writes it; `known` is the resource before."""
        return system_data(known and known["systemData"], self.account.now(), self.who)
