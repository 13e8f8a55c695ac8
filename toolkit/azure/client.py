"""ARM: list, read, write and delete the resources of `toolkit.azure.resources`, safely from many threads.

Bodies are dictionaries as Azure has them; what is in them is the business of `toolkit.deploy`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urljoin

from azure.core.rest import HttpRequest

from toolkit.azure import errors, resources
from toolkit.azure.cloud import Cloud
from toolkit.azure.errors import AzureApiError, Facts
from toolkit.azure.limits import Stopped
from toolkit.azure.operations import poll, settle
from toolkit.azure.parallel import Outcome, run_many
from toolkit.azure.pipeline import Answer, Call, Options, Wire
from toolkit.azure.redaction import secrets_of
from toolkit.azure.resources import Address, AddressError, Kind, Verb, Workspace
from toolkit.azure.sameness import covers

_MOST_PAGES = 10_000
_EMPTY: Mapping[str, str] = {}

T = TypeVar("T")
Body = dict[str, Any]
Bodies = list[Body]  # inside the class `list` is the method


@dataclass(frozen=True)
class Written:
    """What a PUT did: the resource as Azure gave it back, and whether the answer said that it was new.

    `resumed`: an answer got lost and the resource was found written when it was looked at; `created` is False then unless
    the caller said that it is new.
    """

    body: Body
    created: bool
    correlation_id: str
    resumed: bool = False


class ArmClient:
    """One principal in one cloud. Threads may share it; `close` (or `with`) gives the connections back."""

    def __init__(self, cloud: Cloud, credential: Any, options: Options | None = None) -> None:
        """`credential` is anything azure-core takes; see `toolkit.azure.credentials.default_credential`."""
        self.options = options or Options()
        self._wire = Wire(cloud.resource_manager, cloud.resource_manager_scope, credential, self.options)

    def __enter__(self) -> ArmClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ArmClient {self._wire.endpoint}>"

    def close(self) -> None:
        self._wire.close()

    # --- reading --------------------------------------------------------------------------------------------------

    def list(self, kind: Kind, workspace: Workspace, parent: str = "", query: Mapping[str, str] = _EMPTY) -> Bodies:
        """All resources of a kind, every page of them, or an error: never a part of the list.

        `query` overrides the kind's own query options (`{"category": "workbook"}`).
        """
        _allow(kind, "list")
        name = resources.list_id(kind, workspace, parent)
        url: str | None = self._wire.url(resources.list_path(kind, workspace, parent, query))
        found: dict[str, Body] = {}
        seen: set[str] = set()
        while url is not None:
            if url in seen or len(seen) >= _MOST_PAGES:
                raise errors.ProtocolError(Facts(f"the list does not end: page {len(seen) + 1} was read before", "GET", name))
            seen.add(url)
            answer = self._get(url, Call(name, roles=kind.roles))
            for item in _page(answer, name):
                # A page that shifted while it was read repeats items.
                found.setdefault(str(item.get("id") or item.get("name") or len(found)).lower(), item)
            url = _next_page(answer, url, name)
        return [*found.values()]

    def get(self, address: Address) -> Body:
        """One resource. NotFoundError when there is none."""
        _allow(address.kind, "get")
        answer = self._get(self._wire.url(address.get_path()), Call(address.id, roles=address.kind.roles))
        return _object(answer, "GET", address.id)

    def settled(self, address: Address) -> Body:
        """One resource, when Azure has done with what it is doing to it (an upload, whoever began it)."""
        return settle(self._wire, partial(self.get, address), Call(address.id, roles=address.kind.roles))

    def find(self, address: Address) -> Body | None:
        """One resource, None when there is none. A missing workspace or resource group stays an error."""
        try:
            return self.get(address)
        except errors.ScopeNotFoundError:
            raise
        except errors.NotFoundError:
            return None

    def find_many(self, addresses: Sequence[Address]) -> Sequence[Outcome[Body | None]]:
        """`find` for many in parallel, in their order; one error does not stop the rest."""
        return self.run_many([partial(self.find, address) for address in addresses])

    def list_many(self, kinds: Sequence[Kind], workspace: Workspace) -> Sequence[Outcome[Bodies]]:
        """`list` for many kinds in parallel, in their order."""
        return self.run_many([partial(self.list, kind, workspace) for kind in kinds])

    def run_many(self, tasks: Sequence[Callable[[], T]]) -> Sequence[Outcome[T]]:
        """Any calls in parallel, as many at one time as `options.parallelism`; see `toolkit.azure.parallel`."""
        return run_many(tasks, self.options.parallelism, self.options.cancel)

    # --- writing --------------------------------------------------------------------------------------------------

    def put(
        self,
        address: Address,
        body: Mapping[str, Any],
        *,
        etag: str | None = None,
        new: bool = False,
        same: Callable[[Body], bool] | None = None,
    ) -> Written:
        """Create or replace one resource, and wait until Azure has done it.

        `etag`: of the resource that this write replaces ("*": whatever is there); it goes where the kind takes it, and
        EtagConflictError says that somebody wrote in between. `new`: the caller knows that nothing is there yet.
        `same(found)` replaces the comparison of what is found with `body` after an answer got lost.

        When an answer gets lost the resource is read before anything is sent again, so nothing is written twice. Where
        reading cannot tell (items of an existing watchlist), the error is raised with `unclear` set.
        """
        kind = address.kind
        _allow(kind, "put")
        sent = resources.put_body(kind, body, etag)
        call = Call(address.id, repeatable=False, roles=kind.roles, secrets=tuple(secrets_of(sent)), etag=etag)
        for retry in range(self.options.retries.connection + 1):
            request = HttpRequest("PUT", self._wire.url(address.path()), json=sent, headers=resources.match_header(kind, etag))
            lost: AzureApiError
            try:
                answer = self._wire.send(request, call)
            except AzureApiError as error:
                if not error.unclear:
                    raise
                lost = error
            else:
                return self._finish(answer, address, call)
            found = self._look(address, lost, call)
            if found is not None and self._landed(found, sent, address, etag, same):
                if not new and any(_has(sent, name) for name in kind.additive):
                    raise lost
                if kind.long_running:
                    found = self.settled(address)
                return Written(found, new, lost.correlation_id, resumed=True)
            if retry == self.options.retries.connection:
                raise lost
            self._wait(self.options.retries.delay(retry + 1), lost)
        raise AssertionError("the last try returns or raises")

    def delete(self, address: Address, *, etag: str | None = None) -> bool:
        """Delete one resource and wait until it is gone.

        False when it was gone already, which includes that the answer to an earlier try of this call got lost.
        `etag`: only when the resource is still that one (EtagConflictError otherwise).
        """
        kind = address.kind
        _allow(kind, "delete")
        call = Call(address.id, roles=kind.roles, etag=etag)
        request = HttpRequest("DELETE", self._wire.url(address.path()), headers=resources.match_header(kind, etag))
        try:
            answer = self._wire.send(request, call)
        except errors.ScopeNotFoundError:
            raise
        except errors.NotFoundError:
            return False
        _expect(answer, kind.delete_statuses, "DELETE", address.id)
        self.wait(answer, "DELETE", call)
        return answer.status != 204

    def wait(self, answer: Answer, method: str, call: Call) -> None:
        """Wait for the long-running operation of an answer, if it started one."""
        poll(self._wire, answer, method, call)

    def _finish(self, answer: Answer, address: Address, call: Call) -> Written:
        kind = address.kind
        _expect(answer, (*kind.put_statuses, *((202,) if kind.long_running else ())), "PUT", address.id)
        created = answer.status == 201
        if kind.long_running:
            self.wait(answer, "PUT", call)
            return Written(self._read_back(address), created, answer.correlation_id)
        return Written(_object(answer, "PUT", address.id), created, answer.correlation_id)

    def _read_back(self, address: Address) -> Body:
        """What was just written; a copy of the service that has not heard of it yet is asked again."""
        for retry in range(1, self.options.retries.status + 1):
            try:
                return self.get(address)
            except errors.ScopeNotFoundError:
                raise
            except errors.NotFoundError as error:
                missing: AzureApiError = error
            self._wait(self.options.retries.delay(retry), missing)
        return self.get(address)

    def _look(self, address: Address, lost: AzureApiError, put: Call) -> Body | None:
        """What is there after an answer got lost; when that cannot be found out either, the lost answer is the error."""
        call = replace(put, repeatable=True, etag=None)  # with its secrets: the service may repeat them in an error
        try:
            return _object(self._get(self._wire.url(address.get_path()), call), "GET", address.id)
        except errors.ScopeNotFoundError as error:
            unknown: AzureApiError = error
        except errors.NotFoundError:
            return None
        except AzureApiError as error:
            unknown = error
        raise lost from unknown

    def _landed(self, found: Body, sent: Body, address: Address, etag: str | None, same: Callable[[Body], bool] | None) -> bool:
        if etag is not None and etag != "*" and found.get("etag") == etag:
            return False
        return same(found) if same is not None else covers(found, sent, address.kind.write_only)

    def _wait(self, seconds: float, lost: AzureApiError) -> None:
        stopped = False
        try:
            self._wire.gate.pause(seconds)
        except Stopped:
            stopped = True
        if stopped:
            raise errors.CancelledError(
                replace(lost.facts, message="stopped after a write that was not confirmed", status=None, code=""), unclear=True
            )

    def _get(self, url: str, call: Call) -> Answer:
        return self._wire.send(HttpRequest("GET", url), call)


def _allow(kind: Kind, verb: Verb) -> None:
    if verb not in kind.verbs:
        raise AddressError(f"{kind}: expected one of {', '.join(sorted(kind.verbs))}, found {verb}")


def _has(body: Mapping[str, Any], name: str) -> bool:
    properties = body.get("properties")
    return bool(properties.get(name)) if isinstance(properties, Mapping) else False


def _expect(answer: Answer, statuses: tuple[int, ...], method: str, name: str) -> None:
    if answer.status not in statuses:
        wanted = " or ".join(str(status) for status in statuses)
        message = f"expected {wanted}, found {answer.status}"
        raise errors.ProtocolError(Facts(message, method, name, answer.status, correlation_id=answer.correlation_id), unclear=True)


def _object(answer: Answer, method: str, name: str) -> Body:
    if not isinstance(answer.body, dict):
        message = "expected a JSON object"
        raise errors.ProtocolError(
            Facts(message, method, name, answer.status, correlation_id=answer.correlation_id), unclear=method != "GET"
        )
    return answer.body


def _page(answer: Answer, name: str) -> Iterator[Body]:
    value = answer.body.get("value") if isinstance(answer.body, dict) else None
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        message = "expected a list of resources in `value`"
        raise errors.ProtocolError(Facts(message, "GET", name, answer.status, correlation_id=answer.correlation_id))
    yield from value


def _next_page(answer: Answer, url: str, name: str) -> str | None:
    link = answer.body.get("nextLink") or answer.body.get("@odata.nextLink")
    if link is None or link == "":
        return None
    if not isinstance(link, str):
        raise errors.ProtocolError(Facts("expected a text in `nextLink`", "GET", name, answer.status, correlation_id=answer.correlation_id))
    return urljoin(url, link)
