"""The wire: azure-core's pipeline with this project's rules of trying again.

- An answer >= 400 with Retry-After is tried again for every method, also 409; without it 408, 429, 500, 502, 503 and 504 for
  methods that may be repeated. Waiting is bounded, by try and in total.
- A write whose fate is unknown (dropped connection, time-out, 500, 502, 504 after it was sent) is not blindly sent again:
  the error says so (`unclear`), and the client looks before it writes a second time.
- Redirects are not followed and other hosts get no token.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import metadata
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from azure.core import exceptions
from azure.core.pipeline import Pipeline, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, HTTPPolicy, UserAgentPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

from toolkit.azure import answers, errors
from toolkit.azure.cloud import is_loopback, origin
from toolkit.azure.credentials import GuardedCredential
from toolkit.azure.errors import AzureApiError, Facts
from toolkit.azure.limits import Clock, Gate, Stopped, SystemClock, operation_of
from toolkit.azure.redaction import redact

_PLAIN_RETRIES = frozenset({408, 429, 500, 502, 503, 504})
_UNCLEAR = frozenset({500, 502, 504})
_CORRELATION = "x-ms-correlation-request-id"


@dataclass(frozen=True)
class Retries:
    """How often and how long. Seconds; the first retry is immediate, then `backoff` doubles up to `longest`.

    An answer that asks for more patience than `total` leaves ends the call.
    """

    status: int = 5
    connection: int = 3
    backoff: float = 0.8
    longest: float = 120.0
    total: float = 900.0

    def delay(self, retry: int) -> float:
        """Seconds before the retry with this number, counted from 1."""
        return 0.0 if retry <= 1 else min(self.longest, self.backoff * 2.0 ** min(retry - 1, 30))


@dataclass(frozen=True)
class RequestRecord:
    """One try of one request, for the report. `path` is without query and secrets; `status` is None without an answer."""

    method: str
    path: str
    status: int | None
    milliseconds: float
    correlation_id: str
    attempt: int
    failure: str = ""


@dataclass(frozen=True)
class Options:
    """How a client behaves. Seconds; `cancel` stops new requests and lets running ones end."""

    parallelism: int = 8
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    retries: Retries = Retries()
    clock: Clock = field(default_factory=SystemClock)
    cancel: Event = field(default_factory=Event)
    on_request: Callable[[RequestRecord], None] | None = None

    def __post_init__(self) -> None:
        if self.parallelism < 1:
            raise ValueError(f"parallelism: expected 1 or more, found {self.parallelism}")


@dataclass(frozen=True)
class Call:
    """What the pipeline has to know about a request besides HTTP.

    `resource` names it in errors; `repeatable`: sending it twice is harmless; `operation` is its bucket ("" for the
    method's); `roles` are what a 403 asks for; `secrets` are known values to keep out of texts; `retry_statuses` those
    that are tried again without Retry-After.
    """

    resource: str
    repeatable: bool = True
    operation: str = ""
    roles: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    etag: str | None = None
    read_timeout: float | None = None
    retry_statuses: frozenset[int] = _PLAIN_RETRIES


@dataclass(frozen=True)
class Answer:
    """A successful answer: its JSON (None without a body) and its headers by lower-case name."""

    status: int
    body: Any
    headers: Mapping[str, str]
    correlation_id: str


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to wait: Retry-After (seconds or a date) or its two relatives in milliseconds."""
    for name, scale in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        if not text:
            continue
        if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit():
            return float(text) * scale
        if name == "retry-after":
            return _until(text)
    return None


def _until(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


class _RetryPolicy(HTTPPolicy[HttpRequest, HttpResponse]):
    """Tries again, waits, counts and records. Raises CancelledError; other errors are azure-core's or the last answer."""

    def __init__(self, options: Options, gate: Gate) -> None:
        super().__init__()
        self._options = options
        self._gate = gate

    def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, HttpResponse]:
        call: Call = request.context.options.pop("call")
        rules, http = self._options.retries, request.http_request
        deadline = self._gate.clock.now() + rules.total
        saved, statuses, connections = dict(request.context.options), 0, 0
        while True:
            request.context.options = dict(saved)
            try:
                response = self._once(request, call, statuses + connections + 1)
            except exceptions.ServiceRequestError as error:
                connections += 1
                if connections > rules.connection or _is_certificate(error) or not (call.repeatable or _never_sent(error)):
                    raise
                wait = rules.delay(connections)
            except (exceptions.ServiceResponseError, exceptions.IncompleteReadError):
                connections += 1
                if connections > rules.connection or not call.repeatable:
                    raise
                wait = rules.delay(connections)
            else:
                statuses += 1
                asked = self._wait_after(response.http_response, call, statuses)
                if asked is None or statuses > rules.status or self._gate.clock.now() + asked > deadline:
                    return response
                wait = asked
                if response.http_response.status_code == 429:
                    self._gate.close(http.url, call.operation or operation_of(http.method), wait)
            self._gate.pause(wait)

    def _wait_after(self, response: HttpResponse, call: Call, retry: int) -> float | None:
        """Seconds before the next try, None when the answer is final."""
        status = response.status_code
        if status < 400 or (status in _UNCLEAR and not call.repeatable):
            return None
        asked = retry_after(_lowered(response.headers))
        if asked is not None:
            return asked
        return self._options.retries.delay(retry) if status in call.retry_statuses else None

    def _once(self, request: PipelineRequest[HttpRequest], call: Call, attempt: int) -> PipelineResponse[HttpRequest, HttpResponse]:
        http = request.http_request
        http.headers["x-ms-client-request-id"] = str(uuid.uuid4())
        with self._gate.slot(http.url, call.operation or operation_of(http.method)):
            started = self._gate.clock.now()
            try:
                response = self.next.send(request)
            except exceptions.AzureError as error:
                self._record(http, None, started, attempt, type(error).__name__)
                raise
            headers = _lowered(response.http_response.headers)
            self._gate.observe(http.url, headers)
            self._record(http, response.http_response, started, attempt, "")
            return response

    def _record(self, http: HttpRequest, response: HttpResponse | None, started: float, attempt: int, failure: str) -> None:
        if self._options.on_request is None:
            return
        correlation = (response.headers.get(_CORRELATION) if response is not None else None) or http.headers.get(_CORRELATION, "")
        path = redact(urlsplit(http.url).path)
        spent = (self._gate.clock.now() - started) * 1000
        status = response.status_code if response is not None else None
        self._options.on_request(RequestRecord(http.method, path, status, spent, redact(str(correlation)), attempt, failure))


def _is_certificate(error: Exception) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


def _never_sent(error: exceptions.ServiceRequestError) -> bool:
    """Whether the request certainly did not leave: a TLS connection can also break after it was sent."""
    return "SSLError" not in type(error.inner_exception).__name__ or _is_certificate(error)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _user_agent() -> str:
    try:
        return f"toolkit/{metadata.version('toolkit')}"
    except metadata.PackageNotFoundError:  # run from a checkout
        return "toolkit"


class Wire:
    """One endpoint, one credential, one pipeline; any number of threads may send."""

    def __init__(self, endpoint: str, scope: str, credential: Any, options: Options) -> None:
        self.endpoint = endpoint
        self.options = options
        self.gate = Gate(options.clock, options.cancel, options.parallelism)
        self._origin = origin(endpoint)
        self._credential = credential if isinstance(credential, GuardedCredential) else GuardedCredential(credential)
        local = is_loopback(self._origin[1])
        # A proxy of the environment does not reach this machine's own loopback.
        self._transport = RequestsTransport(
            connection_timeout=options.connect_timeout, read_timeout=options.read_timeout, use_env_settings=not local
        )
        self._plain = {"enforce_https": False} if self._origin[0] == "http" else {}
        agent: Any = UserAgentPolicy(_user_agent(), user_agent_use_env=False)  # typed for azure-core's older requests only
        self._pipeline: Pipeline[HttpRequest, HttpResponse] = Pipeline(
            self._transport,
            [
                agent,
                _RetryPolicy(options, self.gate),
                BearerTokenCredentialPolicy(self._credential, scope),
            ],
        )

    def __repr__(self) -> str:
        return f"<Wire {self.endpoint}>"

    def close(self) -> None:
        self._transport.close()

    def url(self, path: str) -> str:
        return f"{self.endpoint}{path}"

    def send(self, request: HttpRequest, call: Call) -> Answer:
        """The answer when it is a success (2xx), otherwise the typed error."""
        request.headers.setdefault(_CORRELATION, str(uuid.uuid4()))
        facts = Facts("", request.method, call.resource, correlation_id=request.headers[_CORRELATION], roles=call.roles, etag=call.etag)
        known = (*self._credential.handed_out(), *call.secrets)
        failure: AzureApiError | None = None
        response: HttpResponse | None = None
        try:
            self._same_host(request.url, facts)
            response = self._run(request, call)
        except Stopped:
            failure = errors.CancelledError(replace(facts, message="stopped before an answer"), known=known)
        except exceptions.AzureError as error:
            known = (*self._credential.handed_out(), *call.secrets)
            failure = _transport_error(error, facts, call, known)
        # Raised here and not while the cause is handled: what a library put into its own text stays out of tracebacks.
        if response is None:
            raise failure or errors.ProtocolError(facts, known=known)
        return self._read(response, facts, call)

    def _run(self, request: HttpRequest, call: Call) -> HttpResponse:
        timeouts = {} if call.read_timeout is None else {"read_timeout": call.read_timeout}
        return self._pipeline.run(request, call=call, **timeouts, **self._plain).http_response

    def _same_host(self, url: str, facts: Facts) -> None:
        try:
            same = origin(url) == self._origin
        except ValueError:
            same = False
        if not same:
            host = urlsplit(url).hostname or "an address that cannot be read"
            raise errors.ProtocolError(replace(facts, message=f"a link points to {host}, not to {self._origin[1]}; no token is sent there"))

    def _read(self, response: HttpResponse, facts: Facts, call: Call) -> Answer:
        headers = _lowered(response.headers)
        facts = replace(facts, status=response.status_code, correlation_id=headers.get(_CORRELATION) or facts.correlation_id)
        known = (*self._credential.handed_out(), *call.secrets)
        body, readable = _json_of(response)
        if 200 <= response.status_code < 300:
            if not readable:
                raise errors.ProtocolError(replace(facts, message="the answer is not JSON"), unclear=not call.repeatable, known=known)
            return Answer(response.status_code, body, headers, facts.correlation_id)
        # Some services put only a text or a page there.
        facts = replace(
            facts, message=f"Azure answered {response.status_code} {response.reason or ''}".rstrip(), retry_after=retry_after(headers)
        )
        facts = answers.facts_of(body, facts)
        raise answers.kind_of(facts)(facts, unclear=not call.repeatable and response.status_code in _UNCLEAR, known=known)


def _json_of(response: HttpResponse) -> tuple[Any, bool]:
    if not response.content.strip():
        return None, True
    try:
        return json.loads(response.content), True
    except (ValueError, RecursionError):
        return None, False


def _transport_error(error: exceptions.AzureError, facts: Facts, call: Call, known: tuple[str, ...]) -> AzureApiError:
    if isinstance(error, exceptions.ClientAuthenticationError):
        return errors.AuthenticationError(replace(facts, message=f"no token: {error.message}"), known=known)
    if isinstance(error, exceptions.ServiceResponseTimeoutError):
        message = "no answer in time"
    elif isinstance(error, exceptions.ServiceRequestError):
        unclear = not call.repeatable and not _never_sent(error)
        return errors.TransportError(replace(facts, message=f"no connection: {error.message}"), unclear=unclear, known=known)
    else:
        message = f"the connection broke: {error.message}"
    return errors.TransportError(replace(facts, message=message), unclear=not call.repeatable, known=known)
