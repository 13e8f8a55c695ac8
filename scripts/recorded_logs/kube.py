"""Kubernetes API requests and the audit events (audit.k8s.io/v1) that the API server writes for them.

One `Call` is one API request. The server writes an event per *stage* of a request (RequestReceived, ResponseStarted, ResponseComplete),
all with the same auditID: a rule that does not look at the stage counts requests twice.
Shape: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Json = Any
"""A JSON value: what `json.dumps` takes."""

RECEIVED = "RequestReceived"
STARTED = "ResponseStarted"
COMPLETE = "ResponseComplete"

TOO_BIG = "skipped-too-big-size-object"
"""What AKS logs in place of a request or response body that is too large."""

_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_METADATA_ONLY = frozenset({"secrets", "configmaps", "tokenreviews", "serviceaccounts/token"})
_ID_SPACE = uuid.UUID("00000000-0000-0000-0000-00000000a4d1")


@dataclass(frozen=True)
class Identity:
    """Who calls, from where: `user`, `sourceIPs` and `userAgent` of the audit event."""

    username: str
    groups: tuple[str, ...]
    source_ips: tuple[str, ...]
    user_agent: str


@dataclass(frozen=True, kw_only=True)
class Call:
    """One API request.

    `resource` is `version/resource` or `group/version/resource` ("v1/pods", "batch/v1/cronjobs"), or a path that starts with "/" for a
    URL that is not a resource ("/readyz"). `path` is what follows a proxy subresource; it stands in the URL only.
    `body` and `answer` are the request and response objects; the audit policy decides whether they are logged
    (`level`; empty: as AKS does, secrets, config maps and tokens at Metadata, reads at Request, writes at RequestResponse).
    """

    at: datetime
    who: Identity
    verb: str
    resource: str
    name: str = ""
    namespace: str = ""
    subresource: str = ""
    path: str = ""
    query: str = ""
    code: int = 200
    body: Json = None
    answer: Json = None
    level: str = ""
    decision: str = "allow"
    reason: str = ""
    message: str = ""
    impersonated: Json = None
    stages: tuple[str, ...] = (RECEIVED, COMPLETE)
    lasts: float = 0.011


def at(clock: str, day: str = "2026-03-02") -> datetime:
    """`at("09:14:07")`: that time of the recorded day, UTC. Fractions of a second are allowed."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC)


def audit_id(call: Call) -> str:
    """A stable auditID: the same request has the same id in both log shapes and on every run."""
    key = "|".join(
        (call.at.isoformat(), call.who.username, call.verb, call.resource, call.namespace, call.name, call.subresource, call.query)
    )
    return str(uuid.uuid5(_ID_SPACE, key))


def audit_level(call: Call) -> str:
    """How much of the request is logged: None < Metadata < Request < RequestResponse."""
    if call.level:
        return call.level
    resource = _plural(call) + (f"/{call.subresource}" if call.subresource else "")
    if resource in _METADATA_ONLY or call.resource.startswith("/"):
        return "Metadata"
    return "RequestResponse" if call.verb in _WRITES else "Request"


def request_uri(call: Call) -> str:
    """The path and query as the client sent them."""
    if call.resource.startswith("/"):
        return call.resource + (f"?{call.query}" if call.query else "")
    *api, plural = call.resource.split("/")
    prefix = "/api" if len(api) == 1 else "/apis"
    parts = [prefix, *api]
    if call.namespace and plural != "namespaces":
        parts += ["namespaces", call.namespace]
    parts.append(plural)
    # A create names its object in the body, unless it is a subresource of an existing object (pods/NAME/exec).
    if call.name and (call.verb != "create" or call.subresource):
        parts.append(call.name)
    if call.subresource:
        parts.append(call.subresource)
    if call.path:
        parts.append(call.path)
    return "/".join(parts) + (f"?{call.query}" if call.query else "")


def events(call: Call) -> list[tuple[datetime, dict[str, Json]]]:
    """The audit events of one request, in stage order, each with the time at which its stage was reached."""
    moments = {RECEIVED: 0.0, STARTED: min(0.009, call.lasts), COMPLETE: call.lasts}
    return [(call.at + timedelta(seconds=moments[stage]), _event(call, stage)) for stage in call.stages]


def _event(call: Call, stage: str) -> dict[str, Json]:
    moments = {RECEIVED: 0.0, STARTED: min(0.009, call.lasts), COMPLETE: call.lasts}
    level = audit_level(call)
    event: dict[str, Json] = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": level,
        "auditID": audit_id(call),
        "stage": stage,
        "requestURI": request_uri(call),
        "verb": call.verb,
        "user": {"username": call.who.username, "groups": list(call.who.groups)},
    }
    if call.impersonated is not None:
        event["impersonatedUser"] = call.impersonated
    event["sourceIPs"] = list(call.who.source_ips)
    event["userAgent"] = call.who.user_agent
    if not call.resource.startswith("/"):
        event["objectRef"] = _object_ref(call)
    if stage != RECEIVED:
        event["responseStatus"] = _status(call)
        if call.body is not None and level in ("Request", "RequestResponse"):
            event["requestObject"] = call.body
        if call.answer is not None and level == "RequestResponse" and stage == COMPLETE:
            event["responseObject"] = call.answer
    event["requestReceivedTimestamp"] = _micros(call.at)
    event["stageTimestamp"] = _micros(call.at + timedelta(seconds=moments[stage]))
    if stage != RECEIVED:
        event["annotations"] = {"authorization.k8s.io/decision": call.decision, "authorization.k8s.io/reason": call.reason}
    return event


def _object_ref(call: Call) -> dict[str, str]:
    *api, plural = call.resource.split("/")
    reference = {
        "resource": plural,
        "namespace": call.namespace,
        "name": call.name,
        "apiGroup": api[0] if len(api) == 2 else "",
        "apiVersion": api[-1],
        "subresource": call.subresource,
    }
    return {key: value for key, value in reference.items() if value}


def _status(call: Call) -> dict[str, Json]:
    if call.code < 400:
        return {"metadata": {}, "code": call.code}
    reasons = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "AlreadyExists"}
    return {"metadata": {}, "status": "Failure", "message": call.message, "reason": reasons.get(call.code, "Unknown"), "code": call.code}


def _plural(call: Call) -> str:
    return call.resource.rsplit("/", 1)[-1]


def _micros(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
