"""The HTTP side: a threaded server on loopback, credentials, faults, rate limits, the log of requests."""

from __future__ import annotations

import json
import math
import socket
import sys
import time
import traceback
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from threading import Lock, Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import uuid4

from tests.azure_server import kusto, logs, routes
from tests.azure_server.authors import ANALYST
from tests.azure_server.clock import Clock
from tests.azure_server.faults import FORBIDDEN, Fault, FaultPlan
from tests.azure_server.messages import Record, Request, RequestLog, Response, ServiceError
from tests.azure_server.portal import Portal
from tests.azure_server.state import Account, Behaviour, Group, Site
from toolkit import Workspace

_BUCKETS = {"reads": (250, 25), "writes": (200, 10), "deletes": (200, 10)}
MALFORMED = "<malformed JSON>"
_KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}


class AzureServer:
    """A local Azure while the `with` block lasts; what it is and is not stands in the package's documentation.

    `sites`: the workspaces that exist; by default one named "soc" over the bundled catalogue. `faults` may be changed while the
    server runs. `clock` stands still unless it is told otherwise. `port` 0 is any free one. `tls` holds a certificate for
    127.0.0.1: clients that refuse to send tokens over plain http need it.
    """

    def __init__(
        self,
        *sites: Site,
        clock: Clock | None = None,
        faults: FaultPlan | None = None,
        behaviour: Behaviour | None = None,
        port: int = 0,
        tls: SSLContext | None = None,
    ) -> None:
        self.clock, self.faults, self.behaviour = clock or Clock(), faults or FaultPlan(), behaviour or Behaviour()
        self.account = Account(list(sites) or [Site("soc", Workspace())], self.clock, self.behaviour, self.faults)
        self.portal = Portal(self.account)
        self.log = RequestLog()
        self.tokens: set[str] | None = None
        self.bugs: list[str] = []
        self._rates = _Rates(self.clock)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.azure, self._server.tls = self, tls
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, name="azure-server", daemon=True)

    # --- what a test sees ---------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The base of every request: http://127.0.0.1:port (https with `tls`), for the resource manager and for the Logs query API."""
        return f"{self._server.scheme}://127.0.0.1:{self._server.server_address[1]}"

    def site(self, name: str = "") -> Site:
        """A workspace by its name; the first one by default."""
        return next(site for site in self.account.sites if not name or site.name.casefold() == name.casefold())

    def group(self, site: Site | None = None) -> Group:
        """The resource group of a workspace (workbooks and log alerts are in it)."""
        site = site or self.site()
        return self.account.groups[site.subscription.casefold(), site.group.casefold()]

    def deny(self, action: str) -> None:
        """Takes a permission away, e.g. Microsoft.SecurityInsights/alertRules/write: 403 from now on."""
        self.account.denied.add(action.casefold())

    def edit_rule(self, name: str, who: str = ANALYST, site: Site | None = None, **changes: Any) -> None:
        """Somebody changes properties of a rule in the portal."""
        self.portal.edit("alertRules", name, who=who, site=site, **changes)

    def start(self) -> AzureServer:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> AzureServer:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        if self.bugs and error is None:
            raise AssertionError("the local server failed:\n" + "\n".join(self.bugs))

    # --- one request --------------------------------------------------------------------------------------------------

    def answer(self, request: Request, credential: str) -> tuple[Response | None, Record]:
        """The answer to a request, None when the connection is to be cut instead."""
        record = self.log.open(request)
        fault = self.faults.next(request)
        if fault is not None:
            record.fault = fault.name
            time.sleep(fault.delay)
            if fault.drop == "before":
                return None, record
        try:
            self._authenticate(credential, logs.is_logs_path(request.path) or kusto.is_kusto_path(request.path))
            response = self._serve(request, record, fault)
        except ServiceError as error:
            response = error.response
        except Exception as error:  # noqa: BLE001  # a bug of this server or a body that it does not foresee: the test has to fail
            self.bugs.append(f"{request.method} {request.path}: {''.join(traceback.format_exception(error))}")
            response = Response(500, {"error": {"code": "LocalServerBug", "message": repr(error)}})
        if fault is not None and fault.drop == "after":
            return None, record
        record.status = response.status
        is_logs = logs.is_logs_path(request.path) or kusto.is_kusto_path(request.path)
        headers = {"x-ms-request-id": str(uuid4()), **({} if is_logs else self._rates.headers(request))}
        headers["x-ms-correlation-request-id"] = record.correlation_id or headers["x-ms-request-id"]
        if client := request.headers.get("x-ms-client-request-id"):
            headers["x-ms-client-request-id"] = client
        response.headers = {**headers, **response.headers}
        return response, record

    def _serve(self, request: Request, record: Record, fault: Fault | None) -> Response:
        action = routes.action_of(request)
        if fault is not None and fault.status:
            raise fault.error(action, request.path)
        if request.body is MALFORMED:
            raise ServiceError(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.")
        if kusto.is_kusto_path(request.path):
            return kusto.serve(self.account, request)
        if logs.is_logs_path(request.path):
            return logs.serve(self.account, request)
        if action.casefold() in self.account.denied:
            raise FORBIDDEN.error(action, request.path)
        wait = self._rates.take(request) if self.behaviour.enforce_rate else None
        if wait is not None:
            message = f"Number of requests exceeded the limit. Please try again after '{wait}' seconds."
            raise ServiceError(429, "SubscriptionRequestsThrottled", message, headers={"Retry-After": str(wait)})
        return routes.serve(self.account, request, record)

    def _authenticate(self, credential: str, is_logs: bool) -> None:
        scheme, _, token = credential.partition(" ")
        if scheme.casefold() == "bearer" and token and (self.tokens is None or token in self.tokens):
            return
        if is_logs and self.behaviour.anonymous_queries:
            return
        if is_logs:
            raise ServiceError(401, "AuthorizationRequiredError", "Valid authentication was not provided")
        message = "Authentication failed. The 'Authorization' header is missing or has an invalid token."
        raise ServiceError(401, "AuthenticationFailed", message, headers={"WWW-Authenticate": "Bearer"})


class _Rates:
    """The token buckets of one subscription and principal: how many requests are left, refilled by the server's clock.

    While rates are not enforced nothing is taken: under a clock that stands still, clients that heed the headers would wait forever.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, Lock()
        self._left = {name: (float(size), clock.now()) for name, (size, _) in _BUCKETS.items()}

    def take(self, request: Request) -> int | None:
        """Takes a token; gives the seconds to wait when there is none."""
        name = _KINDS.get(request.method, "writes")
        size, per_second = _BUCKETS[name]
        with self._lock:
            now = self._clock.now()
            left, before = self._left[name]
            left = min(size, left + (now - before).total_seconds() * per_second)
            self._left[name] = (left - 1 if left >= 1 else left, now)
            return None if left >= 1 else math.ceil((1 - left) / per_second)

    def headers(self, request: Request) -> dict[str, str]:
        name = _KINDS.get(request.method, "writes")
        left = str(min(int(self._left[name][0]), _BUCKETS[name][0] - 1))
        return {f"x-ms-ratelimit-remaining-subscription-{name}": left, f"x-ms-ratelimit-remaining-subscription-global-{name}": left}


# --- sockets ------------------------------------------------------------------------------------------------------------


class _Server(ThreadingHTTPServer):
    """Remembers its connections, so that those that clients keep open end with the server."""

    daemon_threads = False  # server_close waits for the threads
    request_queue_size = 128
    azure: AzureServer
    tls: SSLContext | None = None

    def __init__(self, *arguments: Any) -> None:
        self._connections: set[socket.socket] = set()
        self._connections_lock = Lock()
        super().__init__(*arguments)

    @property
    def scheme(self) -> str:
        return "https" if self.tls else "http"

    def get_request(self) -> tuple[socket.socket, Any]:
        """A connection; its handshake comes with the first byte that its own thread reads, so that nobody holds up the others."""
        connection, address = super().get_request()
        return (self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) if self.tls else connection), address

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # a client that went away is no error
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        with self._connections_lock:
            connections: Iterable[socket.socket] = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the client was faster


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536  # one packet for headers and body: no waiting for a delayed acknowledgement
    server: _Server

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError, ValueError):
            self.close_connection = True  # the client is gone, or the connection was cut on purpose

    def _handle(self) -> None:
        request = self._request()
        response, _ = self.server.azure.answer(request, self.headers.get("Authorization", ""))
        if response is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        content = b"" if response.body is None else json.dumps(response.body, ensure_ascii=False, allow_nan=False).encode()
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.body is not None:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        if response.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815  # http.server's names

    def _request(self) -> Request:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items() if name.lower() != "authorization"}
        content = self.rfile.read(int(headers.get("content-length", 0)))
        try:
            body = json.loads(content) if content else None
        except ValueError:
            body = MALFORMED
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        base = f"{self.server.scheme}://{headers.get('host', '')}"
        return Request(self.command, unquote(url.path), query, headers, body, base)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is http.server's
        """Says nothing: the log is AzureServer.log."""
