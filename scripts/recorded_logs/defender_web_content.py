"""Devices under Defender for Endpoint: what web content filtering and network protection stop, warn about and let pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from scripts.recorded_logs.kube import Json
from scripts.recorded_logs.shapes import WORKSPACE, Row, compact

_DAY = datetime(2026, 3, 2)  # noqa: DTZ001  # written as UTC
_BLOCKED, _AUDITED = "ExploitGuardNetworkProtectionBlocked", "ExploitGuardNetworkProtectionAudited"


def ordinary_day() -> list[Row]:
    """Pages blocked by policy now and then, in Chrome and in Edge; one page with many blocked parts; an indicator; a warning heeded."""
    rows = [_blocked(f"{hour:02}:00", "bob", "www.poker-site.example") for hour in (9, 11)]
    rows += [_blocked(f"10:00:{n:02}", "carol", "ads.tracker.example") for n in range(30)]
    rows.append(
        _device("10:10", "alice", "SmartScreenUrlWarning", "www.poker-site.example", {"Experience": "CustomPolicy"}, process="msedge.exe")
    )
    rows.append(_blocked("10:20", "alice", "blocked.indicator.example", category="CustomBlockList"))
    return _sorted(
        [*rows, _device("10:30", "dave", "SmartScreenUrlWarning", "login.phish.example", {"Experience": "Phishing"}, process="msedge.exe")]
    )


def surge() -> list[Row]:
    """A user tries 24 blocked pages in an hour; a script asks for one."""
    rows = [_blocked(f"13:{2 * n:02}", "erin", f"game{n}.example") for n in range(24)]
    return _sorted([*rows, _blocked("13:15", "mallory", "paste.example", process="powershell.exe")])


def threats() -> list[Row]:
    """Network protection stops a control server, a phishing page in a browser, and only reports one in audit mode."""
    return [
        _blocked("14:00", "mallory", "c2.quiet.example", category="CmdCtrl", process="rundll32.exe"),
        _blocked("14:01", "alice", "login.phish.example", category="Phishing"),
        _device("14:02", "bob", _AUDITED, "drop.example", {"ResponseCategory": "Malicious", "IsAudit": True}),
        _blocked("14:03", "carol", "www.poker-site.example"),
        _device("14:04", "dave", "SmartScreenUrlWarning", "evil.example", {"Experience": "Malicious"}, process="msedge.exe"),
    ]


def overrides() -> list[Row]:
    """A user goes on after a warning about phishing; so does another, who does nothing else; a third heeds the warning."""
    return [
        _device("15:00", "dave", "SmartScreenUserOverride", "login.phish.example", {"Experience": "Phishing"}, process="msedge.exe"),
        _device("15:05", "erin", "SmartScreenUserOverride", "tools.example", {"Experience": "Malicious"}, process="msedge.exe"),
        _device("15:06", "frank", "SmartScreenUrlWarning", "login.phish.example", {"Experience": "Phishing"}, process="msedge.exe"),
    ]


def override_files() -> list[Row]:
    """The program that the first of them has three minutes later; a picture; a program on another device."""
    return [
        _file("15:03", "dave", "invoice.exe", "msedge.exe"),
        _file("15:04", "dave", "logo.png", "msedge.exe"),
        _file("15:04", "grace", "setup.exe", "msedge.exe"),
        _file("15:20", "erin", "setup.exe", "explorer.exe"),
    ]


def audit_only() -> list[Row]:
    """A day in which one group of devices is only audited, one is blocked, and one has a single report."""
    rows = [
        _device(f"{8 + n // 20:02}:{n % 20 * 3:02}", "frank", _AUDITED, f"game{n}.example", _policy(), group="Sales") for n in range(60)
    ]
    rows += [_blocked(f"{8 + n // 20:02}:{n % 20 * 3:02}", "grace", f"game{n}.example", group="Finance") for n in range(60)]
    return _sorted([*rows, _device("12:00", "heidi", _AUDITED, "game1.example", _policy(), group="Lab")])


def blocked_hosts() -> list[Row]:
    """Blocks by policy on workstations, one of them of a cloud app that is not sanctioned."""
    return [
        _blocked("16:00", "bob", "www.poker-site.example"),
        _blocked("16:05", "alice", "www.poker-site.example"),
        _blocked("16:06", "alice", "www.reddit.example", category="CasbPolicy"),
        _blocked("16:07", "erin", "www.reddit.example", category="CasbPolicy"),
    ]


def network() -> list[Row]:
    """A server and a laptop with QUIC reach what others may not; a workstation that was blocked; a harmless page."""
    return [
        _network("16:10", "admin", "www.poker-site.example", device="srv01", process="chrome.exe"),
        _network("16:11", "carol", "www.poker-site.example", protocol="Udp", process="chrome.exe"),
        _network("16:05", "alice", "www.poker-site.example", process="chrome.exe"),
        _network("16:12", "dave", "www.contoso.com", process="chrome.exe"),
        _network("16:13", "dave", "www.poker-site.example", action="ConnectionFailed", process="chrome.exe"),
    ]


def proxy() -> list[Row]:
    """The proxy lets the same unsanctioned app pass for one of the users, and blocks it for the other."""
    return [_proxy("16:20", "alice", "Allowed"), _proxy("16:21", "erin", "Blocked")]


SCENARIOS: dict[str, dict[str, Callable[[], list[Row]]]] = {
    "DeviceEvents": {
        "ordinary-day": ordinary_day,
        "surge": surge,
        "threats": threats,
        "overrides": overrides,
        "audit-only": audit_only,
        "blocked-hosts": blocked_hosts,
    },
    "DeviceFileEvents": {"override-files": override_files},
    "DeviceNetworkEvents": {"network": network},
    "CommonSecurityLog": {"proxy": proxy},
}


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: str(row["TimeGenerated"]))


def _base(clock: str, user: str, table: str, more: dict[str, Json]) -> Row:
    hour, minute, *seconds = (int(part) for part in clock.split(":"))
    moment = _DAY + timedelta(hours=hour, minutes=minute, seconds=seconds[0] if seconds else 0)
    device = more.get("device", f"ws-{user}")
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": f"{moment:%Y-%m-%dT%H:%M:%S}.0000000Z",
        "DeviceId": f"device-{device}",
        "DeviceName": f"{device}.contoso.com",
        "MachineGroup": more.get("group", "Office"),
        "InitiatingProcessFileName": more.get("process", "chrome.exe"),
        "InitiatingProcessId": 4711,
        "InitiatingProcessCommandLine": f'"{more.get("process", "chrome.exe")}"',
        "InitiatingProcessAccountName": user,
        "InitiatingProcessAccountDomain": "contoso",
        "InitiatingProcessAccountUpn": f"{user}@contoso.com",
        "ReportId": hour * 3600 + minute * 60 + (seconds[0] if seconds else 0),
        "Type": table,
    }


def _policy() -> Row:
    return {"ResponseCategory": "CustomPolicy", "IsAudit": True}


def _device(clock: str, user: str, action: str, host: str, fields: Row, **more: Json) -> Row:
    text = {**fields, "DisplayName": host, "Uri": f"https://{host}"}
    return {**_base(clock, user, "DeviceEvents", more), "ActionType": action, "RemoteUrl": f"https://{host}", "AdditionalFields": text}


def _blocked(clock: str, user: str, host: str, **more: Json) -> Row:
    fields = {"ResponseCategory": more.get("category", "CustomPolicy"), "IsAudit": False}
    row = _device(clock, user, _BLOCKED, host, fields, **more)
    # The connector gives JSON as an object or as text, by its version.
    return {**row, "AdditionalFields": compact(row["AdditionalFields"])} if more.get("process") == "powershell.exe" else row


def _file(clock: str, user: str, name: str, process: str) -> Row:
    row = _base(clock, user, "DeviceFileEvents", {"process": process})
    return {**row, "ActionType": "FileCreated", "FileName": name, "FolderPath": f"C:\\Users\\{user}\\Downloads\\{name}", "SHA256": "0" * 64}


def _network(clock: str, user: str, host: str, **more: Json) -> Row:
    row = _base(clock, user, "DeviceNetworkEvents", more)
    columns = {"RemoteUrl": host, "RemoteIP": "198.51.100.44", "RemotePort": 443, "Protocol": more.get("protocol", "Tcp")}
    return {**row, "ActionType": more.get("action", "ConnectionSuccess"), **columns}


def _proxy(clock: str, user: str, action: str) -> Row:
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": f"2026-03-02T{clock}:00.0000000Z",
        "DeviceVendor": "Zscaler",
        "DeviceProduct": "NSSWeblog",
        "DeviceAction": action,
        "DeviceEventCategory": "MCAS Unsanctioned Apps",
        "DestinationHostName": "www.reddit.example",
        "RequestURL": "www.reddit.example/",
        "RequestMethod": "GET",
        "ApplicationProtocol": "HTTPS",
        "SourceUserName": f"{user}@contoso.com",
        "SourceIP": "10.0.88.14",
        "Type": "CommonSecurityLog",
    }
