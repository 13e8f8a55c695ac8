"""A notebook's shell in this process, in a project with logs, and what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

LOGS = """{"TimeGenerated": "2026-03-02T10:00:00Z", "UserPrincipalName": "alice@contoso.com", "ResultType": "0", "IPAddress": "192.0.2.1"}
{"TimeGenerated": "2026-03-02T11:00:00Z", "UserPrincipalName": "bob@contoso.com", "ResultType": "50126", "IPAddress": "192.0.2.2"}
{"TimeGenerated": "2026-03-02T12:00:00Z", "UserPrincipalName": "bob@contoso.com", "ResultType": "50126", "IPAddress": "192.0.2.2"}
"""
FUNCTION = """id: 11111111-1111-1111-1111-000000000001
Function: {Title: Failed, Version: '1.0.0', LastUpdated: '2026-03-02'}
Category: Sentinel Parsers
FunctionName: FailedSignIns
FunctionAlias: FailedSignIns
FunctionQuery: SigninLogs | where ResultType != "0"
"""


@dataclass
class Cell:
    """What running a cell gave."""

    ok: bool
    result: Any
    error: BaseException | None
    html: list[str]
    text: str


@dataclass
class Notebook:
    shell: InteractiveShell
    shown: list[str] = field(default_factory=list)

    def run(self, text: str) -> Cell:
        with capture_output() as captured:
            done: Any = self.shell.run_cell(text)  # type: ignore[no-untyped-call]  # IPython is not typed
        html = [each.data["text/html"] for each in captured.outputs if "text/html" in each.data]
        return Cell(done.success, done.result, done.error_in_exec or done.error_before_exec, html, captured.stdout)

    def complete(self, text: str) -> list[str]:
        from IPython.core.completer import provisionalcompleter

        with provisionalcompleter():
            return [each.text for each in self.shell.Completer.completions(text, len(text))]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one function and a folder of logs, as the current folder."""
    (tmp_path / "toolkit.yaml").write_text("content: {functions: ['functions/*.yaml']}\n")
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "FailedSignIns.yaml").write_text(FUNCTION)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "SigninLogs.jsonl").write_text(LOGS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def notebook(folder: Path) -> Iterator[Notebook]:
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    found = Notebook(shell)
    assert found.run("%load_ext toolkit").ok
    yield found
    assert found.run("%unload_ext toolkit").ok
    assert not found.run("%kql print 1").ok
    InteractiveShell.clear_instance()


@pytest.fixture
def loaded(notebook: Notebook) -> Callable[[str], Cell]:
    """Cells of a notebook that works on the logs."""
    assert notebook.run("%kql --data logs --now 2026-03-03T00:00:00Z").ok
    return notebook.run
