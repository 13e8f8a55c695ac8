"""What the tests with Microsoft's own clients share: a credential, the options of a client, a rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy

from tests.azure_server.server import AzureServer

RULE = "11111111-0000-0000-0000-000000000001"
BOOK = "22222222-0000-0000-0000-000000000001"
GROUP = "rg-soc"
TABLES = {
    "SigninLogs": {"TimeGenerated": "datetime", "User": "string", "Score": "real", "Details": "dynamic", "Took": "timespan"},
}


class FakeCredential:
    """A token that the local server takes."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("local", 4_000_000_000)


class Token(SansIOHTTPPolicy):  # type: ignore[type-arg]  # generic only in the stubs
    """Sets the header by itself: the usual policy refuses plain http."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.http_request.headers["Authorization"] = "Bearer local"


def options(server: AzureServer) -> dict[str, Any]:
    return {"base_url": server.url, "authentication_policy": Token(), "polling_interval": 0, "retry_backoff_factor": 0}


def scheduled(**changes: Any) -> Any:
    """A rule; 2.0.0b4 sends no kind unless it is told, although its class is that of a kind."""
    models = pytest.importorskip("azure.mgmt.securityinsight.models")
    properties = {
        "display_name": "Rule",
        "enabled": True,
        "severity": "High",
        "query": "SigninLogs | where User == 'a'",
        "query_frequency": timedelta(hours=1),
        "query_period": timedelta(days=1),
        "trigger_operator": "GreaterThan",
        "trigger_threshold": 0,
        "suppression_enabled": False,
        "suppression_duration": timedelta(hours=5),
        "techniques": ["T1110"],
        "sub_techniques": ["T1110.001"],
    }
    return models.ScheduledAlertRule(kind="Scheduled", properties=models.ScheduledAlertRuleProperties(**{**properties, **changes}))
