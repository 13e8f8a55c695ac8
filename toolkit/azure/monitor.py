"""azure-monitor-query (the extra `[azure]`) on this project's wire.

Microsoft's client writes the requests of queries and batches; its pipeline is the `Wire`, so that everything the wire promises
holds for them too. The answers are read from their JSON by `toolkit.azure.logs`: the client's own rows have lost the seventh digit
of times, and it fails on answers that lack what it expects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from azure.core.rest import HttpRequest

from toolkit.azure.errors import AzureApiError, Facts
from toolkit.azure.pipeline import Answer, Call, Wire


class MissingQueryClientError(AzureApiError):
    """azure-monitor-query is not installed, or older than version 2."""

    expected = "the package azure-monitor-query, version 2"
    advice = "Install the toolkit with its extra: pip install 'toolkit[azure]'."


@dataclass
class _Sent:
    """One request on its way through Microsoft's client: what the wire has to know, what the client reads, what came back."""

    call: Call
    shown: Mapping[str, Any]
    answer: Answer | None = None


class _WirePipeline:
    """What azure-core calls a pipeline. The wire raises its typed errors straight through the client."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def run(self, request: HttpRequest, *, sent: _Sent, **_options: Any) -> Any:
        sent.answer = self._wire.send(request, sent.call)
        # The client converts what it sees: it is shown an empty answer, and the real one is read elsewhere.
        response = SimpleNamespace(status_code=200, headers={}, json=lambda: dict(sent.shown))
        return SimpleNamespace(http_request=request, http_response=response, context={})


class MonitorQuery:
    """Queries through `azure.monitor.query.LogsQueryClient`. MissingQueryClientError at the first one when it is not installed."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    @cached_property
    def _module(self) -> Any:
        try:
            import azure.monitor.query as module
        except ImportError:
            raise MissingQueryClientError(Facts("queries need the package azure-monitor-query, which is not installed")) from None
        # Version 1 has clients of the same names that are made in another way; metrics left the package with version 2.
        if hasattr(module, "MetricsQueryClient"):
            raise MissingQueryClientError(Facts("queries need version 2 of the package azure-monitor-query, an older one is installed"))
        return module

    @cached_property
    def _client(self) -> Any:
        # The wire signs: the client gets an object that it never asks for a token.
        return self._module.LogsQueryClient(object(), endpoint=self._wire.endpoint, pipeline=_WirePipeline(self._wire))

    def query(self, place: Mapping[str, str], query: str, call: Call, **options: Any) -> Answer:
        """One query; `place` is `workspace_id` or `resource_id`, `options` are those of the client's methods."""
        sent = _Sent(call, {"tables": []})
        send = self._client.query_workspace if "workspace_id" in place else self._client.query_resource
        send(query=query, **place, **options, sent=sent)
        return _answered(sent)

    def item(self, workspace: str, query: str, timespan: str | None, **options: Any) -> Any:
        """A query of a batch; its `id` is that of its answer."""
        found = self._module.LogsBatchQuery(workspace, query, timespan=None, **options)
        found.body["timespan"] = timespan
        return found

    def batch(self, items: Sequence[Any], call: Call) -> Answer:
        """Queries that `item` made, in one request."""
        sent = _Sent(call, {"responses": [{"id": each.id, "status": 200, "body": {"tables": []}} for each in items]})
        self._client.query_batch(items, sent=sent)
        return _answered(sent)


def _answered(sent: _Sent) -> Answer:
    assert sent.answer is not None, "the client sends what it is given"
    return sent.answer
