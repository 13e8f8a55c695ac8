"""What the service refuses in rules and log alerts, with its messages; data in `validators.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.azure_server import AzureServer, Site
from tests.azure_server.wire import Wire
from toolkit import Workspace

_FOLDER = Path(__file__).parent
_BODIES = yaml.safe_load((_FOLDER / "scenarios" / "bodies.yaml").read_text(encoding="utf-8"))
_DATA = yaml.safe_load((_FOLDER / "validators.yaml").read_text(encoding="utf-8"))
_TABLES = {"SigninLogs": {"TimeGenerated": "datetime", "ResultType": "string", "UserPrincipalName": "string", "IPAddress": "string"}}


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    tables = {**_TABLES, "Heartbeat": {"TimeGenerated": "datetime", "Computer": "string"}}
    with AzureServer(Site("soc", Workspace(tables))) as server, Wire(server) as wire:
        yield wire


def _changed(body: str, changes: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = deepcopy(_BODIES[body])
    for name, value in changes.items():
        found["properties"][name] = "x" * value["x"] if isinstance(value, dict) and "x" in value else value
    return found


@pytest.mark.parametrize(("body", "changes", "words"), _DATA["rules"])
def test_rules(wire: Wire, body: str, changes: dict[str, Any], words: str) -> None:
    answer = wire.send("PUT", "@sentinel/alertRules/r1", _changed(body, changes))
    assert (answer.status, answer.body["error"]["code"]) == (400, "BadRequest"), answer
    assert words in answer.body["error"]["message"]
    assert len(wire.server.site().rules) == 0


@pytest.mark.parametrize(("changes", "words"), _DATA["alerts"])
def test_log_alerts(wire: Wire, changes: dict[str, Any], words: str) -> None:
    answer = wire.send("PUT", "@group/providers/Microsoft.Insights/scheduledQueryRules/a", _changed("alert", changes))
    assert (answer.status, answer.body["error"]["code"]) == (400, "BadRequest"), answer
    assert words in answer.body["error"]["message"]
    assert len(wire.server.group().log_alerts) == 0


def test_a_rule_may_use_everything(wire: Wire) -> None:
    properties = {
        "description": "d",
        "subTechniques": ["T1110.001"],
        "alertRuleTemplateName": "t",
        "templateVersion": "1.0.0",
        "eventGroupingSettings": {"aggregationKind": "AlertPerResult"},
        "customDetails": {"Code": "ResultType"},
        "entityMappings": [{"entityType": "IP", "fieldMappings": [{"identifier": "Address", "columnName": "IPAddress"}]}],
        "alertDetailsOverride": {
            "alertDisplayNameFormat": "{{IPAddress}}",
            "alertDynamicProperties": [{"alertProperty": "AlertLink", "value": "x"}],
        },
        "incidentConfiguration": {
            "createIncident": True,
            "groupingConfiguration": {
                "enabled": True,
                "reopenClosedIncident": True,
                "lookbackDuration": "P1D",
                "matchingMethod": "Selected",
                "groupByEntities": ["IP"],
                "groupByAlertDetails": ["DisplayName"],
                "groupByCustomDetails": ["Code"],
            },
        },
    }
    answer = wire.send("PUT", "@sentinel/alertRules/full", _changed("scheduled", properties))
    assert answer.status == 201, answer
    read = wire.send("GET", "@sentinel/alertRules/full").body["properties"]
    assert {name: read[name] for name in properties if name != "alertDetailsOverride"} == {
        name: value for name, value in properties.items() if name != "alertDetailsOverride"
    }
    assert wire.send("DELETE", "@sentinel/alertRules/full").status == 200
