"""The ASGI application: routes, bodies, answers as they are made, one record per request."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from toolkit.engine.budget import Budget
from toolkit.kql.diagnostics import ToolkitError
from toolkit.serve import kusto, logs
from toolkit.serve.answers import Part, Stamp, written
from toolkit.serve.databases import Databases
from toolkit.serve.failures import RequestFailed, failed
from toolkit.serve.guard import Guard
from toolkit.serve.running import ClientGone, Runner, begin

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_Answer = Callable[[Budget], tuple[int, Iterator[Part]]]
_GONE = 499  # nobody reads it; it is for the record
_RESOURCE = re.compile(r"(?:subscriptions/.+/)?workspaces/[^/]+", re.IGNORECASE)


class _Stalled(Exception):
    """The client takes nothing of its answer any more."""


@dataclass(frozen=True)
class Access:
    """One request that was answered. The query itself is not in it, nor is anything of the headers but its id."""

    client: str
    method: str
    path: str
    status: int
    seconds: float
    rows: int | None
    request_id: str


@dataclass(frozen=True)
class Limits:
    """What one request, and all of them together, may use.

    `stalled`: seconds after which a client that neither sends its body nor takes its answer has gone.
    """

    body: int = 4 << 20
    seconds: float = 600.0
    at_once: int = 8
    waiting: int = 512
    of_a_batch: int = 4
    stalled: float = 60.0


@dataclass(frozen=True)
class Settings:
    """A server: what it serves, to whom, with which clock. `log` hears of every request."""

    databases: Databases
    clock: Callable[[], datetime]
    guard: Guard = field(default_factory=Guard)
    limits: Limits = field(default_factory=Limits)
    log: Callable[[Access], None] = lambda access: None


class App:
    """The endpoints over one runner."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.runner = Runner(settings.limits.at_once, settings.limits.waiting)
        self._kusto = kusto.Kusto(settings.databases)
        self._logs = logs.Logs(settings.databases)
        routes = [
            Route("/", self._about),
            *(Route(path, self._on_kusto, methods=["GET", "POST"]) for path in kusto.PATHS),
            Route("/v1/$batch", self._on_batch, methods=["POST"]),
            Route("/v1/{resource:path}/query", self._on_query, methods=["GET", "POST"]),
            Route("/v1/{resource:path}/metadata", self._on_metadata, methods=["GET", "POST"]),
        ]
        handlers: Any = {RequestFailed: self._on_failure, 404: self._on_no_route, 405: self._on_no_route, ClientGone: self._on_gone}
        self._inner = Starlette(routes=routes, exception_handlers={**handlers, ClientDisconnect: self._on_gone, Exception: self._on_defect})

    # --- around every request ---------------------------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        began = time.perf_counter()
        scope.setdefault("state", {})
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        guard = self.settings.guard
        status = _GONE

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                more = {**guard.cors(headers), "x-content-type-options": "nosniff", "cache-control": "no-store"}
                message["headers"] = [*message["headers"], *((name.encode(), value.encode("latin-1")) for name, value in more.items())]
            try:
                async with asyncio.timeout(self.settings.limits.stalled):
                    await send(message)
            except TimeoutError:
                raise _Stalled from None

        try:
            await self._guarded(scope, headers)(scope, receive, sending)
        except _Stalled:
            status = _GONE  # the server closes a connection whose answer has no end
        finally:
            client = scope["client"][0] if scope.get("client") else ""
            rows = scope["state"].get("rows")
            request_id = headers.get("x-ms-client-request-id", "")
            self.settings.log(Access(client, scope["method"], scope["path"], status, time.perf_counter() - began, rows, request_id))

    def _guarded(self, scope: Scope, headers: Mapping[str, str]) -> ASGIApp:
        guard = self.settings.guard
        refusal = guard.refusal(scope["method"], headers)
        if refusal is not None:
            code = "AuthorizationRequiredError" if refusal.status == 401 else "Forbidden"
            extra = {"www-authenticate": "Bearer"} if refusal.status == 401 else {}
            return JSONResponse(_plain_error(code, refusal.message), refusal.status, extra)
        if scope["method"] == "OPTIONS":
            return Response(status_code=204, headers=guard.cors(headers, preflight=True)) if "origin" in headers else self._inner
        return self._inner

    async def _on_failure(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestFailed)
        stamp = self._stamp(request)
        headers = {"retry-after": "1"} if error.kind == "busy" else {}
        if error.kind in ("late", "too-large", "encoding"):
            headers["connection"] = "close"  # the rest of the body may still come
        if "/rest/" in request.url.path:
            return JSONResponse(kusto.error_body(error, stamp), kusto.error_status(error), headers)
        return JSONResponse(logs.error_body(error, stamp), error.status, headers)

    async def _on_no_route(self, request: Request, error: Exception) -> Response:
        return JSONResponse(_plain_error("PathNotFoundError", "The requested path does not exist"), getattr(error, "status_code", 404))

    async def _on_gone(self, request: Request, error: Exception) -> Response:
        return Response(status_code=_GONE)

    async def _on_defect(self, request: Request, error: Exception) -> Response:
        return JSONResponse(_plain_error("InternalServerError", f"A defect of the server: {type(error).__name__}"), 500)

    # --- endpoints --------------------------------------------------------------------------------------------------------

    async def _about(self, request: Request) -> Response:
        names = [database.name for database in self.settings.databases.all]
        paths = [*kusto.PATHS[:3], "/v1/workspaces/{id}/query", "/v1/workspaces/{id}/metadata", "/v1/$batch"]
        return JSONResponse({"name": "toolkit serve", "databases": names, "endpoints": paths})

    async def _on_kusto(self, request: Request) -> Response:
        body = await self._body(request)
        ask = kusto.parse(request.url.path, body, request.headers)
        now = self.settings.clock()
        return await self._run(request, ask.seconds(), lambda budget: self._kusto.answer(ask, now, budget))

    async def _on_query(self, request: Request) -> Response:
        name = request.path_params["resource"]
        if not _RESOURCE.fullmatch(name):
            return await self._on_no_route(request, RequestFailed("not-found", ""))
        ask = logs.parse(name, await self._body(request), request.headers)
        now = self.settings.clock()
        return await self._run(request, ask.prefer.wait, lambda budget: self._logs.answer(ask, now, budget))

    async def _on_metadata(self, request: Request) -> Response:
        name = request.path_params["resource"]
        if not _RESOURCE.fullmatch(name):
            return await self._on_no_route(request, RequestFailed("not-found", ""))
        return JSONResponse(self._logs.metadata(name))

    async def _on_batch(self, request: Request) -> Response:
        """Every query of a batch by itself, some side by side; one that fails leaves the others alone."""
        items = logs.parse_batch(await self._body(request))
        turns = asyncio.Semaphore(self.settings.limits.of_a_batch)
        leaving = asyncio.ensure_future(_leaving(request)())

        async def answered(item: logs.BatchItem) -> bytes:
            async with turns:
                status, body = await self._batched(request, item, lambda: asyncio.shield(leaving))
            head = json.dumps({"id": item.id, "status": status, "headers": {"Content-Type": "application/json"}}).encode()
            return head[:-1] + b', "body": ' + body + b"}"

        try:
            parts = await asyncio.gather(*map(answered, items), return_exceptions=True)
        finally:
            leaving.cancel()
        for part in parts:
            if isinstance(part, BaseException):
                raise part
        return Response(b'{"responses": [' + b", ".join(cast("list[bytes]", parts)) + b"]}", media_type="application/json")

    async def _batched(self, request: Request, item: logs.BatchItem, gone: Callable[[], Awaitable[object]]) -> tuple[int, bytes]:
        ask, now = item.ask, self.settings.clock()
        try:
            if isinstance(ask, RequestFailed):
                raise ask
            budget = self._budget(ask.prefer.wait)
            rows, body = await self.runner.run(lambda: _whole(self._logs.answer(ask, now, budget)), budget, gone)
            request.state.rows = getattr(request.state, "rows", 0) + rows
            return 200, body
        except RequestFailed as error:
            return error.status, json.dumps(logs.error_body(error, self._stamp(request))).encode()

    # --- one answer -------------------------------------------------------------------------------------------------------

    async def _run(self, request: Request, seconds: float, answer: _Answer) -> Response:
        budget = self._budget(seconds)

        def work() -> tuple[int, bytes, Iterator[Part] | None]:
            rows, parts = answer(budget)
            return rows, *begin(parts)

        try:
            rows, whole, parts = await self.runner.run(work, budget, _leaving(request))
        except RequestFailed:
            raise
        except ToolkitError as error:
            raise failed(error, "") from None
        request.state.rows = rows
        stamp = self._stamp(request)
        headers = {"x-ms-client-request-id": stamp.request_id, "x-ms-activity-id": stamp.activity}
        if parts is None:
            return Response(whole, headers=headers, media_type="application/json")
        return StreamingResponse(self.runner.write(parts), headers=headers, media_type="application/json")

    def _budget(self, seconds: float) -> Budget:
        return Budget(min(seconds, self.settings.limits.seconds))

    def _stamp(self, request: Request) -> Stamp:
        return Stamp(self.settings.clock(), request.headers.get("x-ms-client-request-id", ""))

    async def _body(self, request: Request) -> Any:
        """The JSON of a request, or the parameters of a GET. Raises RequestFailed for one that is too large or no JSON."""
        if request.method == "GET":
            return dict(request.query_params)
        encoding = request.headers.get("content-encoding", "identity")
        if encoding.casefold() != "identity":
            raise RequestFailed("encoding", f"Content-Encoding: expected a body that is not compressed, found {encoding!r}.")
        try:
            async with asyncio.timeout(self.settings.limits.stalled):
                body = await self._bytes(request)
        except TimeoutError:
            raise RequestFailed("late", f"The body was not there after {self.settings.limits.stalled:g} seconds.") from None
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise RequestFailed("request", "The body is not JSON.", code="InvalidBody") from None

    async def _bytes(self, request: Request) -> bytes:
        most = self.settings.limits.body
        parts, size = [], int(request.headers.get("content-length") or 0)  # its form was checked by the protocol
        if size <= most:
            size = 0
            async for part in request.stream():
                parts.append(part)
                if (size := size + len(part)) > most:
                    break
        if size > most:
            raise RequestFailed("too-large", f"The body is larger than {most} bytes, the limit of this server.")
        return b"".join(parts)


def _whole(answer: tuple[int, Iterator[Part]]) -> tuple[int, bytes]:
    rows, parts = answer
    return rows, b"".join(map(written, parts))


def _leaving(request: Request) -> Callable[[], Awaitable[object]]:
    """Returns when the client has gone. The body has been read: what is received next can only be that."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return gone


def _plain_error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "@type": "Kusto.Data.Exceptions.KustoBadRequestException", "@message": message}}
