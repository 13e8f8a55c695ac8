"""`toolkit workbook` as people use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.workbooks.making import query, tabs, write
from toolkit.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


def _run(*arguments: str) -> tuple[int, str]:
    from toolkit.cli.workbook import command

    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return int(result.return_value or 0), result.output


def test_one_file_for_a_pull_request(tmp_path: Path) -> None:
    book, logs = ROOT / "workbooks" / "detection-health.json", ROOT / "detections" / "health" / "samples"
    code, output = _run("preview", str(book), "--data", str(logs), "--now", "2026-03-03T00:00:00Z", "--html", str(tmp_path / "out.html"))
    assert code == 0, output
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "Zscaler ZPA - client from two countries" in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")


def test_a_query_that_fails_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "Heartbeat.jsonl").write_text('{"TimeGenerated":"2026-03-02T00:00:00Z","Computer":"a"}\n', encoding="utf-8")
    book = write(tmp_path, [query("Heartbeat | where Computr == 'a'", title="Machines")])
    code, output = _run("preview", str(book), "--data", str(tmp_path / "logs"), "--html", str(tmp_path / "out.html"))
    assert code == 1
    assert "Machines: " in output
    assert "Did you mean 'Computer'" in output


def test_what_is_no_workbook(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]", encoding="utf-8")
    code, output = _run("preview", str(tmp_path / "x.json"), "--data", str(tmp_path), "--html", str(tmp_path / "out.html"))
    assert code == 3
    assert "The file is no workbook" in output


def test_split_and_join(tmp_path: Path) -> None:
    book = write(tmp_path, [tabs("One"), query("Heartbeat\n| count", "All of it")])
    before = json.loads(book.read_text(encoding="utf-8"))
    assert _run("split", str(book)) == (0, f"{book}: 1 query in {tmp_path / 'book'}/\n")
    assert (tmp_path / "book" / "all-of-it.kql").read_text(encoding="utf-8") == "Heartbeat\n| count\n"
    assert json.loads(book.read_text(encoding="utf-8"))["items"][1]["content"]["query"] == {"$file": "book/all-of-it.kql"}
    code, output = _run("join", str(book))
    assert (code, json.loads(output)) == (0, before)


def test_validate_covers_workbooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "toolkit.yaml").write_text("name: mine\n", encoding="utf-8")
    (tmp_path / "workbooks").mkdir()
    write(tmp_path / "workbooks", [query("Heartbeat | where Computr == 'a'")])
    (tmp_path / "workbooks" / "book").mkdir()
    (tmp_path / "workbooks" / "book" / "x.kql").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for arguments in (["validate"], ["validate", "workbooks"], ["validate", "workbooks/book.json"], ["validate", "workbooks/book/x.kql"]):
        monkeypatch.setattr("sys.argv", ["toolkit", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert stopped.value.code == 1
        shown = capsys.readouterr().out
        assert "workbooks/book.json:" in shown
        assert "Did you mean 'Computer'" in shown
        assert "1 workbook;" in shown
