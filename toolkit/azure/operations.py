"""Long-running operations: wait for what Azure goes on doing after it answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from azure.core.rest import HttpRequest

from toolkit.azure import errors
from toolkit.azure.answers import facts_of
from toolkit.azure.errors import Facts
from toolkit.azure.limits import Stopped
from toolkit.azure.pipeline import Answer, Call, Wire, retry_after

_FAILURES = frozenset({"failed", "canceled", "cancelled"})
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 15.0


@dataclass(frozen=True)
class Patience:
    """Seconds to wait for an operation in total."""

    total: float = 1800.0


def poll(wire: Wire, answer: Answer, method: str, call: Call, patience: Patience = Patience()) -> None:
    """Return when the operation that `answer` started has succeeded; at once when it started none.

    OperationFailedError when it failed or takes longer than `patience`. Retry-After sets the pace; without it the pauses
    grow from one second to fifteen.
    """
    url, finished = _where(answer)
    if url is None:
        return
    facts = Facts("", method, call.resource, correlation_id=answer.correlation_id, roles=call.roles)
    clock = wire.gate.clock
    deadline = clock.now() + patience.total
    asked, grown = retry_after(answer.headers), _FIRST_WAIT
    while True:
        wait = grown if asked is None else asked
        if clock.now() + wait > deadline:
            raise errors.OperationFailedError(replace(facts, message=f"the operation still runs after {patience.total:g} s"), unclear=True)
        _pause(wire, wait, facts)
        answer = wire.send(HttpRequest("GET", url), replace(call, repeatable=True, etag=None))
        facts = replace(facts, correlation_id=answer.correlation_id)
        if finished(answer, facts):
            return
        asked, grown = retry_after(answer.headers), min(_LONGEST_WAIT, grown * 1.5)


def _where(answer: Answer) -> tuple[str | None, Callable[[Answer, Facts], bool]]:
    status_url = answer.headers.get("azure-asyncoperation") or answer.headers.get("operation-location")
    if status_url:
        return status_url, _status_says
    if answer.status == 202 and answer.headers.get("location"):
        return answer.headers["location"], lambda found, _: found.status != 202
    return None, _status_says


def _status_says(answer: Answer, facts: Facts) -> bool:
    body: Any = answer.body
    status = body.get("status") if isinstance(body, dict) else None
    if not isinstance(status, str):
        raise errors.ProtocolError(replace(facts, message="the state of the operation has no status"), unclear=True)
    if status.lower() in _FAILURES:
        raise errors.OperationFailedError(facts_of(body, replace(facts, message=f"the operation ended as {status}")))
    return status.lower() == "succeeded"


def _pause(wire: Wire, seconds: float, facts: Facts) -> None:
    stopped = False
    try:
        wire.gate.pause(seconds)
    except Stopped:
        stopped = True
    if stopped:
        raise errors.CancelledError(replace(facts, message="stopped while Azure was still working on it"), unclear=True)


_RUNNING = frozenset({"new", "inprogress", "uploading", "deleting", "accepted", "updating", "creating"})


def is_running(body: Mapping[str, Any]) -> bool:
    """Whether Azure is still working on a resource, by what the resource says of itself."""
    return str((body.get("properties") or {}).get("provisioningState") or "").lower() in _RUNNING


def settle(wire: Wire, read: Callable[[], dict[str, Any]], call: Call, patience: Patience = Patience()) -> dict[str, Any]:
    """Read a resource until Azure has done with it: for an operation whose own address is not known (any more).

    OperationFailedError when that takes longer than `patience`.
    """
    clock = wire.gate.clock
    deadline, wait = clock.now() + patience.total, _FIRST_WAIT
    body = read()
    while is_running(body):
        facts = Facts(f"Azure still works on it after {patience.total:g} s", "GET", call.resource, roles=call.roles)
        if clock.now() + wait > deadline:
            raise errors.OperationFailedError(facts, unclear=True)
        _pause(wire, wait, facts)
        body, wait = read(), min(_LONGEST_WAIT, wait * 1.5)
    return body
