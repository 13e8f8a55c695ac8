"""The feeds of Zscaler NSS as CommonSecurityLog rows: the web log, and the log of what administrators change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from scripts.recorded_logs.kube import Json
from scripts.recorded_logs.shapes import WORKSPACE, Row, compact

UNSANCTIONED = "MCAS Unsanctioned Apps"
_DAY = datetime(2026, 3, 2)  # noqa: DTZ001  # written as UTC
_CAUTIONED = "Cautioned and continued"
_NEW_DOMAINS = "Newly Registered Domains"

_Change = tuple[Json, Json]
"""A rule before and after it was changed; None where it was not."""


def ordinary() -> list[Row]:
    """Sanctioned traffic, a blocked unsanctioned app, a blocked test file: nothing to alert on but what was stopped."""
    return [
        _web("08:01", "www.contoso.com", "Corporate Marketing"),
        _web("08:02", "www.reddit.example", UNSANCTIONED, action="Blocked", reason="Not allowed to browse this category"),
        _web("08:03", "updates.vendor.example", "Professional Services", extensions="ssldecrypted=No;devicehostname=WS-014"),
        _web("08:04", "files.example", "Miscellaneous", action="Blocked", threat="EICAR_Test_File", reason="Virus/Spyware/Malware Blocked"),
    ]


def risky() -> list[Row]:
    """An unsanctioned app used after a caution, malware that got through, an uninspected and risky host."""
    return [
        _web("09:01", "www.reddit.example", UNSANCTIONED, reason=_CAUTIONED, user="alice@contoso.com", sent=310_000),
        _web("09:02", "www.reddit.example", UNSANCTIONED, reason=_CAUTIONED, user="alice@contoso.com", sent=12_000),
        _web("09:03", "cdn.drop.example", "Miscellaneous", threat="Win32.Backdoor.Agent", user="bob@contoso.com"),
        _web("09:04", "203.0.113.66", _NEW_DOMAINS, risk=80, extensions="bypassed_traffic=1;ssldecrypted=No;devicehostname=WS-021"),
    ]


def downloads() -> list[Row]:
    """A program from a rarely used server of a chat's file store; a picture; a library from a server in common use; a blocked program."""
    store = "cdn.discordapp.com"

    def row(clock: str, user: str, path: str, action: str = "Allowed") -> Row:
        return _web(clock, store, "Online Chat", method="GET", user=f"{user}@contoso.com", path=f"attachments/{path}", action=action)

    return [
        row("10:01", "dave", "700000000000000001/81/update.EXE?ex=1"),
        row("10:02", "erin", "700000000000000002/82/cat.png"),
        *(row(clock, "frank", f"700000000000000003/83/mod{clock[:2]}{clock[3:]}.dll") for clock in ("08:00", "08:01", "10:03")),
        row("10:07", "grace", "700000000000000004/84/setup.msi", "Blocked"),
    ]


def uploads() -> list[Row]:
    """1.2 GB to a host first seen today, 700 MB to a known file share; a backup as on every day, a large download, a small upload."""
    backups = [_web("12:30", "backup.vendor.example", "Professional Services", days=-days, sent=900_000_000) for days in (10, 3, 1, 0)]
    share = {"app_class": "File Share", "user": "erin@contoso.com"}
    return [
        *backups,
        _web("12:00", "share.files.example", "File Host", days=-5, sent=4_000, **share),
        *(_web(f"13:0{minute}", "drop.example", _NEW_DOMAINS, sent=400_000_000, user="dave@contoso.com") for minute in (5, 6, 7)),
        _web("13:10", "share.files.example", "File Host", sent=700_000_000, method="PUT", **share),
        _web("13:11", "mirror.vendor.example", "Professional Services", sent=2_000, method="GET"),
        _web("13:12", "forms.example", "Professional Services", sent=90_000),
        _web("13:13", "drop2.example", _NEW_DOMAINS, sent=900_000_000, action="Blocked", user="dave@contoso.com"),
    ]


def dlp() -> list[Row]:
    """A file with card numbers passes to a mail service; one user is stopped six times, another once."""
    blocked = {"action": "Blocked", "reason": "Violates DLP policy", "engine": "PCI"}
    return [
        _web("14:01", "mail.webmail.example", "Web Mail", engine="PCI", user="dave@contoso.com", sent=52_000, name="cards.xlsx"),
        *(_web(f"14:1{minute}", "paste.example", "Forums", user="erin@contoso.com", **blocked) for minute in range(6)),
        _web("14:20", "paste.example", "Forums", user="frank@contoso.com", **blocked),
        _web("14:21", "paste.example", "Forums", user="grace@contoso.com"),
    ]


def random_domains() -> list[Row]:
    """One device asks for 36 hosts whose names no human chose; another for 40 hosts of one content network, named by hashes."""
    return [
        *(_web(f"15:{number:02}", _generated(number), _NEW_DOMAINS, source="10.0.88.66", user="heidi@contoso.com") for number in range(36)),
        *(
            _web(f"15:{number:02}", f"{_generated(number).split('.')[0]}.cdn.assets.example", "CDN", method="GET", source="10.0.88.67")
            for number in range(40)
        ),
    ]


def beacon() -> list[Row]:
    """A program that asks one host every five minutes for four hours; a person who reads news now and then; a feed that many read."""
    start = _DAY + timedelta(hours=2)
    beats = [start + timedelta(seconds=300 * number + number % 3) for number in range(48)]
    pauses = [0, 40, 2, 300, 5, 9, 1_800, 3, 4, 700, 12, 6, 2_400, 8, 90, 33, 5, 1_100, 2, 60, 7, 900, 4, 20, 15]
    visits = [start + timedelta(seconds=sum(pauses[: number + 1])) for number in range(len(pauses))]
    return [
        *(_web(f"{at:%H:%M:%S}", "c2.quiet.example", _NEW_DOMAINS, user="heidi@contoso.com", path="s", sent=310) for at in beats),
        *(_web(f"{at:%H:%M:%S}", "paper.news.example", "News and Media", user="dave@contoso.com", path="live") for at in visits),
        *(
            _web(f"{at:%H:%M:%S}", "feed.vendor.example", "Professional Services", user=f"{user}@contoso.com", path="feed")
            for user in ("alice", "bob", "carol")
            for at in beats[:24]
        ),
    ]


def feed() -> list[Row]:
    """Web log and firewall log a week ago and today; today the web log ends at 10:05."""
    clocks = [f"10:{minute:02}" for minute in range(0, 50, 5)]
    rows = [_web(clock, "www.contoso.com", "Corporate Marketing", days=-7) for clock in clocks]
    rows += [_web(clock, "www.contoso.com", "Corporate Marketing") for clock in clocks if clock <= "10:05"]
    firewall = [_web(clock, "", "Firewall", days=days) for days in (-7, 0) for clock in clocks]
    return rows + [{**row, "DeviceProduct": "NSSFWlog"} for row in firewall]


def admin_changes() -> list[Row]:
    """Decryption is turned off for everybody at night, and activated; a rule that allows, never activated; ordinary changes."""
    inspect = {"name": "Inspect all", "action": {"type": "DECRYPT"}, "users": ["Finance"]}
    skip = {"name": "Inspect all", "action": {"type": "DO_NOT_DECRYPT"}, "users": ["ANY"]}
    block, allow = {"name": "Gambling", "action": "BLOCK"}, {"name": "Gambling", "action": "ALLOW"}
    night: dict[str, Any] = {"admin": "mallory@contoso.com", "source": "203.0.113.77"}
    return [
        _audit("02:10", "UPDATE", "SSL Inspection", "Inspect all", (inspect, skip), **night),
        _audit("02:12", "ACTIVATE", "Activation", "Activation", **night),
        _audit("09:00", "UPDATE", "URL Filtering", "Gambling", (block, {**block, "order": 3})),
        _audit("09:01", "UPDATE", "Login Page", "Logo", ({"action": "SHOW"}, {"action": "ALLOW"})),
        _audit("09:02", "DELETE", "URL Filtering", "Old exception", (allow, None)),
        _audit("09:05", "ACTIVATE", "Activation", "Activation"),
        _audit("16:00", "DELETE", "Firewall Filtering", "Block file sharing", (block, None)),
        _audit("16:02", "CREATE", "URL Filtering", "Gambling", (None, allow), outcome="FAILURE"),
        _audit("16:05", "ACTIVATE", "Activation", "Activation"),
        _audit("18:00", "CREATE", "URL Filtering", "Gambling", (None, allow)),
    ]


SCENARIOS: dict[str, Callable[[], list[Row]]] = {
    "ordinary": ordinary,
    "risky": risky,
    "downloads": downloads,
    "uploads": uploads,
    "dlp": dlp,
    "random-domains": random_domains,
    "beacon": beacon,
    "feed": feed,
    "admin-changes": admin_changes,
}


def _generated(number: int) -> str:
    """A name as malware makes them: consonants and digits, the same in every run."""
    letters = "bcdfghjklmnpqrstvwxz0123"
    digest = hashlib.sha256(f"generated {number}".encode()).digest()
    return "".join(letters[byte % len(letters)] for byte in digest[:14]) + ".example"


def _time(clock: str, days: int = 0) -> str:
    """12:30 or 12:30:05 on the day, or so many days away from it."""
    hour, minute, *seconds = (int(part) for part in clock.split(":"))
    moment = _DAY + timedelta(days=days, hours=hour, minutes=minute, seconds=seconds[0] if seconds else 0)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.0000000Z"


def _audit(clock: str, operation: str, area: str, resource: str, rule: _Change = (None, None), **more: Json) -> Row:
    before, after = rule
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": _time(clock),
        "DeviceVendor": "Zscaler",
        "DeviceProduct": "NSSAuditlog",
        "DeviceVersion": "5.7",
        "DeviceEventClassID": operation,
        "Activity": operation,
        "DeviceEventCategory": "UI",
        "EventOutcome": more.get("outcome", "SUCCESS"),
        "SourceUserName": more.get("admin", "admin@contoso.com"),
        "SourceIP": more.get("source", "192.0.2.10"),
        "SourceServiceName": "ZIA",
        "DeviceExternalID": str(4000 + int(clock.replace(":", ""))),
        "DeviceCustomString1": area,
        "DeviceCustomString1Label": "category",
        "DeviceCustomString2": f"{area} Rules",
        "DeviceCustomString2Label": "subcategory",
        "DeviceCustomString3": resource,
        "DeviceCustomString3Label": "resource",
        "DeviceCustomString4": compact(before) if before else "{}",
        "DeviceCustomString4Label": "preaction",
        "DeviceCustomString5": compact(after) if after else "{}",
        "DeviceCustomString5Label": "postaction",
        "Type": "CommonSecurityLog",
    }


def _web(clock: str, host: str, category: str, **more: object) -> Row:
    threat, action = str(more.get("threat", "None")), str(more.get("action", "Allowed"))
    reason, method = str(more.get("reason", "Allowed")), str(more.get("method", "POST"))
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": _time(clock, int(str(more.get("days", 0)))),
        "DeviceVendor": "Zscaler",
        "DeviceProduct": "NSSWeblog",
        "DeviceVersion": "5.7",
        "DeviceAction": action,
        "Activity": reason,
        "Reason": reason,
        "LogSeverity": "3",
        "ApplicationProtocol": "HTTPS",
        "DeviceEventCategory": category,
        "DestinationHostName": host,
        "DestinationIP": "198.51.100.40",
        "DestinationServiceName": "General Browsing",
        "SourceIP": str(more.get("source", "10.0.88.14")),
        "SourceTranslatedAddress": "203.0.113.9",
        "SentBytes": int(str(more.get("sent", 890))),
        "ReceivedBytes": 1240,
        "EventOutcome": "403" if action == "Blocked" else "200",
        "RequestURL": f"{host}/{more.get('path', 'submit')}",
        "RequestMethod": method,
        "RequestClientApplication": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
        "SourceUserName": str(more.get("user", "carol@contoso.com")),
        "SourceUserPrivileges": "Road Warrior",
        "FileName": str(more.get("name", "None")),
        "DeviceCustomNumber1": int(str(more.get("risk", 0))),
        "DeviceCustomNumber1Label": "riskscore",
        "DeviceCustomString1": "Finance",
        "DeviceCustomString1Label": "dept",
        "DeviceCustomString2": "User-defined",
        "DeviceCustomString2Label": "urlsupercat",
        "DeviceCustomString3": str(more.get("app_class", "None")),
        "DeviceCustomString3Label": "appclass",
        "DeviceCustomString4": "None" if threat == "None" else "Malware",
        "DeviceCustomString4Label": "malwarecat",
        "DeviceCustomString5": threat,
        "DeviceCustomString5Label": "threatname",
        "DeviceCustomString6": str(more.get("engine", "None")),
        "DeviceCustomString6Label": "dlpeng",
        "AdditionalExtensions": str(more.get("extensions", "ssldecrypted=Yes;devicehostname=WS-014;bypassed_traffic=0")),
        "Type": "CommonSecurityLog",
    }
