"""The preview in a browser: the page, and a view for every choice of its reader. On this machine only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from toolkit.engine.errors import QueryCancelled
from toolkit.serve.guard import Guard
from toolkit.workbooks.preview.page import page, policy
from toolkit.workbooks.preview.session import Preview

MAX_BODY = 1_000_000


class PreviewApp:
    """The application. `origin` says where the page is served from: only that page may ask."""

    def __init__(self, preview: Preview) -> None:
        self.preview = preview
        self.origins: tuple[str, ...] = ()
        routes = [Route("/", self._page, methods=["GET"]), Route("/view", self._view, methods=["POST"])]
        self.asgi = Starlette(routes=routes)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.asgi(scope, receive, send)

    async def _page(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        view = await anyio.to_thread.run_sync(partial(self.preview.view, {}))
        return HTMLResponse(page(view), headers=_headers())

    async def _view(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _error(415, "Expected application/json.")
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return _error(413, f"The request has more than {MAX_BODY:,} bytes.")
        try:
            chosen = json.loads(body)
        except (ValueError, RecursionError):
            return _error(400, "The request is no JSON.")
        if not isinstance(chosen, Mapping):
            return _error(400, "Expected a JSON object: values by parameter name.")
        try:
            view = await anyio.to_thread.run_sync(partial(self.preview.view, chosen))
        except QueryCancelled:
            return _error(503, "The preview is stopping.")
        text = json.dumps(view, ensure_ascii=False, default=str)
        return Response(text, media_type="application/json", headers=_headers())

    def _refused(self, request: Request) -> Response | None:
        refusal = Guard(origins=self.origins).refusal(request.method, request.headers)
        return _error(refusal.status, refusal.message) if refusal else None


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status, headers=_headers())


def _headers() -> dict[str, str]:
    return {
        "content-security-policy": policy(static=False) + "; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin",
    }
