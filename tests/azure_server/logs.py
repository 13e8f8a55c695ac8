"""The Logs query API over our own engine, as `toolkit serve` has it: queries, batches, metadata."""

from __future__ import annotations

import re
from typing import Any

from tests.azure_server import served
from tests.azure_server.messages import Request, Response, ServiceError
from tests.azure_server.state import Account
from toolkit.engine.budget import Budget
from toolkit.serve import logs
from toolkit.serve.failures import RequestFailed

_PATHS = re.compile(r"/v1/(?P<resource>workspaces/[^/]+|subscriptions/.+?/workspaces/[^/]+)/(?P<verb>query|metadata)/?", re.IGNORECASE)
_BATCH = re.compile(r"/v1/\$batch/?", re.IGNORECASE)


def is_logs_path(path: str) -> bool:
    return path.casefold().startswith("/v1/")


def serve(account: Account, request: Request) -> Response:
    """The answer to an authenticated request; errors come out as ServiceError."""
    try:
        if _BATCH.fullmatch(request.path) and request.method == "POST":
            return _batch(account, request)
        match = _PATHS.fullmatch(request.path)
        if match is None or request.method not in ("GET", "POST"):
            raise ServiceError(404, "PathNotFoundError", "The requested path does not exist")
        if match["verb"].casefold() == "metadata":
            return Response(200, _service(account).metadata(match["resource"]))
        given = (
            request.body if request.method == "POST" else {key: request.option(key) or None for key in ("query", "timespan", "workspaces")}
        )
        return Response(200, _answer(account, logs.parse(match["resource"], given, request.headers)))
    except RequestFailed as error:
        raise served.refused(error.status, logs.error_body(error, served.stamp(account))) from None


def _service(account: Account) -> logs.Logs:
    return logs.Logs(served.databases(account), account.behaviour.row_limit)


def _answer(account: Account, ask: logs.Ask) -> Any:
    _, parts = _service(account).answer(ask, account.clock.now(), Budget(ask.prefer.wait))
    return served.answered(parts)


def _batch(account: Account, request: Request) -> Response:
    """Every query of a batch by itself; one that fails leaves the others alone."""
    responses = []
    for item in logs.parse_batch(request.body):
        try:
            if isinstance(item.ask, RequestFailed):
                raise item.ask
            status, answer = 200, _answer(account, item.ask)
        except RequestFailed as error:
            status, answer = error.status, logs.error_body(error, served.stamp(account))
        responses.append({"id": item.id, "status": status, "headers": {"Content-Type": "application/json"}, "body": answer})
    return Response(200, {"responses": list(reversed(responses))})  # in no order that a client may rely on
