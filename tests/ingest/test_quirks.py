"""One small file per peculiarity of real exports, and what it must give."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.ingest.support import DATA, cells, ingest, messages
from toolkit.engine.ingest import discover
from toolkit.kql.types import ScalarType, TableSchema

GROUP = "/SUBSCRIPTIONS/00000000-0000-0000-0000-00000000000A/RESOURCEGROUPS/RG-AKS"
RESOURCE = f"{GROUP}/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/AKS-TEST"
RESOURCE_PARTS = {
    "ResourceId": RESOURCE,
    "SubscriptionId": "00000000-0000-0000-0000-00000000000a",
    "ResourceGroup": "RG-AKS",
    "ResourceProvider": "MICROSOFT.CONTAINERSERVICE",
    "ResourceType": "MANAGEDCLUSTERS",
    "Resource": "AKS-TEST",
}

CASES: list[tuple[str, str, list[dict[str, Any]]]] = [
    (
        "portal_utc.csv",
        "AzureActivity",
        [
            {
                "TimeGenerated": "2025-04-21T09:05:54.1230000Z",
                "CallerIpAddress": "198.51.100.7",
                "Caller": "alice@contoso.com",
                "EventSubmissionTimestamp": "2025-04-21T12:00:00.0000000Z",
                "Properties": '{"requestbody":"{\\"a\\":1}"}',
                "Type": "AzureActivity",
            },
            {
                "TimeGenerated": "2025-12-01T23:59:59.9990000Z",
                "CallerIpAddress": "198.51.100.8",
                "Caller": "bob@contoso.com",
                "Properties": 'line one\nline two\twith a tab and "quotes"',
                "Type": "AzureActivity",
            },
        ],
    ),
    (
        "day_first.csv",
        "AWSCloudTrail",
        [
            {
                "TimeGenerated": "2025-04-21T09:45:54.0000000Z",
                "EventName": "ConsoleLogin",
                "RecipientAccountId": "072643944673",
                "UserIdentityAccountId": "072643944673",
                "Type": "AWSCloudTrail",
            },
            {
                "TimeGenerated": "2025-04-03T10:00:00.0000000Z",
                "EventName": "CreateUser",
                "RecipientAccountId": "072643944673",
                "Type": "AWSCloudTrail",
            },
        ],
    ),
    (
        "eastern.json",
        "Syslog",
        [
            {"TimeGenerated": "2025-07-01T12:00:00.0000000Z", "Computer": "dlp01", "SyslogMessage": "summer time is four hours behind"},
            {"TimeGenerated": "2025-01-15T13:00:00.0000000Z", "Computer": "dlp01", "SyslogMessage": "winter time is five hours behind"},
        ],
    ),
    (
        "cef_numbers.json",
        "CommonSecurityLog",
        [
            {
                "TimeGenerated": "2026-03-02T12:00:00.0000000Z",
                "DeviceVendor": "Contoso",
                "SourcePort": 443,
                "DestinationPort": 443,
                "ReceivedBytes": 443,
                "SentBytes": 443,
                "DeviceCustomString1": "-",
                "DeviceAction": "Blocked",
            }
        ],
    ),
    (
        "storage.json",
        "AzureDiagnostics",
        [
            {
                **RESOURCE_PARTS,
                "TimeGenerated": "2025-10-07T16:19:19.6478800Z",
                "Category": "kube-audit",
                "OperationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
                "Cloud_s": "AzureCloud",
                "Environment_s": "prod",
                "ccpNamespace_s": "64f0",
                "serviceBuild_s": "na",
                "log_s": '{"kind":"Event","verb":"create"}',
                "stream_s": "stdout",
                "pod_s": "kube-apiserver-7c9d",
                "containerID_s": "abc",
            },
            {
                **RESOURCE_PARTS,
                "TimeGenerated": "2025-10-07T16:20:00.0000000Z",
                "Category": "guard",
                "log_s": "I1007 guard",
                "retries_d": 3.0,
                "ok_b": True,
            },
        ],
    ),
    (
        "aksaudit_portal.csv",
        "AKSAudit",
        [
            {
                "TimeGenerated": "2026-03-02T09:14:07.1234567Z",
                "AuditId": "a1",
                "Verb": "create",
                "User": '{"username":"masterclient","groups":["system:masters"]}',
                "SourceIps": '["203.0.113.40"]',
                "RequestObject": '"skipped-too-big-size-object"',
            }
        ],
    ),
    (
        "custom_CL.json",
        "Contoso_CL",
        [
            {
                "TimeGenerated": "2026-01-01T00:00:00.0000000Z",
                "id_s": "007",
                "count_d": 3.0,
                "ok_b": True,
                "device_g": "f2a1bd4c-188f-4289-8a9b-c41e5177134d",
                "seen_t": "2026-01-01T01:02:03.0000000Z",
                "plain": "00042",
                "size": 12.0,
                "ratio": 0.5,
                "nested": '{"a":[1,{"b":null}]}',
                "mixed": "1",
            },
            {
                "TimeGenerated": "2026-01-02T00:00:00.0000000Z",
                "id_s": "8",
                "count_d": 4.5,
                "ok_b": False,
                "size": 2.5,
                "ratio": 1.0,
                "nested": "[]",
                "mixed": "one",
                "Internal IP": "192.0.2.1",
            },
        ],
    ),
    (
        "duplicate_keys.json",
        "NCProtectUAL_CL",
        [{"TimeGenerated": "2026-01-01T00:00:00.0000000Z", "Type": "Open", "Type1": "NCProtectUAL_CL"}],
    ),
    (
        "unquoted_extensions.csv",
        "CommonSecurityLog",
        [
            {
                "DeviceVendor": "Contoso",
                "AdditionalExtensions": "cat=Normal Activity,end=1580984363000,reason=login",
                "Type": "CommonSecurityLog",
            }
        ],
    ),
    ("semicolons.csv", "Syslog", [{"TimeGenerated": "2026-01-01T00:00:00.0000000Z", "Computer": "web-0", "SyslogMessage": "one, two"}]),
    ("tabs.tsv", "Syslog", [{"TimeGenerated": "2026-01-01T00:00:00.0000000Z", "Computer": "web-0", "SyslogMessage": "one, two"}]),
    (
        "berlin.csv",
        "Syslog",
        [
            {"TimeGenerated": "2026-04-03T08:00:00.0000000Z", "Computer": "web-0"},
            {"TimeGenerated": "2026-04-03T10:00:00.0000000Z", "Computer": "web-1"},
        ],
    ),
]


@pytest.mark.parametrize(("file", "table", "expected"), CASES, ids=[case[0] for case in CASES])
def test_quirk(file: str, table: str, expected: list[dict[str, Any]]) -> None:
    assert cells(ingest(DATA / file, table)) == expected


def test_spellings_of_time() -> None:
    expected = [
        "2025-10-07T16:19:19.6478800Z",
        "2025-10-07T16:19:19.0000000Z",
        "2025-10-07T14:19:19.0000000Z",
        "2025-10-07T14:19:19.1000000Z",
        "2025-10-07T16:19:19.6470000Z",
        "2025-10-07T16:19:19.0000000Z",
        "2025-10-07T16:19:19.0000000Z",
        "2025-10-07T16:19:19.6470000Z",
        "2025-10-07T16:19:19.5000000Z",
        "2025-10-07T16:19:19.6470000Z",
        "2025-10-07T16:19:19.0000000Z",
        "2025-10-07T16:19:19.0000000Z",
        "2025-10-17T16:19:19.0000000Z",
    ]
    assert [row["TimeGenerated"] for row in cells(ingest(DATA / "times.jsonl", "Contoso_CL"))] == expected


RECORD = '{"TimeGenerated":"2026-01-01T00:00:00Z","Computer":"wéb-0"}'
ROW = {"TimeGenerated": "2026-01-01T00:00:00.0000000Z", "Computer": "wéb-0"}


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("bom.csv", "\ufeffTimeGenerated,Computer\r\n2026-01-01T00:00:00Z,wéb-0\r\n".encode(), 1),
        ("bom.json", f"\ufeff[{RECORD}]".encode(), 1),
        ("utf16.csv", "TimeGenerated,Computer\r\n2026-01-01T00:00:00Z,wéb-0\r\n".encode("utf-16"), 1),
        ("utf16.json", f"[{RECORD}]".encode("utf-16"), 1),
        ("crlf.jsonl", f"{RECORD}\r\n\r\n{RECORD}\r\n".encode(), 2),
        ("no-newline.jsonl", f"{RECORD}\n{RECORD}".encode(), 2),
        ("indented.jsonl", f"\n  {RECORD}\n\t{RECORD}  \n".encode(), 2),
        ("single.json", RECORD.encode(), 1),
        ("pretty.json", RECORD.replace(",", ",\n  ").replace("{", "{\n  ").encode(), 1),
        ("pretty-two.json", (RECORD.replace(",", ",\n  ").replace("{", "{\n") + "\n").encode() * 2, 2),
        ("array.json", f" [{RECORD},\r\n{RECORD}\r\n]\r\n".encode(), 2),
        ("array-in-lines.jsonl", f"[{RECORD},{RECORD}]\n[{RECORD}]\n".encode(), 3),
        ("arrays.json", f"[\n{RECORD}\n]\n[\n{RECORD}\n]\n".encode(), 2),
        ("records.json", f'{{"records":[{RECORD},{RECORD}]}}'.encode(), 2),
        ("records.jsonl", f'{{"records":[{RECORD}]}}\n{{"records":[]}}\n{{"records":[{RECORD}]}}'.encode(), 2),
        ("empty-array.json", b"[]", 0),
        ("header-only.csv", b"TimeGenerated,Computer\n", 0),
        ("blank-lines.csv", "\n\nTimeGenerated,Computer\n\n2026-01-01T00:00:00Z,wéb-0\n,\n\n".encode(), 1),
        ("trailing-delimiters.csv", "TimeGenerated,Computer,,\n2026-01-01T00:00:00Z,wéb-0,,\n".encode(), 1),
        ("UPPER.JSONL", RECORD.encode(), 1),
        ("packed.jsonl.gz", gzip.compress(RECORD.encode()), 1),
        ("packed.csv.gz", gzip.compress("TimeGenerated,Computer\n2026-01-01T00:00:00Z,wéb-0\n".encode()), 1),
        ("packed-unnamed.jsonl", gzip.compress(RECORD.encode()), 1),
        ("packed.jsonl.zst", pa.compress(RECORD.encode(), "zstd", asbytes=True), 1),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_shape(tmp_path: Path, name: str, content: bytes, rows: int) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert cells(ingest(path, "Syslog")) == [ROW] * rows


def test_a_key_that_differs_by_case_gives_way_to_the_exact_one() -> None:
    record = {"CallerIpAddress": "192.0.2.1", "CallerIPAddress": "192.0.2.2", "CALLER": "alice@contoso.com"}
    result = ingest([record], "AzureActivity")
    assert cells(result) == [{"CallerIpAddress": "192.0.2.1", "CallerIPAddress": "192.0.2.2", "Caller": "alice@contoso.com"}]
    assert cells(ingest([{"CALLERIPADDRESS": "192.0.2.1"}], "AzureActivity", TWO_CASES)) == [{"CALLERIPADDRESS": "192.0.2.1"}]


TWO_CASES = TableSchema("AzureActivity", {"CallerIpAddress": ScalarType.STRING, "CallerIPAddress": ScalarType.STRING})


def test_a_column_with_and_without_zone_is_one_column() -> None:
    rows = [{"TimeGenerated": "2026-01-01T00:00:00Z"}, {"TimeGenerated [UTC]": "1/31/2026, 1:00:00.000 AM"}]
    assert [row["TimeGenerated"] for row in cells(ingest(rows, "Syslog"))] == [
        "2026-01-01T00:00:00.0000000Z",
        "2026-01-31T01:00:00.0000000Z",
    ]


def test_brackets_that_are_no_zone_belong_to_the_name() -> None:
    assert cells(ingest([{"Size [MB]": 3}], "Contoso_CL")) == [{"Size [MB]": 3}]


def test_the_order_of_day_and_month_is_said_when_it_was_a_guess() -> None:
    result = ingest([{"TimeGenerated": "3/4/2026, 10:00:00.000 AM"}], "Syslog")
    assert cells(result)[0]["TimeGenerated"] == "2026-03-04T10:00:00.0000000Z"
    assert any("days and months cannot be told apart" in text for text in messages(result))


def test_one_file_has_one_order_of_day_and_month_in_all_its_columns() -> None:
    schema = TableSchema("T", {"a": ScalarType.DATETIME, "b": ScalarType.DATETIME})
    rows = [{"a": "3/4/2026", "b": None}, {"a": None, "b": "31/12/2026"}]
    assert cells(ingest(rows, "T", schema)) == [{"a": "2026-04-03T00:00:00.0000000Z"}, {"b": "2026-12-31T00:00:00.0000000Z"}]


def test_several_files_are_one_table_in_their_order(tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.csv"
    first.write_text('{"id":"1","size":1}\n{"id":"2","size":2}\n')
    second.write_text("id,ratio\n03,1.5\n")
    result = ingest([first, second], "Contoso_CL")
    assert cells(result) == [{"id": "1", "size": 1}, {"id": "2", "size": 2}, {"id": "03", "ratio": 1.5}]
    assert {name: kind.value for name, kind in result.schema.columns.items()} == {"id": "string", "size": "long", "ratio": "real"}


def test_what_is_beside_the_schema_is_kept_and_said() -> None:
    result = ingest([{"Computer": "web-0", "extra": 1}], "Syslog")
    assert result.present == ("Computer", "extra")
    assert result.schema.columns["extra"] is ScalarType.LONG
    assert "Facility" in result.schema.columns
    assert "Syslog: info: column 'extra' is not in the schema of the table; kept as long" in messages(result)
    assert any("no column TimeGenerated" in text for text in messages(result))


def test_the_type_column_of_another_table_is_noticed() -> None:
    assert any("names another table than Syslog: 'Okta_CL'" in text for text in messages(ingest([{"Type": "Okta_CL"}], "Syslog")))


def test_files_and_folders_named_after_their_table() -> None:
    root = DATA / "folder"
    assert {table: [path.relative_to(root).as_posix() for path in paths] for table, paths in discover(root).items()} == {
        "AKSAudit": ["AKSAudit/2026/03.csv", "AKSAudit.csv"],
        "Syslog": ["Syslog.attack.csv"],
    }


def test_a_folder_is_read_whole() -> None:
    assert ingest(DATA / "folder" / "AKSAudit", "AKSAudit").rows == 1
