"""`toolkit query`: recorded logs in a folder, and the three forms of the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Toolkit

Write = Callable[..., Path]

_ROWS = [
    {"TimeGenerated": "2026-03-02T09:10:00.1234567Z", "UserPrincipalName": "alice@contoso.com", "ResultType": "0"},
    {"TimeGenerated": "2026-03-02T09:20:00Z", "UserPrincipalName": "bob, the second\tline\n", "ResultType": "0"},
]


@pytest.fixture
def data(write: Write) -> Path:
    write("data/SigninLogs.jsonl", "".join(json.dumps(row) + "\n" for row in _ROWS))
    write("data/Mine_CL/2026/part.csv", "TimeGenerated,Text_s\n2026-03-02T09:00:00Z,x\n")
    return Path("data")


def test_a_table_with_all_digits_of_a_time(toolkit: Toolkit, data: Path) -> None:
    ran = toolkit("query", "SigninLogs | project TimeGenerated, UserPrincipalName, N = 1.5, B = true, D = dynamic([1])", "--data", "data")
    assert ran.out.splitlines() == [
        "TimeGenerated                 UserPrincipalName        N    B     D",
        "----------------------------  -----------------------  ---  ----  ---",
        "2026-03-02T09:10:00.1234567Z  alice@contoso.com        1.5  true  [1]",
        r"2026-03-02T09:20:00.0000000Z  bob, the second\tline\n  1.5  true  [1]",
    ]
    assert (ran.code, ran.err) == (0, "2 rows\n")


def test_csv_and_json(toolkit: Toolkit, data: Path) -> None:
    query = "SigninLogs | where UserPrincipalName has 'bob' | project TimeGenerated, UserPrincipalName"
    assert toolkit("query", query, "--data", "data", "--format", "csv").out == (
        'TimeGenerated,UserPrincipalName\n2026-03-02T09:20:00.0000000Z,"bob, the second\tline\n"\n'
    )
    rows = json.loads(toolkit("query", query, "--data", "data", "--format", "json").out)
    assert rows == [{"TimeGenerated": "2026-03-02T09:20:00.0000000Z", "UserPrincipalName": "bob, the second\tline\n"}]


def test_the_clock_and_the_window(toolkit: Toolkit, data: Path) -> None:
    assert toolkit("query", "print now()", "--data", "data", "--now", "2026-03-02T10:00:00+01:00", "--format", "csv").out == (
        "print_0\n2026-03-02T09:00:00.0000000Z\n"
    )
    window = ("--start", "2026-03-02T09:10:00.2Z", "--end", "2026-03-02T09:20:00Z")
    assert toolkit("query", "SigninLogs | count", "--data", "data", *window, "--format", "csv").out == "Count\n1\n"


def test_a_folder_named_after_its_table(toolkit: Toolkit, data: Path) -> None:
    assert toolkit("query", "Mine_CL | project Text_s", "--data", "data", "--format", "csv").out == "Text_s\nx\n"


def test_functions_and_watchlists_of_the_project(toolkit: Toolkit, data: Path, write: Write) -> None:
    write("toolkit.yaml", "{}\n")
    write("detections/a/functions/Good.yaml", "FunctionAlias: Good\nFunctionQuery: SigninLogs | where ResultType == '0'\n")
    write("detections/a/watchlists/People.csv", "SearchKey\nalice@contoso.com\n")
    query = "Good | where UserPrincipalName in ((_GetWatchlist('People') | project SearchKey)) | count"
    assert toolkit("query", query, "--data", "data", "--format", "csv").out == "Count\n1\n"


def test_a_broken_line_is_refused_or_counted(toolkit: Toolkit, data: Path, write: Write) -> None:
    write("data/SigninLogs.broken.jsonl", '{"ResultType": "1"}\n{"ResultType": \n')
    ran = toolkit("query", "SigninLogs | count", "--data", "data", "--format", "csv")
    assert ran.code == 3
    assert "data/SigninLogs.broken.jsonl:2: error:" in ran.err
    ran = toolkit("query", "SigninLogs | count", "--data", "data", "--format", "csv", "--lenient")
    assert (ran.code, ran.out) == (0, "Count\n3\n")
    assert "SigninLogs: 1 records left out, 3 read." in ran.err


def test_one_file_is_data_too(toolkit: Toolkit, write: Callable[..., Path]) -> None:
    write("data/SigninLogs.one.jsonl", '{"TimeGenerated": "2026-03-02T09:00:00Z"}\n')
    write("data/SigninLogs.two.jsonl", '{"TimeGenerated": "2026-03-02T09:00:00Z"}\n')
    ran = toolkit("query", "SigninLogs | count", "--data", "data/SigninLogs.one.jsonl", "--format", "csv")
    assert (ran.code, ran.out) == (0, "Count\n1\n")


@pytest.mark.parametrize(
    ("query", "args", "code", "words"),
    [
        ("SigninLog | count", (), 1, "Did you mean 'SigninLogs'"),
        ("SigninLogs | where", (), 1, "query:1:"),
        ("SigninLogs | wher x", (), 1, "Did you mean 'where'"),
        ("print 1", ("--data", "nosuch"), 3, "no such folder"),
        (
            "range A from 1 to 99999 step 1 | extend K = 1 | join kind=inner (range B from 1 to 999999 step 1 | extend K = 1) on K | count",
            ("--time-limit", "0.1"),
            1,
            "0.1 seconds",
        ),
    ],
)
def test_what_does_not_run(toolkit: Toolkit, data: Path, query: str, args: tuple[str, ...], code: int, words: str) -> None:
    ran = toolkit("query", query, "--data", "data", *args)
    assert ran.code == code
    assert words in ran.out + ran.err
    assert "Traceback" not in ran.err


def test_several_results_one_after_the_other(toolkit: Toolkit, data: Path) -> None:
    query = "SigninLogs | fork (count) Bobs = (where UserPrincipalName has 'bob' | project ResultType)"
    ran = toolkit("query", query, "--data", "data")
    assert ran.out.splitlines() == ["Count", "-----", "2", "", "Bobs:", "ResultType", "----------", "0"]
    assert ran.err == "1 row\n1 row\n"
    assert toolkit("query", query, "--data", "data", "--format", "csv").out == "Count\n2\n\nResultType\n0\n"
    found = json.loads(toolkit("query", query, "--data", "data", "--format", "json").out)
    assert found == [{"name": "", "rows": [{"Count": 2}]}, {"name": "Bobs", "rows": [{"ResultType": "0"}]}]


@pytest.mark.parametrize("rows", [0, 9_999, 10_000, 10_001, 25_000])
def test_a_large_answer_is_written_in_pieces_and_whole(toolkit: Toolkit, rows: int) -> None:
    query = f"range x from 1 to {rows} step 1 | extend c = 1"
    found = {form: toolkit("query", query, "--format", form).out for form in ("json", "csv", "table")}
    assert json.loads(found["json"]) == [{"x": number, "c": 1} for number in range(1, rows + 1)]
    assert found["csv"].splitlines()[1:] == [f"{number},1" for number in range(1, rows + 1)]
    width = max(1, len(str(rows)) if rows else 1)
    assert found["table"].splitlines()[2:] == [f"{number:<{width}}  1" for number in range(1, rows + 1)]


def test_data_are_needed_only_for_tables(toolkit: Toolkit) -> None:
    assert toolkit("query", "range x from 1 to 2 step 1 | summarize s = sum(x)", "--format", "csv").out.split() == ["s", "3"]
    ran = toolkit("query", "let T = SigninLogs; union T, (print x = 1) | where 'a' in ((AuditLogs | project OperationName))")
    assert ran.code == 2
    assert "The query reads AuditLogs, SigninLogs. Missing option '--data'" in ran.err
    assert toolkit("query", "SigninLog | count").code == 1


def _write_parquet(path: Path, rows: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"TimeGenerated": ["2026-03-02T09:10:00Z"] * rows, "Count_d": [float(n) for n in range(rows)]}), path)


def test_files_in_place(toolkit: Toolkit, data: Path) -> None:
    for name in ("SigninLogs.jsonl", "Mine_CL/2026/part.csv"):
        (data / name).unlink()
    _write_parquet(Path("data/Door_CL/Day=2026-03-02/x.parquet"), 5)
    query = "Door_CL | where TimeGenerated > ago(1d) | summarize sum(Count_d), take_any(Day)"
    ran = toolkit("query", query, "--now", "2026-03-02T12:00:00Z", "--data", "data", "--format", "csv", "--in-place")
    assert (ran.code, ran.out) == (0, "sum_Count_d,Day\n10.0,2026-03-02T00:00:00.0000000Z\n")
    assert "Door_CL: 1 file, 0.0 MiB, 5 rows, read in place." in ran.err


def test_large_tables_are_read_in_place_where_that_can_be(toolkit: Toolkit, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.cli.data.IN_PLACE_BYTES", 100)
    _write_parquet(Path("data/Door_CL/x.parquet"), 5)
    (data / "Mine_CL" / "2026" / "more.csv").write_text("Text_s\n" + "x" * 200 + '\n"two\nlines"\n', encoding="utf-8")
    ran = toolkit("query", "union Door_CL, Mine_CL | count", "--data", "data", "--format", "csv")
    assert (ran.code, ran.out) == (0, "Count\n8\n")
    assert "Door_CL: 1 file" in ran.err
    assert "Mine_CL: cannot be read in place and is loaded: " in ran.err
    strict = toolkit("query", "Mine_CL | count", "--data", "data", "--in-place")
    assert (strict.code, strict.out) == (3, "")
    assert "ingest the file" in strict.err
    both = toolkit("query", "Mine_CL | count", "--data", "data", "--in-place", "--lenient")
    assert both.code == 2
