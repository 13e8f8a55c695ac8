"""The logs of the Netskope client and of Zscaler NSS: every form, every place where a line can go wrong, no secret, nothing lost."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.support import cells
from toolkit import IngestError, Workspace
from toolkit.engine.ingest import discover, read_source
from toolkit.engine.ingest.grammar import Mismatch
from toolkit.engine.ingest.netskope_client import endpoint
from toolkit.engine.ingest.netskope_client import read as read_netskope
from toolkit.engine.ingest.secrets import without_secrets
from toolkit.engine.ingest.text_logs import text_logs
from toolkit.engine.ingest.zscaler_bridge import read as read_bridge

HEAD = "2026/03/02 09:14:07.123456 stAgentSvc p8c t3e0f 4 tunnel.cpp:695 "
PARTS = {
    "TimeGenerated": "2026-03-02T09:14:07.123456",
    "AgentProcess": "stAgentSvc",
    "ProcessId": 0x8C,
    "ThreadId": 0x3E0F,
    "Level": "4",
    "SourceFile": "tunnel.cpp",
    "SourceLine": 695,
}

NETSKOPE: list[tuple[str, dict[str, Any]]] = [
    (
        "nsTunnel TLS [sessId 501] Tunneling flow from addr: 10.0.0.7:51000, process: ms teams to host: a.b, addr: 192.0.2.9:443 to x",
        {
            "EventName": "TunnelingFlow",
            "Path": "Netskope",
            "TunnelProtocol": "TLS",
            "SessionId": 501,
            "SrcIp": "10.0.0.7",
            "SrcPort": 51000,
            "ProcessName": "ms teams",
            "DestHost": "a.b",
            "DestIp": "192.0.2.9",
            "DestPort": 443,
            "Target": "x",
        },
    ),
    (
        "nsTunnel DTLS [sessId 1] Tunneling flow from addr: 10.0.2.140:60894, process: chrome.exe to host: , addr: 192.0.2.27:443 to",
        {"EventName": "TunnelingFlow", "TunnelProtocol": "DTLS", "DestHost": "", "DestIp": "192.0.2.27", "DestPort": 443, "Target": ""},
    ),
    (
        "nsTunnel Tunneling flow from addr: X.X.X.X:X, process: okta verify to host: contoso.okta.example, addr: X.X.X.X to app-fw",
        {"SrcIp": "X.X.X.X:X", "SrcPort": None, "DestIp": "X.X.X.X", "DestPort": None, "Target": "app-fw", "TunnelProtocol": None},
    ),
    (
        "BypassAppMgr bypassing flow to exception host: cdn.contoso.com, process: teams, Dest IP: 192.0.2.3, Dest Port: 443",
        {
            "EventName": "BypassingFlowToExceptionHost",
            "Path": "Direct",
            "DestHost": "cdn.contoso.com",
            "ProcessName": "teams",
            "DestIp": "192.0.2.3",
            "DestPort": 443,
        },
    ),
    (
        "BypassAppMgr Bypassing connection from process: okta verify, host: contoso.okta.example",
        {"EventName": "BypassingConnection", "Path": "Direct", "ProcessName": "okta verify", "DestHost": "contoso.okta.example"},
    ),
    (
        "BypassAppMgr Bypassing connection by tunneling from process: chrome.exe, host: a.contoso.com",
        {"EventName": "BypassingConnectionByTunneling", "Path": "Netskope", "ProcessName": "chrome.exe", "DestHost": "a.contoso.com"},
    ),
    (
        "BypassAppMgr Bypassing flow from process: printer to private ip: 10.0.0.9, Port: 9100, host: 10.0.0.9",
        {"EventName": "BypassingFlowToPrivateIp", "Path": "Direct", "DestIp": "10.0.0.9", "DestPort": 9100, "DestHost": "10.0.0.9"},
    ),
    (
        "BypassAppMgr Blocking UDP connection from process: chrome.exe, dest IP:192.0.2.8:443, src IP 10.0.0.7:50001",
        {
            "EventName": "BlockingUdpConnection",
            "Path": "Blocked",
            "DestIp": "192.0.2.8",
            "DestPort": 443,
            "SrcIp": "10.0.0.7",
            "SrcPort": 50001,
        },
    ),
    (
        "BypassAppMgr Dropping connection from process: chrome.exe, host: b.contoso.com",
        {"EventName": "DroppingConnection", "Path": "Blocked", "DestHost": "b.contoso.com"},
    ),
    (
        "BypassAppMgr Found process: chrome.exe to be bypassed for managed devices",
        {"EventName": "ManagedDeviceBypass", "Path": None, "ProcessName": "chrome.exe"},
    ),
    ("BypassAppMgr device classification status: managed", {"EventName": "DeviceClassification", "Status": "managed"}),
    (
        "nsTunnel DTLS SSL connected to the gslbgw server: gateway-a1.contoso.com(192.0.2.35):443 successfully",
        {"EventName": "TunnelConnected", "DestHost": "gateway-a1.contoso.com", "DestIp": "192.0.2.35", "DestPort": 443, "SessionId": None},
    ),
    (
        "nsTunnel DTLS disconnecting nsTunnel, context = NSTUNNEL_DISCONNECTED_BYUSER",
        {"EventName": "TunnelDisconnected", "Status": "NSTUNNEL_DISCONNECTED_BYUSER", "TunnelProtocol": "DTLS"},
    ),
    (
        "CTunnelMgr Client location is on-prem and traffic mode is 3, DNS 1",
        {"EventName": "ClientLocation", "Status": "on-prem", "TrafficMode": 3},
    ),
    ("DiskEnc all volumes are encrypted", {"EventName": None, "Component": "DiskEnc", "Message": "all volumes are encrypted"}),
    ("nsTunnel", {"Component": "nsTunnel", "Message": ""}),
]

BRIDGE: list[tuple[str, dict[str, Any]]] = [
    ("[2026-03-02 13:01:22] INFO Initialize MCAS handler", {"EventName": "HandlerStarted", "Level": "INFO", "Logger": ""}),
    ("[2026-03-02 13:01:22] INFO Creating MCAS workers", {"EventName": "CreatingWorkers"}),
    ("[2026-03-02 13:01:22] INFO Created Worker 1", {"EventName": "WorkerCreated", "Worker": 1}),
    ("[2026-03-02 14:01:39] INFO Check and upload. queue size=1380", {"EventName": "CheckAndUpload", "QueueSize": 1380}),
    ("[2026-03-02 14:01:39] INFO Initiate Upload", {"EventName": "InitiateUpload"}),
    ("[2026-03-02 14:01:47] ERROR Initiate Response: Unauthorized", {"EventName": "InitiateResponse", "Response": "Unauthorized"}),
    (
        "[2026-03-02 14:01:47] INFO Return url=https://store.blob.core.windows.net/discovery-logs/[redacted]",
        {"EventName": "ReturnUrl", "Url": "https://store.blob.core.windows.net/discovery-logs/[redacted]"},
    ),
    (
        "[2026-03-02 14:01:47] INFO Perform Upload. Payload size=24632 queue size=1380",
        {"EventName": "PerformUpload", "PayloadSize": 24632, "QueueSize": 1380},
    ),
    (
        "[2026-03-02 14:01:48,012] INFO Upload Response: Created (com.zscaler.bridge.proxy.ProxyConfig)",
        {
            "TimeGenerated": "2026-03-02T14:01:48.012",
            "EventName": "UploadResponse",
            "Response": "Created",
            "Logger": "com.zscaler.bridge.proxy.ProxyConfig",
        },
    ),
    ("[2026-03-02 14:01:48] INFO Finalize Upload", {"EventName": "FinalizeUpload"}),
    ("[2026-03-02 14:01:50] INFO Finalize Response: OK", {"EventName": "FinalizeResponse", "Response": "OK"}),
    ("[2026-03-02 14:01:50] WARN no answer (again)", {"Message": "no answer (again)", "Logger": "", "EventName": None}),
    ("[2026-03-02 14:01:50,001] WARN no answer (again) (root)", {"Message": "no answer (again)", "Logger": "root"}),
    (
        "[2026-03-02 14:01:50,001] DEBUG leased: [id: 5][total: 1; of 2] (org.apache.http.Pool)",
        {"Message": "leased: [id: 5][total: 1; of 2]", "Logger": "org.apache.http.Pool", "Level": "DEBUG"},
    ),
]

# Where a line goes wrong: (line, column from 1, what is said).
WRONG_NETSKOPE: list[tuple[str, int, str]] = [
    ("hello", 1, "expected a date such as 2026/03/02, found 'hello'"),
    ("2026/13/02 09:14:07.123 x", 1, "expected a date"),
    ("2026/02/30 09:14:07.123 stAgentSvc p8c t3e0f 4 tunnel.cpp:695 nsTunnel x", 1, "expected a day that exists"),
    ("2026/03/02 09:14:07 stAgentSvc", 11, "expected a time such as"),
    ("2026/03/02 09:14:07.1234 stAgentSvc", 11, "expected a time such as"),
    ("2026/03/02 09:14:07.123", 24, "expected the name of the writing process, such as stAgentSvc, found the end of the line"),
    ("2026/03/02 09:14:07.123 stAgentSvc 8c t3e0f", 35, "expected a process id in hexadecimal, such as p8c, found ' 8c t3e0f'"),
    ("2026/03/02 09:14:07.123 stAgentSvc p8c 3e0f 4", 39, "expected a thread id"),
    ("2026/03/02 09:14:07.123 stAgentSvc p8c t3e0f 4711 a.cpp:1 x", 45, "expected a level"),
    ("2026/03/02 09:14:07.123 stAgentSvc p8c t3e0f info tunnel.cpp nsTunnel", 50, "expected a source file"),
    ("2026/03/02 09:14:07.123 stAgentSvc p8c t3e0f info tunnel.cpp:x nsTunnel", 61, "expected the line of the source"),
    (f"{HEAD}nsTunnel Tunneling flow from addr: 10.0.0.7:51000, process: chrome", 132, "expected ' to host: ' after ProcessName"),
    (f"{HEAD}nsTunnel Tunneling flow from addr: a:1, process: p to host: h, addr: b:2 via nsProxy", 139, "expected 'to' and a target"),
    (f"{HEAD}BypassAppMgr bypassing flow to exception host: h, process: p, Dest IP: i, Dest Port: 70000", 151, "a port as a number up to"),
    (f"{HEAD}CTunnelMgr Client location is remote and traffic mode is x", 123, "expected a traffic mode as a number"),
]
WRONG_BRIDGE: list[tuple[str, int, str]] = [
    ("at java.net.Socket", 1, "expected '['"),
    ("[2026-02-30 13:01:22] INFO x", 2, "expected a day that exists"),
    ("[2026-03-02 25:01:22] INFO x", 12, "expected a time such as"),
    ("[2026-03-02 13:01:22,5] INFO x", 21, "expected milliseconds"),
    ("[2026-03-02 13:01:22]INFO x", 21, "expected '] '"),
    ("[2026-03-02 13:01:22] NOTICE x", 23, "expected TRACE, DEBUG, INFO"),
    ("[2026-03-02 13:01:22] INFO Created Worker one", 43, "expected a worker's number as a number up to 2147483647, found 'one'"),
    ("[2026-03-02 13:01:22] INFO Check and upload. queue size=", 57, "found nothing"),
    ("[2026-03-02 13:01:22] INFO Check and upload. queue size=99999999999999999999", 57, "up to 9223372036854775807"),
    ("[2026-03-02 13:01:22] INFO Perform Upload. Payload size=1", 58, "expected ' queue size=' after PayloadSize"),
    ("[2026-03-02 13:01:22] INFO Finalize Upload now", 43, "expected the end of the line, found ' now'"),
]


@pytest.mark.parametrize(("rest", "expected"), NETSKOPE)
def test_every_form_of_the_netskope_client(rest: str, expected: dict[str, Any]) -> None:
    values, failure = read_netskope(HEAD + rest)
    assert failure is None
    wanted = {**PARTS, "Component": rest.partition(" ")[0], "Message": rest.partition(" ")[2], **expected}
    assert {name: values.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(("line", "expected"), BRIDGE)
def test_every_form_of_zbridge(line: str, expected: dict[str, Any]) -> None:
    values, failure = read_bridge(line)
    assert failure is None
    assert {name: values.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("read", "line", "column", "said"),
    [(read_netskope, *case) for case in WRONG_NETSKOPE] + [(read_bridge, *case) for case in WRONG_BRIDGE],
)
def test_a_line_that_does_not_fit_says_where(read: Any, line: str, column: int, said: str) -> None:
    _, failure = read(line)
    assert failure is not None
    assert said in str(failure)
    assert failure.at + 1 == column


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.7:443", ("192.0.2.7", 443)),
        ("192.0.2.7", ("192.0.2.7", None)),
        ("192.0.2.7:70000", ("192.0.2.7:70000", None)),
        ("[2001:db8::7]:443", ("2001:db8::7", 443)),
        ("2001:db8:0:0:0:0:0:7:443", ("2001:db8:0:0:0:0:0:7", 443)),
        ("2001:db8::7:59136", ("2001:db8::7", 59136)),
        ("2001:db8::7:443", ("", None)),
        ("", ("", None)),
    ],
)
def test_addresses_and_ports(text: str, expected: tuple[str, int | None]) -> None:
    assert endpoint(text) == expected


LINE = (
    f"{HEAD}nsTunnel TLS [sessId 501] Tunneling flow from addr: 10.0.0.7:51000, process: teams to host: a.contoso.com, addr: 192.0.2.9:443"
)


@pytest.mark.parametrize("name", ["nsdebuglog.log", "nsdebuglog.1.log", "nsdebuglog.log.gz", "device.log", "nsdebuglog.log.3"])
def test_a_file_is_known_by_name_or_content(tmp_path: Path, name: str) -> None:
    data = f"{LINE}\n".encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    found = read_source(tmp_path / name, "NetskopeClientDebug_CL", None)
    assert [row["DestHost"] for row in cells(found)] == ["a.contoso.com"]
    table = "device" if name.startswith("device") else "NetskopeClientDebug_CL"
    assert list(discover(tmp_path)) == [table]


def test_other_logs_in_a_folder_are_left_alone_and_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "setup.log").write_text("installed\n")
    (tmp_path / "zbridge.log").write_text("[2026-03-02 13:01:22] INFO Initiate Upload\n")
    assert list(discover(tmp_path)) == ["ZscalerNssBridge_CL"]
    with pytest.raises(IngestError, match=r"setup\.log:1: error: expected a Netskope client log .* or a Zscaler NSS log"):
        read_source(tmp_path / "setup.log", "T", None)


def test_further_lines_belong_to_the_record_before(tmp_path: Path) -> None:
    text = f"stray\n\n{HEAD}Config dump {{\r\n  1\n\n}}\n{LINE}\n\n"
    (tmp_path / "nsdebuglog.log").write_bytes(text.encode())
    found = read_source(tmp_path / "nsdebuglog.log", "NetskopeClientDebug_CL", None)
    rows = cells(found)
    assert [(row["LineNumber"], row.get("Message", "")[:6]) for row in rows] == [(1, ""), (3, "dump {"), (7, "TLS [s")]
    assert rows[1]["Message"] == "dump {\n  1\n\n}"
    assert rows[1]["RawData"] == f"{HEAD}Config dump {{\n  1\n\n}}"
    assert rows[0]["ParseError"] == "column 1: expected a date such as 2026/03/02, found 'stray'"
    assert any("nsdebuglog.log:1: warning: column 1: expected a date" in each.render() for each in found.findings)


def test_times_are_local_and_a_sidecar_says_where(tmp_path: Path) -> None:
    file = tmp_path / "zbridge.log"
    file.write_text("[2026-07-02 13:01:22] INFO Initiate Upload\n")
    said = [each.message for each in read_source(file, "T_CL", None).findings if each.severity == "warning"]
    assert said == ['times of this log are local ones and are read as UTC; zbridge.log.meta.json can say {"timeZone": "Europe/Berlin"}']
    (tmp_path / "zbridge.log.meta.json").write_text(json.dumps({"timeZone": "Europe/Berlin"}))
    found = read_source(file, "T_CL", None)
    assert not found.findings
    assert cells(found)[0]["TimeGenerated"] == "2026-07-02T11:01:22.0000000Z"


def test_many_wrong_records_are_counted_and_all_kept(tmp_path: Path) -> None:
    (tmp_path / "zbridge.log").write_bytes(b"[2026-03-02 13:01:22] LOUD \xff\n" * 500)
    found = read_source(tmp_path / "zbridge.log", "T_CL", None)
    rows = cells(found)
    assert len(rows) == 500
    assert rows[7]["RawData"] == "[2026-03-02 13:01:22] LOUD \\xff"
    assert rows[7]["TimeGenerated"] == "2026-03-02T13:01:22.0000000Z"
    assert found.findings[-1].message.startswith("500 records do not fit the grammar")


def test_a_workspace_reads_them_as_typed_tables(tmp_path: Path) -> None:
    (tmp_path / "nsdebuglog.log").write_text(f"{LINE}\n")
    workspace = Workspace()
    report = workspace.ingest("NetskopeClientDebug_CL", tmp_path / "nsdebuglog.log")
    assert report.rows == 1
    result = workspace.query("NetskopeClientDebug_CL | project TimeGenerated, SessionId, DestPort, SourceLine, ParseError")
    assert [kind for _, kind in result.columns] == ["datetime", "long", "int", "int", "string"]
    workspace.close()


SECRETS = [
    "Authorization: Token {}",
    '>> "Authorization: Bearer {}[\\r][\\n]"',
    "Set-Cookie: cas_sessionid={}; Path=/",
    "Cookie [version: 0][name: cas_sessionid][value: {}][domain: .contoso.com]",
    "Return url=https://store.blob.core.windows.net/discovery-logs/{}?x=1",
    "Return url=https://store.blob.core.windows.net/discovery-logs/a.gz?sv=1&sig={}",
    '{{"orgkey": "{}", "a": 1}}',
    "enrollauthtoken={}&x=1",
    "authtoken: {}",
    "https://proxy:{}@proxy.contoso.com/x",
    "password = {}",
]


@given(st.from_regex(r"[A-Za-z0-9]{12,40}", fullmatch=True), st.sampled_from(SECRETS), st.sampled_from(["line", "more", "bad", "stray"]))
@settings(max_examples=60, deadline=None)
def test_no_secret_gets_in(tmp_path_factory: pytest.TempPathFactory, secret: str, setting: str, place: str) -> None:
    text = setting.format(secret)
    line = {
        "line": f"{HEAD}Config {text}",
        "more": f"{HEAD}Config dump\n  {text}",
        "bad": f"2026/03/02 09:14:07.123 {text}",
        "stray": text,
    }[place]
    file = tmp_path_factory.getbasetemp() / "nsdebuglog.log"
    file.write_text(f"{line}\n{LINE}\n")
    found = read_source(file, "NetskopeClientDebug_CL", None)
    shown = json.dumps([cells(found), [each.render() for each in found.findings]])
    assert secret not in shown
    assert "[redacted]" in shown
    assert without_secrets(without_secrets(text)) == without_secrets(text)


_LINES = st.lists(
    st.one_of(st.sampled_from([LINE, f"{HEAD}Config x", "[2026-03-02 13:01:22] INFO y", ""]), st.text("ab 1/:.[],", max_size=30))
)


@given(_LINES, st.sampled_from(sorted(text_logs())))
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost(tmp_path_factory: pytest.TempPathFactory, lines: list[str], kind: str) -> None:
    file = tmp_path_factory.getbasetemp() / f"{kind}.log"
    known = {"nsdebuglog": LINE, "zbridge": "[2026-03-02 13:01:22] INFO y"}[kind]
    file.write_text("\n".join([known, *lines]))
    rows = read_source(file, "T_CL", None).table.to_pylist()
    kept = [line for row in rows for line in row["RawData"].split("\n") if line.strip()]
    assert kept == [known, *(line for line in lines if line.strip())]
    assert [row["LineNumber"] for row in rows] == sorted({row["LineNumber"] for row in rows})


_WORD = st.text("abcdefghijklmnop-.0123456789", min_size=1, max_size=20)
_PROCESS = st.lists(_WORD, min_size=1, max_size=3).map(" ".join)
_PORT = st.integers(0, 65535)
_IP = st.ip_addresses(v=4).map(str)


@given(_PROCESS, _WORD, st.tuples(_IP, _PORT), st.tuples(_IP, _PORT), st.integers(0, 10**18 - 1))
def test_what_is_written_is_read(process: str, host: str, source: tuple[str, int], dest: tuple[str, int], session: int) -> None:
    line = (
        f"{HEAD}nsTunnel DTLS [sessId {session}] Tunneling flow from addr: {source[0]}:{source[1]}, process: {process} to host: {host},"
        f" addr: {dest[0]}:{dest[1]} to nsProxy"
    )
    values, failure = read_netskope(line)
    assert failure is None
    names = ("SessionId", "SrcIp", "SrcPort", "ProcessName", "DestHost", "DestIp", "DestPort", "Target")
    assert [values[name] for name in names] == [session, *source, process, host, *dest, "nsProxy"]


@given(st.integers(0, len(HEAD) - 1), st.sampled_from([read_netskope]))
def test_a_line_that_is_cut_off_fails_where_it_ends_or_before(cut: int, read: Any) -> None:
    _, failure = read(LINE[:cut])
    assert isinstance(failure, Mismatch)
    assert failure.at <= cut


@given(st.text(max_size=200))
def test_any_line_is_read_or_refused(line: str) -> None:
    for read in (read_netskope, read_bridge):
        values, failure = read(line)
        assert failure is None or 0 <= failure.at <= len(line)
        assert isinstance(values, dict)
