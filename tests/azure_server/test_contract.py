"""The numbered behaviours of the content APIs, one scenario each. The scenarios are data: `scenarios/*.yaml`.

A scenario is a list of requests to a fresh server. `PUT: path` sends `body`, or the named body of `bodies.yaml` with `set` (dotted
paths) and `drop` applied. What is checked: `status`, `code` and `error` (words of the message), `has` (dotted path: value; `~`
before a text: it is contained), `lacks` (absent), `nulls` (there and null), `header`, `names` (of a list), `count`.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.azure_server import AzureServer, Behaviour, Site
from tests.azure_server.wire import Answer, Wire
from toolkit import Workspace

_FOLDER = Path(__file__).parent / "scenarios"
_BODIES = yaml.safe_load((_FOLDER / "bodies.yaml").read_text(encoding="utf-8"))
_TABLES = {
    "SigninLogs": {"TimeGenerated": "datetime", "UserPrincipalName": "string", "IPAddress": "string", "ResultType": "string"},
    "Heartbeat": {"TimeGenerated": "datetime", "Computer": "string"},
}
_METHODS = ("GET", "PUT", "PATCH", "DELETE", "POST", "HEAD")
_ABSENT = object()


def _scenarios() -> Iterator[Any]:
    for path in sorted(_FOLDER.glob("*.yaml")):
        if path.stem != "bodies":
            for scenario in yaml.safe_load(path.read_text(encoding="utf-8")):
                yield pytest.param(scenario, id=f"{path.stem}: {scenario['title']}")


@pytest.mark.parametrize("scenario", list(_scenarios()))
def test_contract(scenario: dict[str, Any]) -> None:
    options = dict(scenario.get("behaviour") or {})
    if "tombstone" in options:
        options["tombstone"] = timedelta(hours=options["tombstone"])
    with AzureServer(Site("soc", Workspace(_TABLES)), behaviour=Behaviour(**options)) as server, Wire(server) as wire:
        server.site().templates.put("t1", {"name": "t1", "kind": "Scheduled", "properties": {"displayName": "A template"}})
        server.site().templates.put("t2", {"name": "t2", "kind": "NRT", "properties": {"displayName": "A fast template"}})
        saved: dict[str, str] = {}
        for number, step in enumerate(scenario["steps"], 1):
            _run(server, wire, step, saved, f"step {number}")


def _run(server: AzureServer, wire: Wire, step: dict[str, Any], saved: dict[str, str], where: str) -> None:
    if "advance" in step:
        server.clock.advance(**step["advance"])
        return
    if "edit" in step:
        server.edit_rule(step["edit"], **step["set"])
        return
    method = next(name for name in _METHODS if name in step)
    headers = {name: _filled(value, saved) for name, value in (step.get("headers") or {}).items()}
    answer = wire.send(method, _filled(step[method], saved), _body(step, saved), headers, version=step.get("version"))
    shown = f"{where}: {method} {step[method]} -> {answer.status} {answer.body}"
    assert answer.status == step.get("status", 200), shown
    _check(answer, step, saved, shown)
    for name, path in (step.get("save") or {}).items():
        saved[name] = answer.headers[path[1:]] if path.startswith("^") else _at(answer.body, path)


def _filled(text: Any, saved: dict[str, str]) -> Any:
    return saved[text[1:]] if isinstance(text, str) and text.startswith("$") else text


def _body(step: dict[str, Any], saved: dict[str, str]) -> Any:
    found = step.get("body")
    body: Any = deepcopy(_BODIES[found]) if isinstance(found, str) and found in _BODIES else found
    for path, value in (step.get("set") or {}).items():
        parent, last = _parent(body, path)
        parent[last] = "x" * value["x"] if isinstance(value, dict) and "x" in value else _filled(value, saved)
    for path in step.get("drop") or ():
        parent, last = _parent(body, path)
        del parent[last]
    return body


def _parent(body: Any, path: str) -> tuple[Any, str]:
    *parents, last = path.split(".")
    for name in parents:
        body = body.setdefault(name, {})
    return body, last


def _at(body: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(body, list):
            body = body[int(part)] if part.isdigit() and int(part) < len(body) else _ABSENT
        else:
            body = body.get(part, _ABSENT) if isinstance(body, dict) else _ABSENT
    return body


def _check(answer: Answer, step: dict[str, Any], saved: dict[str, str], shown: str) -> None:
    if "code" in step:
        assert _at(answer.body, "error.code") == step["code"], shown
    if "error" in step:
        assert step["error"] in _at(answer.body, "error.message"), shown
    for path, value in (step.get("has") or {}).items():
        found, expected = _at(answer.body, path), _filled(value, saved)
        contained = isinstance(expected, str) and expected.startswith("~")
        assert expected[1:] in str(found) if contained else found == expected, f"{path}: {found!r}; {shown}"
    for path in step.get("lacks") or ():
        assert _at(answer.body, path) is _ABSENT, f"{path}; {shown}"
    for path in step.get("nulls") or ():
        assert _at(answer.body, path) is None, f"{path}; {shown}"
    for name, value in (step.get("header") or {}).items():
        assert value in answer.headers.get(name, "(absent)"), f"{name}: {answer.headers}; {shown}"
    if "names" in step:
        assert [item["name"] for item in answer.body["value"]] == step["names"], shown
    if "count" in step:
        assert len(answer.body["value"]) == step["count"], shown
