"""zbridge.log of a Zscaler NSS virtual machine, and its web log as CommonSecurityLog rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from scripts.recorded_logs.shapes import WORKSPACE, Row

_DAY = datetime(2026, 3, 2)  # noqa: DTZ001  # the machine writes local times, here UTC
_STORE = "https://prod0euw0console0.blob.core.windows.net/discovery-logs/[REDACTED]"
_LOGGER = "com.zscaler.bridge.proxy.ProxyConfig"


def ordinary_day() -> str:
    """Hourly uploads to Defender for Cloud Apps from 06:01 on, as they should be."""
    return _text(_start(6) + [line for hour in range(6, 18) for line in _upload(hour, 900 + 37 * hour)])


def failed_uploads() -> str:
    """From 10:01 the token is refused, one upload breaks off, three hours are silent, then a restart; DEBUG logging at the end."""
    lines = _start(6)
    for hour in (6, 7, 8, 9):
        lines += _upload(hour, 900 + 37 * hour)
    lines += _upload(10, 1500, initiate="Unauthorized")
    lines += _upload(11, 2600, initiate="Unauthorized")
    lines += _upload(12, 3900, upload="Service Unavailable")
    lines += _start(16)
    lines += _upload(17, 9800)
    return _text(lines) + "".join(f"{line}\n" for line in _debug())


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _line(hour: int, minute: int, second: int, message: str, level: str = "INFO") -> str:
    return f"[{_DAY + timedelta(hours=hour, minutes=minute, seconds=second):%Y-%m-%d %H:%M:%S}] {level} {message}"


def _start(hour: int) -> list[str]:
    return [_line(hour, 0, 5, text) for text in ("Initialize MCAS handler", "Creating MCAS workers", "Created Worker 1")]


def _upload(hour: int, queue: int, *, initiate: str = "OK", upload: str = "Created") -> list[str]:
    """One upload; it ends with the first answer that is none."""
    lines = [
        _line(hour, 1, 39, f"Check and upload. queue size={queue}"),
        _line(hour, 1, 39, "Initiate Upload"),
        _line(hour, 1, 47, f"Initiate Response: {initiate}", "INFO" if initiate == "OK" else "ERROR"),
    ]
    if initiate != "OK":
        return lines
    lines += [
        _line(hour, 1, 47, f"Return url={_STORE}"),
        _line(hour, 1, 47, f"Perform Upload. Payload size={queue * 18} queue size={queue}"),
        _line(hour, 1, 48, f"Upload Response: {upload}", "INFO" if upload == "Created" else "ERROR"),
    ]
    if upload != "Created":
        return lines
    return [*lines, _line(hour, 1, 48, "Finalize Upload"), _line(hour, 1, 50, "Finalize Response: OK")]


def _debug() -> Iterator[str]:
    moment = _DAY + timedelta(hours=18, minutes=1, seconds=39)
    for number, (level, text, logger) in enumerate(
        (
            ("INFO", "Check and upload. queue size=410", _LOGGER),
            ("INFO", "Initiate Upload", _LOGGER),
            ("DEBUG", "CookieSpec selected: best-match", "org.apache.http.client.protocol.RequestAddCookies"),
            (
                "DEBUG",
                "Connection leased: [id: 5][route: {s}->https://contoso.portal.example:443]",
                "org.apache.http.impl.conn.PoolingHttpClientConnectionManager",
            ),
            ("INFO", "Initiate Response: OK", _LOGGER),
            ("INFO", f"Return url={_STORE}", _LOGGER),
            ("INFO", "Perform Upload. Payload size=7380 queue size=410", _LOGGER),
            ("INFO", "Upload Response: Created", _LOGGER),
            ("INFO", "Finalize Upload", _LOGGER),
            ("INFO", "Finalize Response: OK", _LOGGER),
        )
    ):
        at = moment + timedelta(milliseconds=211 * number)
        yield f"[{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03}] {level} {text} ({logger})"


# --- the web log ------------------------------------------------------------------------------------------------------


def web_ordinary() -> list[Row]:
    """Sanctioned traffic, a blocked unsanctioned app, a blocked test file: nothing to alert on but what was stopped."""
    return [
        _web(8, 1, "www.contoso.com", "Allowed", "Corporate Marketing"),
        _web(8, 2, "www.reddit.example", "Blocked", UNSANCTIONED, reason="Not allowed to browse this category"),
        _web(8, 3, "updates.vendor.example", "Allowed", "Professional Services", extensions="ssldecrypted=No;devicehostname=WS-014"),
        _web(8, 4, "files.example", "Blocked", "Miscellaneous", threat="EICAR_Test_File", reason="Virus/Spyware/Malware Blocked"),
    ]


def web_risky() -> list[Row]:
    """An unsanctioned app used after a caution, malware that got through, an uninspected and risky host."""
    return [
        _web(9, 1, "www.reddit.example", "Allowed", UNSANCTIONED, reason="Cautioned and continued", user="alice@contoso.com", sent=310_000),
        _web(9, 2, "www.reddit.example", "Allowed", UNSANCTIONED, reason="Cautioned and continued", user="alice@contoso.com", sent=12_000),
        _web(9, 3, "cdn.drop.example", "Allowed", "Miscellaneous", threat="Win32.Backdoor.Agent", user="bob@contoso.com"),
        _web(9, 4, "203.0.113.66", "Allowed", "Newly Registered Domains", risk=80, extensions="bypassed_traffic=1;ssldecrypted=No"),
    ]


UNSANCTIONED = "MCAS Unsanctioned Apps"


def _web(hour: int, minute: int, host: str, action: str, category: str, **more: object) -> Row:
    threat = str(more.get("threat", "None"))
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": f"2026-03-02T{hour:02}:{minute:02}:00.0000000Z",
        "DeviceVendor": "Zscaler",
        "DeviceProduct": "NSSWeblog",
        "DeviceVersion": "5.7",
        "DeviceAction": action,
        "Activity": str(more.get("reason", "Allowed")),
        "Reason": str(more.get("reason", "Allowed")),
        "LogSeverity": "3",
        "ApplicationProtocol": "HTTPS",
        "DeviceEventCategory": category,
        "DestinationHostName": host,
        "DestinationIP": "198.51.100.40",
        "SourceIP": "10.0.88.14",
        "SourceTranslatedAddress": "203.0.113.9",
        "SentBytes": more.get("sent", 890),
        "ReceivedBytes": 1240,
        "EventOutcome": "403" if action == "Blocked" else "200",
        "RequestURL": f"{host}/submit",
        "RequestMethod": "POST",
        "SourceUserName": str(more.get("user", "carol@contoso.com")),
        "SourceUserPrivileges": "Road Warrior",
        "DeviceCustomNumber1": more.get("risk", 0),
        "DeviceCustomNumber1Label": "riskscore",
        "DeviceCustomString4": "None" if threat == "None" else "Malware",
        "DeviceCustomString4Label": "malwarecat",
        "DeviceCustomString5": threat,
        "DeviceCustomString5Label": "threatname",
        "AdditionalExtensions": str(more.get("extensions", "ssldecrypted=Yes;devicehostname=WS-014;bypassed_traffic=0")),
        "Type": "CommonSecurityLog",
    }
