"""Kqlmagic, unmodified, with both of its connections. It needs 500 MB, so it is only there after `make test-kqlmagic`."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.serve.conftest import Serving

PYTHON = os.environ.get("TOOLKIT_KQLMAGIC_PYTHON", "")
CLIENT = Path(__file__).with_name("kqlmagic_client.py")


@pytest.mark.skipif(not PYTHON, reason="Kqlmagic is not installed: make test-kqlmagic")
def test_kqlmagic_connects_to_kusto_and_to_log_analytics(serving: Serving, tmp_path: Path) -> None:
    wire = serving()
    environment = {**os.environ, "HOME": str(tmp_path)}
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
