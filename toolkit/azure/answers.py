"""From an HTTP answer that is no success to the error that says what it means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from toolkit.azure import errors
from toolkit.azure.errors import AzureApiError, Facts

_DEEPEST = 20
_LONGEST_MESSAGE = 4000
_SCOPES = frozenset(
    (
        "subscriptionnotfound resourcegroupnotfound parentresourcenotfound invalidsubscriptionid workspacenotfound workspacenotfounderror"
    ).split()
)
_QUERY_CODES = frozenset("badargumenterror semanticerror syntaxerror failedtoresolvecolumn failedtoresolvescalarexpression".split())
_QUERY_TEXTS = (
    "failed to run the analytics rule query",
    "failedtoresolve",
    "semanticerror",
    "semantic error",
    "syntax error",
    "failed to resolve",
)
# ARM names the workspace itself, without anything below it.
_WORKSPACE = re.compile(r"'microsoft\.operationalinsights/workspaces/[^/']+'")
_ETAG_TEXTS = ("etag", "newer data exists", "newer instance")


def error_levels(body: Any) -> Iterator[tuple[str, str]]:
    """(code, message) of an error body, from the outside in.

    Understands ARM's envelope, nested `innererror`s and `details`, and a message that is itself the JSON of another error
    (log alert rules).
    """
    level = body.get("error", body) if isinstance(body, Mapping) else body
    for _ in range(_DEEPEST):
        if not isinstance(level, Mapping):
            return
        code, message = str(level.get("code") or ""), str(level.get("message") or "")
        inside = _json_error(message)
        if inside is not None:
            yield code, ""
            level = inside
            continue
        if code or message:
            yield code, message
        details = level.get("details")
        level = level.get("innererror") or level.get("innerError") or (details[0] if isinstance(details, list) and details else None)


def _json_error(message: str) -> Mapping[str, Any] | None:
    if not message.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return None
    found = found.get("error", found) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) and ("code" in found or "message" in found) else None


def facts_of(body: Any, base: Facts) -> Facts:
    """`base` with the code, the message and the deepest inner error of an answer's body (None: it was no JSON)."""
    levels = list(error_levels(body))
    messages = [message for _, message in levels if message]
    codes = [code for code, _ in levels if code]
    deepest = levels[-1] if len(levels) > 1 else ("", "")
    message = (messages[0] if messages else base.message)[:_LONGEST_MESSAGE]
    return replace(
        base, message=message, code=codes[0] if codes else base.code, inner_code=deepest[0], inner_message=deepest[1][:_LONGEST_MESSAGE]
    )


def kind_of(facts: Facts) -> type[AzureApiError]:
    """The type of error that a status with this code and message is."""
    status, code = facts.status or 0, facts.code.lower()
    text = f"{facts.message} {facts.inner_message}".lower()
    if status in (400, 409) and "recently deleted" in text:
        return errors.TombstoneError
    if status == 409 and code == "missingsubscriptionregistration":
        return errors.ProviderNotRegisteredError
    if status == 412 or (status == 409 and any(part in text for part in _ETAG_TEXTS)):
        return errors.EtagConflictError
    if status == 404:
        return errors.ScopeNotFoundError if code in _SCOPES or _WORKSPACE.search(text) else errors.NotFoundError
    if 400 <= status < 500 and status not in _BY_STATUS:
        query = bool({code, facts.inner_code.lower()} & _QUERY_CODES) or any(part in text for part in _QUERY_TEXTS)
        return errors.QueryRejectedError if query else errors.ValidationError
    return _BY_STATUS.get(status, errors.UnavailableError if status >= 500 else errors.ProtocolError)


_BY_STATUS: dict[int, type[AzureApiError]] = {
    401: errors.AuthenticationError,
    403: errors.AuthorizationError,
    408: errors.UnavailableError,
    409: errors.ConflictError,
    429: errors.ThrottledError,
}
