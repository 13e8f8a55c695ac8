"""Requests, responses and errors, as the handlers of the local Azure see them, and the log of all requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any


@dataclass(frozen=True)
class Request:
    """One HTTP request. Header names are lower case; `query` is decoded; `body` is parsed JSON, or None without a body.

    `base` is "http://host:port" as the client called it: absolute links are built from it.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    base: str

    def option(self, name: str) -> str:
        """A query parameter, its name in any case; empty when it is absent."""
        return next((value for key, value in self.query.items() if key.casefold() == name.casefold()), "")

    @property
    def api_version(self) -> str:
        return self.option("api-version")

    @property
    def is_preview(self) -> bool:
        return self.api_version.endswith("-preview")


@dataclass
class Response:
    """`body` is sent as JSON; None sends no body at all."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class ServiceError(Exception):
    """An answer with an error envelope: {"error": {"code", "message", **details}}."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None, **details: Any) -> None:
        super().__init__(message)
        self.response = Response(status, {"error": {"code": code, "message": message, **details}}, dict(headers or {}))


def bad_request(message: str) -> ServiceError:
    return ServiceError(400, "BadRequest", message)


def conflict(message: str) -> ServiceError:
    return ServiceError(409, "Conflict", message)


def not_found(type_: str, name: str) -> ServiceError:
    return ServiceError(404, "NotFound", f"Resource '{name}' of type '{type_}' was not found.")


@dataclass
class Record:
    """What was asked and what came of it. `writes` names what the request really changed: ("create", resource id) and so on.

    The header with the credential is not kept.
    """

    number: int
    request: Request
    status: int | None = None
    fault: str = ""
    writes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def path(self) -> str:
        return self.request.path

    @property
    def api_version(self) -> str:
        return self.request.api_version

    @property
    def body(self) -> Any:
        return self.request.body

    @property
    def correlation_id(self) -> str:
        return self.request.headers.get("x-ms-correlation-request-id", "")


class RequestLog:
    """Every request in the order of arrival. `status` of a record is None when the client got no answer."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._lock = Lock()

    def open(self, request: Request) -> Record:
        with self._lock:
            record = Record(len(self._records) + 1, request)
            self._records.append(record)
            return record

    def __iter__(self) -> Iterator[Record]:
        with self._lock:
            return iter(list(self._records))

    def __len__(self) -> int:
        with self._lock:
            return len(self._records)

    def clear(self) -> None:
        with self._lock:
            self._records.clear()

    def count(self, method: str = "", path: str = "", status: int | None = None) -> int:
        """How many requests: of a method, with a text in their path (any case), answered with a status."""
        return sum(1 for _ in self.select(lambda record: _matches(record, method, path, status)))

    def select(self, test: Callable[[Record], bool]) -> Iterator[Record]:
        return (record for record in self if test(record))

    @property
    def writes(self) -> Counter[tuple[str, str]]:
        """How often each resource was really created, updated or deleted; a count above 1 was written more than once."""
        return Counter(write for record in self for write in record.writes)

    @property
    def written(self) -> Counter[str]:
        """How often each resource was really created or updated, by its id."""
        return Counter(resource for record in self for what, resource in record.writes if what != "delete")

    @property
    def methods(self) -> Counter[str]:
        """How many requests of each method arrived, those that failed included."""
        return Counter(record.method for record in self)

    @property
    def failed(self) -> Counter[str]:
        """How many requests met each fault, by its name."""
        return Counter(record.fault for record in self if record.fault)


def _matches(record: Record, method: str, path: str, status: int | None) -> bool:
    return (
        (not method or record.method == method)
        and path.casefold() in record.path.casefold()
        and (status is None or record.status == status)
    )
