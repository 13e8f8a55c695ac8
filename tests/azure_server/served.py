"""The workspaces of an account as `toolkit serve` answers for them: one implementation of the query APIs' wire formats."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.azure_server.messages import Response, ServiceError
from tests.azure_server.state import Account
from toolkit import Workspace
from toolkit.serve.answers import Part, Stamp, written
from toolkit.serve.databases import Database, Databases


def databases(account: Account) -> Databases:
    """Every workspace with what is deployed in it now, by name, by id, by resource id and by group and name."""
    with account.lock:
        found = [(site, site.view() or Workspace({})) for site in account.sites]
    return Databases(
        [Database(site.name, view, (site.customer_id, site.id, f"{site.group}/{site.name}"), every_table=True) for site, view in found],
        by_name=True,
    )


def stamp(account: Account, request_id: str = "") -> Stamp:
    with account.lock:
        return Stamp(account.clock.now(), request_id, account.guid())


def answered(parts: Iterator[Part]) -> Any:
    """The body of an answer."""
    return json.loads(b"".join(map(written, parts)))


def refused(status: int, body: Mapping[str, Any]) -> ServiceError:
    """An error in the envelope that the query APIs write."""
    error = ServiceError(status, "", "")
    error.response = Response(status, dict(body))
    return error
