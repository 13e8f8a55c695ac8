"""What Defender for Cloud Apps reports: discovered apps, activities in connected apps, its alerts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from scripts.recorded_logs.kube import Json
from scripts.recorded_logs.shapes import TENANT, WORKSPACE, Row, compact

_DAY = datetime(2026, 3, 2)  # noqa: DTZ001  # written as UTC
_AWS = "Amazon Web Services"


def discovered() -> list[Row]:
    """A month of discovery: an unsanctioned app still in use, one that is blocked, a new app of a low score with uploads, known apps."""
    rows = [_shadow("15:05", "NSS", "Contoso Mail", "alice", days=-days, AppScore=10, AppTags=["Sanctioned"]) for days in range(0, 12, 3)]
    rows += [_shadow("15:05", "NSS", "Old Share", "bob", days=-days, AppScore=3, UploadedBytes=400_000_000) for days in (12, 9, 0)]
    rows.append(_shadow("15:05", "NSS", "Reddit", "alice", AppScore=8, AppTags=["Unsanctioned"], TotalEvents=42, BlockedEvents=0))
    rows.append(_shadow("15:05", "NSS", "Bets", "carol", AppScore=4, AppTags=["Unsanctioned"], TotalEvents=9, BlockedEvents=9))
    rows.append(_shadow("15:05", "NSS", "Chat", "carol", AppScore=8, AppTags=["unsanctioned"], TotalEvents=5, BlockedEvents=4))
    rows += [_shadow(f"15:0{n}", "NSS", "File Drop", "dave", AppScore=2, UploadedBytes=450_000_000) for n in (6, 7)]
    rows.append(_shadow("15:08", "Win10 Endpoint Users", "Small Tool", "erin", AppScore=2, UploadedBytes=90_000))
    return _sorted(rows)


def streams() -> list[Row]:
    """Discovery of two sources, four times a day for a week; that of the proxy ends on the morning of the day before."""
    hours = [(-days, hour) for days in range(7) for hour in (1, 7, 13, 19)]
    endpoint = [
        _shadow(f"{hour:02}:05", "Win10 Endpoint Users", "Contoso Mail", "alice", days=days) for days, hour in hours if days or hour < 19
    ]
    proxy = [_shadow(f"{hour:02}:06", "NSS", "Contoso Mail", "alice", days=days) for days, hour in hours if (days, hour) <= (-1, 7)]
    return _sorted(endpoint + proxy)


def aws_activity() -> list[Row]:
    """Root makes a user, as the connector of AWS reports it; an administrator makes another; root lists users and fails once."""
    return [
        _event("11:03", _AWS, "CreateUser", "root", raw=_trail("Root", "e-1", {"userName": "testuser1"}), IPAddress="198.51.100.23"),
        _event("11:04", _AWS, "ListUsers", "root", raw=_trail("Root", "e-2", None), IPAddress="198.51.100.23"),
        _event("11:05", _AWS, "CreateAccessKey", "root", raw=_trail("Root", "e-3", None, "AccessDenied"), IPAddress="198.51.100.23"),
        _event("11:06", _AWS, "CreateUser", "ops-user", raw=_trail("IAMUser", "e-4", {"userName": "ci"}), IPAddress="192.0.2.10"),
    ]


def admin_anonymous() -> list[Row]:
    """Administrators work through an anonymising proxy, from an address tagged as Tor, and from the office; a reader uses a proxy."""
    return [
        _event(
            "12:00",
            "Microsoft 365",
            "Add member to role.",
            "mallory",
            IsAdminOperation=True,
            IsAnonymousProxy=True,
            IPAddress="203.0.113.77",
        ),
        _event("12:01", "Microsoft 365", "Set-Mailbox", "admin", IsAdminOperation=True, IPTags=["Tor"], IPAddress="203.0.113.78"),
        _event("12:02", "Microsoft 365", "FileAccessed", "alice", IsAnonymousProxy=True, IPAddress="203.0.113.79"),
        _event("12:03", "Microsoft 365", "Set-Mailbox", "admin", IsAdminOperation=True, IPAddress="192.0.2.10"),
    ]


def aws_deletions() -> list[Row]:
    """Somebody deletes 60 objects of AWS within half an hour; a clean-up does its daily 40; days before are quiet."""
    rows = [
        _event(f"13:{n // 2:02}:{n % 2 * 30:02}", _AWS, ("DeleteBucket", "DeleteDBInstance", "TerminateInstances")[n % 3], "root")
        for n in range(60)
    ]
    rows += [
        _event(f"13:{n // 2:02}:{n % 2 * 30:02}", _AWS, "DeleteSnapshot", "cleanup", days=-days) for days in range(5) for n in range(40)
    ]
    return _sorted([*rows, *(_event("10:00", _AWS, "DeleteBucket", "root", days=-days) for days in (2, 4))])


def alerts() -> list[Row]:
    """Alerts of Defender for Cloud Apps: a mass download twice under one id, a new app of discovery; one of another product."""
    return [
        _alert("14:00", "MCAS_ALERT_ANUBIS_DETECTION_REPEATED_ACTIVITY_DOWNLOAD", "Mass download", "Medium", "1"),
        _alert("14:10", "MCAS_ALERT_ANUBIS_DETECTION_REPEATED_ACTIVITY_DOWNLOAD", "Mass download", "High", "1"),
        _alert("14:20", "MCAS_ALERT_DISCOVERY_NEW_APP", "New high-volume app", "Low", "2"),
        {
            **_alert("14:30", "SuspiciousSignIn", "Unfamiliar sign-in", "Medium", "3"),
            "ProductName": "Azure Active Directory Identity Protection",
        },
    ]


SCENARIOS: dict[str, dict[str, Callable[[], list[Row]]]] = {
    "McasShadowItReporting": {"discovered": discovered, "streams": streams},
    "CloudAppEvents": {"aws-activity": aws_activity, "admin-anonymous": admin_anonymous, "aws-deletions": aws_deletions},
    "SecurityAlert": {"alerts": alerts},
}


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: str(row["TimeGenerated"]))


def _time(clock: str, days: int = 0) -> str:
    hour, minute, *seconds = (int(part) for part in clock.split(":"))
    moment = _DAY + timedelta(days=days, hours=hour, minutes=minute, seconds=seconds[0] if seconds else 0)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.0000000Z"


def _shadow(clock: str, stream: str, app: str, user: str, days: int = 0, **more: Json) -> Row:
    time = _time(clock, days)
    usual: Row = {
        "StreamName": stream,
        "AppName": app,
        "AppId": "11774",
        "AppCategory": "Collaboration",
        "AppScore": 8,
        "AppTags": [],
        "AppInstance": "",
        "UserName": f"{user}@contoso.com",
        "EnrichedUserName": f"{user}@contoso.com",
        "RawUserName": f"{user}@contoso.com",
        "IpAddress": "10.0.88.14",
        "MachineName": "",
        "TotalEvents": 20,
        "BlockedEvents": 0,
        "UploadedBytes": 310_000,
        "DownloadedBytes": 8_200_000,
        "AadTenantId": TENANT,
    }
    row = {"TenantId": WORKSPACE, "TimeGenerated": time, "Date": f"{time[:10]}T00:00:00Z", **usual, **more}
    row["TotalBytes"] = int(row["UploadedBytes"]) + int(row["DownloadedBytes"])
    return {**row, "Type": "McasShadowItReporting"}


def _event(clock: str, application: str, action: str, user: str, **more: Json) -> Row:
    days, raw = more.pop("days", 0), more.pop("raw", None)
    usual: Row = {
        "Application": application,
        "ActionType": action,
        "ActivityType": "Basic",
        "AccountDisplayName": user,
        "AccountId": user if application == _AWS else f"{user}@contoso.com",
        "AccountType": "Regular",
        "IPAddress": "192.0.2.20",
        "IPCategory": "Other",
        "IPTags": [],
        "CountryCode": "DE",
        "ISP": "Contoso Net",
        "IsAdminOperation": False,
        "IsAnonymousProxy": False,
        "IsExternalUser": False,
        "UserAgent": "aws-cli/2.15" if application == _AWS else "Mozilla/5.0",
        "ObjectName": "",
        "RawEventData": raw or {},
    }
    return {"TenantId": WORKSPACE, "TimeGenerated": _time(clock, days), **usual, **more, "Type": "CloudAppEvents"}


def _trail(kind: str, event: str, parameters: Json, error: str = "") -> Json:
    arn = "arn:aws:iam::123456789012:root" if kind == "Root" else "arn:aws:iam::123456789012:user/ops-user"
    record: Row = {
        "eventID": event,
        "recipientAccountId": "123456789012",
        "userIdentity": {"type": kind, "arn": arn},
        "requestParameters": parameters,
    }
    return {**record, "errorCode": error} if error else record


def _alert(clock: str, kind: str, name: str, severity: str, number: str) -> Row:
    entities = [
        {"$id": "3", "Name": "dave", "UPNSuffix": "contoso.com", "Type": "account"},
        {"$id": "4", "Address": "203.0.113.80", "Type": "ip"},
    ]
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": _time(clock),
        "AlertName": name,
        "DisplayName": name,
        "AlertType": kind,
        "AlertSeverity": severity,
        "ProductName": "Microsoft Cloud App Security",
        "ProviderName": "MCAS",
        "VendorName": "Microsoft",
        "VendorOriginalId": f"vendor-{number}",
        "SystemAlertId": f"00000000-0000-0000-0000-00000000000{number}",
        "Tactics": "Exfiltration",
        "Status": "New",
        "Entities": compact(entities),
        "Type": "SecurityAlert",
    }
