"""What can go wrong between this machine and Azure, as types that a caller can act on.

Every text says what was asked of which resource, what Azure answered, what was expected, what to do, and the correlation
id that Microsoft's support asks for. No text holds a secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from toolkit.azure.redaction import redact
from toolkit.kql.diagnostics import ToolkitError


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a failed call.

    `code` and `message` are Azure's (or ours when there was no answer), `inner_code` and `inner_message` those of its
    deepest inner error. `retry_after` are seconds, `etag` is what was sent.
    """

    message: str
    method: str = ""
    resource: str = ""
    status: int | None = None
    code: str = ""
    inner_code: str = ""
    inner_message: str = ""
    correlation_id: str = ""
    retry_after: float | None = None
    etag: str | None = None
    roles: tuple[str, ...] = ()

    def redacted(self, known: Iterable[str]) -> Facts:
        """The same without secrets, in every text of it."""
        known = tuple(known)
        return replace(
            self,
            message=redact(self.message, known),
            resource=redact(self.resource, known),
            code=redact(self.code, known),
            inner_code=redact(self.inner_code, known),
            inner_message=redact(self.inner_message, known),
            correlation_id=redact(self.correlation_id, known),
        )


class AzureApiError(ToolkitError):
    """The root. `facts` has the parts of the text; `unclear` tells that a write may have taken place all the same."""

    expected: ClassVar[str] = ""
    advice: ClassVar[str] = ""

    def __init__(self, facts: Facts, *, unclear: bool = False, known: Iterable[str] = ()) -> None:
        self.facts = facts.redacted(known)
        self.unclear = unclear
        super().__init__(self._text())

    @property
    def correlation_id(self) -> str:
        return self.facts.correlation_id

    @property
    def resource(self) -> str:
        return self.facts.resource

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (type(self), self.facts, self.unclear)

    def what_to_do(self) -> str:
        """The advice in the text; a type says it better when it knows more."""
        return self.advice

    def _text(self) -> str:
        facts = self.facts
        status = f"{facts.status} " if facts.status is not None else ""
        code = f"[{status}{facts.code}]".replace(" ]", "]") if status or facts.code else ""
        lines = [" ".join(part for part in (facts.method, f"{facts.resource}:", facts.message, code) if part.strip(":"))]
        if facts.inner_message and facts.inner_message not in facts.message:
            lines.append(f"  because: {facts.inner_message}" + (f" [{facts.inner_code}]" if facts.inner_code else ""))
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.unclear:
            lines.append("  note: the write may have taken place before the failure")
        if advice := self.what_to_do():
            lines.append(f"  hint: {advice}")
        if facts.correlation_id:
            lines.append(f"  correlation id: {facts.correlation_id}")
        return "\n".join(lines)


def _rebuilt(kind: type[AzureApiError], facts: Facts, unclear: bool) -> AzureApiError:
    return kind(facts, unclear=unclear)


class NotFoundError(AzureApiError):
    """404 for the resource itself."""

    expected = "an existing resource"
    advice = "Check the id; a resource that was just created may need some seconds before it can be read."


class ScopeNotFoundError(NotFoundError):
    """404 because the subscription, the resource group or the workspace does not exist: nothing follows about the resource."""

    expected = "an existing subscription, resource group and workspace"
    advice = "Check the environment's subscription, resource group and workspace, and that Sentinel is enabled there."


class ConflictError(AzureApiError):
    """409: the request contradicts what exists, for example another workbook with the same display name."""

    expected = "no resource that contradicts this one"
    advice = "Compare with what the workspace has, then plan again."


class EtagConflictError(ConflictError):
    """409 or 412: somebody else wrote the resource after it was read, or an existing one was written without its etag."""

    expected = "the resource as it was when it was read"

    def what_to_do(self) -> str:
        sent = "etag sent: none" if self.facts.etag is None else f"etag sent: {self.facts.etag}"
        return f"Plan again to see what was changed in the workspace, then apply that plan ({sent})."


class ProviderNotRegisteredError(ConflictError):
    """409: the subscription has not registered the resource provider."""

    expected = "a subscription in which the resource provider is registered"
    advice = "Register the provider once (az provider register), then run again."


class TombstoneError(AzureApiError):
    """The id belonged to a rule that was deleted a short while ago; Azure refuses to use it again for about a day."""

    expected = "an id that was not deleted recently"
    advice = "Wait and run again, or give the rule a new id."


class ThrottledError(AzureApiError):
    """429 on every try."""

    expected = "fewer requests than the service allows"

    def what_to_do(self) -> str:
        after = self.facts.retry_after
        return f"Run again {'later' if after is None else f'in {after:g} s'}, with less parallelism; what was done stays done."


class ValidationError(AzureApiError):
    """Azure refuses the content: 400 and its relatives, with Azure's code and message."""

    expected = "content that the service accepts"
    advice = "Correct the content that the message names; nothing was written."


class QueryRejectedError(ValidationError):
    """The service ran or read the query and refuses it, for example because a table does not exist in this workspace."""

    expected = "a query that runs in this workspace"
    advice = "Check that the tables, columns and functions of the query exist in this workspace."

    @property
    def transient(self) -> bool:
        """Whether the service only does not know the workspace yet, which was made a minute ago: the same works later."""
        text = f"{self.facts.message} {self.facts.inner_message}".lower()
        return "workspace" in text and "could not be found" in text


class AuthenticationError(AzureApiError):
    """401, or no token could be had."""

    expected = "a signed-in identity"
    advice = "Sign in (az login, a federated identity in CI, or AZURE_* variables) for the tenant of the subscription."


class AuthorizationError(AzureApiError):
    """403: the identity lacks a role."""

    expected = "an identity with the role for this action"

    def what_to_do(self) -> str:
        roles = " and ".join(self.facts.roles) or "the role that allows the action"
        return f"Assign {roles} on the resource group or workspace; a new assignment needs some minutes."


class TransportError(AzureApiError):
    """No answer: name resolution, connection, TLS, a time-out, a dropped connection."""

    expected = "a reachable endpoint"
    advice = "Check the network, the proxy settings and the cloud's name, then run again."


class UnavailableError(AzureApiError):
    """5xx on every try."""

    expected = "a service that answers"
    advice = "Run again; what was done stays done."


class ProtocolError(AzureApiError):
    """An answer that the API's description does not allow; also a link to another host, to which no token is sent."""

    expected = "an answer as the API describes it"
    advice = "Check that the endpoint is Azure and that no proxy rewrites answers."


class OperationFailedError(AzureApiError):
    """A long-running operation ended without success."""

    expected = "an operation that succeeds"
    advice = "Read the resource's state in the workspace, then run again."


class CancelledError(AzureApiError):
    """The run was stopped (Ctrl-C): this call was not started, or not tried again."""

    expected = "a run that is not stopped"
    advice = "Run again; what was done stays done."
