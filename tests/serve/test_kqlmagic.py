"""Kqlmagic, unmodified, with both of its connections. It needs 500 MB, so it is only there after `make test-kqlmagic`."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts.notebooks import NOTEBOOKS, executed
from tests.serve.conftest import Serving

PYTHON = os.environ.get("TOOLKIT_KQLMAGIC_PYTHON", "")
CLIENT = Path(__file__).with_name("kqlmagic_client.py")


pytestmark = pytest.mark.skipif(not PYTHON, reason="Kqlmagic is not installed: make test-kqlmagic")


def test_kqlmagic_connects_to_kusto_and_to_log_analytics(serving: Serving, tmp_path: Path) -> None:
    wire = serving()
    environment = {**os.environ, "HOME": str(tmp_path), "KQLMAGIC_LOAD_MODE": "silent"}
    done = subprocess.run(
        [PYTHON, str(CLIENT), wire.server.url], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert [row[:3] for row in found["kusto"]] == [
        ["0", "b0", "2026-03-02 00:30:00+00:00"],
        ["1", "b1", "2026-03-02 01:30:00+00:00"],
    ]
    assert (found["logs"], found["chart"]) == ([["0", "5"], ["5", "5"]], "piechart")
    assert found["fork"] == [[["10"]], [["0"], ["1"]]]
    asked = [(access.path, access.status) for access in wire.accesses]
    assert ("/v1/rest/mgmt", 200) in asked
    assert ("/v2/rest/query", 200) in asked
    assert asked[-1] == ("/v1/workspaces/any/query", 400)


def found_by(path: str, rows: str) -> tuple[dict[str, Any], list[Any]]:
    """The rows that a notebook has found, by variable, and its cells. `rows`: those of `result`, in its Python."""
    names = ("created", "session", "from_address", "later")
    code = f"import json\nprint(json.dumps({{name: {rows} for name in {names} for result in [globals()[name]]}}, default=str))"
    *cells, last = executed(NOTEBOOKS / path, code, Path(PYTHON)).cells
    return json.loads(last.outputs[-1].text), cells


# A kernel warns about its connection, asyncio about the event loop of the process: neither is about the notebook.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning", "ignore::ResourceWarning")
def test_its_notebook_finds_what_the_other_one_finds() -> None:
    found, cells = found_by("kqlmagic/aws-root-activity.ipynb", "[result[row] for row in range(len(result))]")
    expected, _ = found_by("aws-root-activity.ipynb", "result.to_dicts()")
    assert {name: len(rows) for name, rows in found.items()} == {"created": 1, "session": 6, "from_address": 1, "later": 1}
    assert found == expected

    ran = [cell for cell in cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in ran] == list(range(1, len(ran) + 1))
    shown = [output for cell in ran for output in cell.outputs]
    html = "\n".join(output.data.get("text/html", "") for output in shown if "data" in output)
    assert "#b94a48" not in html, "Kqlmagic shows what failed in this colour, and goes on"
    charts = [
        output.data["application/vnd.plotly.v1+json"] for output in shown if "application/vnd.plotly.v1+json" in output.get("data", {})
    ]
    assert [(chart["layout"]["title"]["text"], chart["data"][0]["type"]) for chart in charts] == [
        ("Who was active, by hour", "bar"),
        ("Where the day's events came from", "pie"),
    ]
    assert [sum(filter(None, bar["y"])) for bar in charts[0]["data"] if bar["name"].startswith("root itself")] == [len(found["session"])]
    assert ran[-1].outputs[0].text.splitlines() == [
        "Root did ConsoleLogin, DescribeInstances, ListUsers, CreateUser, CreateAccessKey, StopLogging in 0:03:55, from 198.51.100.23.",
        "198.51.100.23 was used by nobody else.",
        "testuser1 has done nothing so far.",
        "Root stopped the trail: what came after it is not in these logs.",
    ]
