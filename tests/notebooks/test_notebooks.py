"""Every notebook runs from its first cell to its last, finds what the recorded logs hold, and is committed clean."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.notebooks import NOTEBOOKS, NotebookError, all_notebooks, executed

ALL = all_notebooks()
PATHS = [path for path in ALL if path.parent == NOTEBOOKS]
KQLMAGIC = NOTEBOOKS / "kqlmagic" / "aws-root-activity.ipynb"
"""Runs in tests/serve/test_kqlmagic.py."""


def by_name(path: Path) -> str:
    return str(path.relative_to(NOTEBOOKS).with_suffix(""))


def code_of(path: Path) -> list[str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def outputs(notebook: Any) -> dict[str, str]:
    """What each code cell shows, as HTML where there is some."""
    found: dict[str, str] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error", output
            data = output.get("data", {})
            found[cell.id] = found.get(cell.id, "") + (data.get("text/html") or data.get("text/plain") or output.get("text", ""))
    return found


def shown(notebook: Any) -> str:
    return "\n".join(outputs(notebook).values())


def aks(text: str) -> None:
    assert "'mallory@contoso.com'" in text
    assert "aria-label=\"timeline, 12 events\"" in text
    assert "graph, 15 nodes, 20 edges" in text
    assert "cluster-admin" in text


def aws(text: str) -> None:
    assert "('198.51.100.23', '123456789012', 'testuser1')" in text
    assert "timeline, 6 events" in text
    assert "Who was active, by hour" in text
    assert "the address of the case" in text


def netskope(text: str) -> None:
    assert "'contoso.okta.example'" in text
    order = [text.index(f"<td class=\"tk-s\">{host}</td>") for host in ("contoso.okta.example", "login.contoso.com")]
    assert order == sorted(order)
    assert "Do not decrypt contoso.okta.example" in text
    assert "Pinned app: okta verify.exe to contoso.okta.example" in text


def zscaler(text: str) -> None:
    for found in ("Unauthorized", "Service Unavailable", "07:59:49", "timeline, 11 events", "Records that waited at each upload"):
        assert found in text


CHECKS: dict[str, Callable[[str], None]] = {
    "aks-suspicious-binding": aks,
    "aws-root-activity": aws,
    "netskope-failed-sign-in": netskope,
    "zscaler-nss-feed": zscaler,
}


# A kernel warns about its connection, asyncio about the event loop of the process: neither is about the notebook.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("path", PATHS, ids=by_name)
def test_it_runs_and_finds_the_case(path: Path) -> None:
    CHECKS[path.stem](shown(executed(path)))


@pytest.mark.parametrize("path", ALL, ids=by_name)
def test_it_is_committed_without_outputs(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    assert text == json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "write it with one space of indentation"
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    for number, cell in enumerate(notebook["cells"], 1):
        assert cell["id"] == f"cell-{number:02}"
        assert not cell["metadata"]
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("path", PATHS, ids=by_name)
def test_one_cell_switches_it_to_a_workspace(path: Path) -> None:
    sources = code_of(path)
    assert sources[0].startswith("ENV = None")
    assert "%kql --env {ENV} --data " in sources[1]
    assert not [source for source in sources[2:] if re.search(r"--env (?!None)|--data|--now", source)]


def test_one_cell_switches_that_of_kqlmagic_too() -> None:
    first, second, *others = code_of(KQLMAGIC)
    assert re.findall(r"^(?:# )?CONNECTION = \"loganalytics://(\w+)", first, re.MULTILINE) == ["anonymous", "code"]
    assert second.splitlines()[-1] == "%kql {CONNECTION}"
    assert not [source for source in others if "://" in source or "CONNECTION" in source]


def test_without_kqlmagic_its_notebook_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="Kqlmagic is not installed .* `make notebooks` does it"):
        executed(KQLMAGIC, kqlmagic=tmp_path / "python")


def test_every_notebook_is_checked() -> None:
    assert [path.stem for path in PATHS] == sorted(CHECKS)
    assert [path for path in ALL if path not in PATHS] == [KQLMAGIC]
