"""`%kql` and `%%kql` on recorded logs: results, variables, settings, errors."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jupyter.conftest import LOGS, Cell, Notebook
from toolkit.engine.result import Result
from toolkit.jupyter.hunt import Hunt
from toolkit.jupyter.magic import in_background
from toolkit.jupyter.options import MagicError, Settings, read_line

Run = Callable[[str], Cell]


def test_a_cell_gives_a_result_that_is_shown_and_kept(loaded: Run) -> None:
    cell = loaded("%%kql -o failed\nFailedSignIns\n| summarize n = count() by UserPrincipalName")
    assert isinstance(cell.result, Result)
    assert cell.result.rows() == [("bob@contoso.com", 2)]
    assert loaded("failed.to_dicts()").result == [{"UserPrincipalName": "bob@contoso.com", "n": 2}]
    html = cell.result._repr_html_()
    assert "bob@contoso.com" in html
    assert "<small>long</small>" in html


def test_a_line_is_an_expression(loaded: Run) -> None:
    assert loaded("found = %kql SigninLogs | where IPAddress == \"192.0.2.1\" | project t = 'a b'").ok
    assert loaded("found.rows()").result == [("a b",)]
    assert loaded("%kql --quiet -o n print n = 1").result is None
    assert loaded("n.rows()").result == [(1,)]


def test_settings_are_kept_and_shown(notebook: Notebook) -> None:
    shown = notebook.run("%kql --data logs --now 2026-03-02T12:30:00Z --start 2026-03-02T10:30:00Z")
    text = " ".join(shown.html)
    assert "Queries run on recorded logs: logs, rows after 2026-03-02 10:30:00Z. now() is 2026-03-02 12:30:00Z." in text
    assert "SigninLogs" in text
    assert notebook.run("%kql SigninLogs | where TimeGenerated > ago(1h) | count").result.rows() == [(1,)]
    assert notebook.run("%kql SigninLogs | count").result.rows() == [(2,)]
    assert notebook.run("%kql --start None SigninLogs | count").result.rows() == [(3,)]


def test_a_python_variable_becomes_a_let_with_its_type(loaded: Run) -> None:
    loaded("""who = 'bob" or 1 == 1'\nusers = ['alice@contoso.com', "bob@contoso.com"]""")
    assert loaded("%%kql --let who\nSigninLogs | where UserPrincipalName == who | count").result.rows() == [(0,)]
    assert loaded("%%kql --let users\nSigninLogs | where UserPrincipalName in (users) | count").result.rows() == [(3,)]
    wrong = loaded("%%kql --let users --let nobody\nprint 1")
    assert str(wrong.error) == "--let: there is no Python variable nobody"
    loaded("thing = object()")
    assert "--let thing" in str(loaded("%%kql --let thing\nprint 1").error)


def test_files_that_change_are_read_again(loaded: Run, folder: Path) -> None:
    assert loaded("%kql SigninLogs | count").result.rows() == [(3,)]
    file = folder / "logs" / "SigninLogs.jsonl"
    file.write_text(LOGS * 2)
    os.utime(file, (1, 1))
    assert loaded("%kql SigninLogs | count").result.rows() == [(6,)]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (
            "%%kql\nSigninLogs\n| where ResultTyp == '0'",
            r"cell:3:9: error: The name 'ResultTyp' does not refer.*\n  3 \| \| where ResultTyp == '0'",
        ),
        ("%kql SigninLogs | summarise n = count()", r"query:1:14: error: Expected an operator after '\|', found 'summarise'"),
        ("%%kql --let x\nprint y", r"cell:2:7: error: The name 'y' does not refer"),
        ("%%kql --nosuch\nprint 1", r"%%kql: unrecognized arguments: --nosuch\nusage: %%kql"),
        ("%%kql print 1\nprint 2", r"expected options, found 'print 1'. The query begins on the next line"),
        ("%kql --now yesterday print 1", r"--now: expected a time such as 2026-03-02T10:00:00Z, found 'yesterday'"),
        ("%kql --data nowhere", r"--data nowhere: error: no such file or folder, seen from /"),
        ("%kql --data logs/None.jsonl", r"--data logs/None.jsonl: error: no such file or folder"),
        (
            "%kql --data logs --data functions/empty",
            r"--data functions/empty: error: no logs in this folder. Files are named after their table",
        ),
        ("%%kql --data functions/empty\nSigninLogs | count", r"no logs in this folder"),
        ("%kql -o 1x print 1", r"-o: expected the name of a Python variable, found '1x'"),
        ("%kql -o class print 1", r"-o: expected the name of a Python variable, found 'class'"),
        ("%kql --env prod print 1", r"There is no environment 'prod'"),
    ],
)
def test_what_is_wrong_is_said_in_the_cell(loaded: Run, folder: Path, cell: str, said: str) -> None:
    (folder / "functions" / "empty").mkdir()
    loaded("x = 1")
    done = loaded(cell)
    assert not done.ok
    assert isinstance(done.error, MagicError)
    assert re.search(said, str(done.error)), str(done.error)
    assert "Traceback" not in done.text


def test_the_error_that_is_shown_is_the_code_frame(loaded: Run) -> None:
    error = loaded("%%kql\nSigninLogs | wher 1").error
    assert isinstance(error, MagicError)
    lines = error._render_traceback_()
    assert lines[0].startswith("cell:2:14: \x1b[1;31merror:\x1b[0m Expected an operator")
    assert lines[2] == "    |              ^^^^"


def test_a_query_without_logs_says_so(notebook: Notebook) -> None:
    assert notebook.run("%kql print n = 1").result.rows() == [(1,)]
    error = notebook.run("%kql SigninLogs | count").error
    assert "The query reads SigninLogs, and there are no logs. Say where they are: %kql --data DIR" in str(error)


@pytest.mark.parametrize(
    ("line", "given", "rest"),
    [
        ("", {}, ""),
        ("print 'a  b'", {}, "print 'a  b'"),
        ('--env prod T | where a == "x y"', {"env": "prod"}, 'T | where a == "x y"'),
        ("--env None --data 'my logs' -q T", {"env": None, "data": ("my logs",)}, "T"),
        ("--timeout=3 --lenient T | take 1", {"timeout": 3.0, "lenient": True}, "T | take 1"),
        ("-o x let y = 1; print y", {}, "let y = 1; print y"),
    ],
)
def test_options(line: str, given: dict[str, object], rest: str) -> None:
    found = read_line(line)
    assert (found.given, found.rest) == (given, rest)


def test_work_that_is_interrupted_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    import _thread

    stopped = threading.Event()

    def work() -> int:
        _thread.interrupt_main()
        assert stopped.wait(20)
        return 1

    with pytest.raises(MagicError, match="Stopped"):
        in_background(work, stopped.set)


def test_a_long_query_says_that_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    from toolkit.jupyter import magic

    class Shown:
        texts: list[str] = []

        def update(self, html: object) -> None:
            self.texts.append(html.data)  # type: ignore[attr-defined]

    enough = threading.Event()

    def display(html: object, display_id: bool = False) -> Shown:
        Shown.texts.append(html.data)  # type: ignore[attr-defined]
        enough.set()
        return Shown()

    monkeypatch.setattr(magic, "_SILENCE", 0.01)
    monkeypatch.setattr(magic, "_BETWEEN", 0.01)
    monkeypatch.setattr(magic, "_display", display)
    assert in_background(lambda: enough.wait(20), lambda: None) is True
    assert "running for 0 s" in Shown.texts[0]
    assert Shown.texts[-1] == ""


def test_the_interrupt_reaches_the_engine(folder: Path) -> None:
    hunt = Hunt(folder)
    settings = Settings()
    hunt.workspace(settings)
    timer = threading.Timer(0.5, hunt.interrupt)
    timer.start()
    endless = "range a from 1 to 100000 step 1 | extend k = 1 | as T | join kind=inner T on k | summarize dcount(a + a1) by a % 10"
    with pytest.raises(MagicError, match="the query was stopped"):
        hunt.run(endless, settings)
    timer.join()
    hunt.close()


def test_importing_the_library_brings_no_notebook_in() -> None:
    code = "import sys, toolkit; toolkit.Workspace; assert not {'IPython', 'pandas'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
