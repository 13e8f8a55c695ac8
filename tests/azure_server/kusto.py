"""The endpoints of Azure Data Explorer over our own engine, as `toolkit serve` has them. A database is a workspace, by its name."""

from __future__ import annotations

from tests.azure_server import served
from tests.azure_server.messages import Request, Response
from tests.azure_server.state import Account
from toolkit.engine.budget import Budget
from toolkit.serve import kusto
from toolkit.serve.failures import RequestFailed


def is_kusto_path(path: str) -> bool:
    return path.casefold().rstrip("/") in kusto.PATHS


def serve(account: Account, request: Request) -> Response:
    """The answer to a request; errors come out as ServiceError in Kusto's envelope."""
    stamp = served.stamp(account, request.headers.get("x-ms-client-request-id", ""))
    try:
        ask = kusto.parse(request.path.casefold().rstrip("/"), request.body, request.headers)
        service = kusto.Kusto(served.databases(account))
        _, parts = service.answer(ask, account.clock.now(), Budget(ask.seconds()))
    except RequestFailed as error:
        raise served.refused(kusto.error_status(error), kusto.error_body(error, stamp)) from None
    return Response(200, served.answered(parts))
