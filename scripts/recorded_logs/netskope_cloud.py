"""What Netskope's cloud reports: web transactions, alerts, connections, changes by administrators, errors of the connector."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from scripts.recorded_logs.kube import Json
from scripts.recorded_logs.shapes import WORKSPACE, Row

_DAY = datetime(2026, 3, 2)  # noqa: DTZ001  # written as UTC
_HANDSHAKE: Row = {
    "XClientSslErr": "HsFailure (tlsv1 alert unknown ca)",
    "XCsSslHandshakeError": "Yes",
    "XCsSslEngineAction": "Block",
    "XCsSslEngineActionReason": "SSL Error - SSL Handshake Error",
    "XError": "client-ssl",
}
_PERSONAL: Row = {
    "XCsApp": "Drop Files",
    "XCsAppCategory": "Cloud Storage",
    "XCsAppCcl": "poor",
    "XCsAppCci": 21,
    "XCsAppActivity": "Upload",
}
_MAIL: Row = {
    "XCsApp": "Contoso Mail",
    "XCsAppCategory": "Webmail",
    "XCsAppCcl": "excellent",
    "XCsAppCci": 92,
    "XCsAppInstanceName": "contoso.com",
}


def ordinary_day() -> list[Row]:
    """Mail, a sanctioned store, news: excellent apps, managed devices, one blocked page, one country."""
    rows = []
    for days in range(-6, 1):
        for number, user in enumerate(("alice", "bob", "carol", "dave")):
            rows.append(_web(f"09:{10 + number}", user, "mail.contoso.com", days=days, **_MAIL))
            rows.append(_web(f"09:{20 + number}", user, "store.contoso.com", days=days, ScBytes=40_000_000, XCsApp="Contoso Store"))
    rows.append(_web("09:40", "bob", "bets.example", XPolicyAction="block", XPolicyName="Gambling", XCategory="Gambling"))
    return _sorted(rows)


def broken_tls() -> list[Row]:
    """An app that pins its certificate fails for three users; another host fails for one; a third is exempt already."""
    host = "contoso.okta.example"
    rows = [
        _web(f"10:1{number}", user, host, XCsProcess="okta verify.exe", **_HANDSHAKE)
        for number, user in enumerate(("alice", "bob", "carol"))
    ]
    rows += [_web(f"10:2{number}", "dave", "old.vendor.example", **_HANDSHAKE) for number in range(5)]
    return [*rows, _web("10:30", "alice", "updates.vendor.example", XSslBypass="Yes", XSslBypassReason="SSL Do Not Decrypt")]


def uploads() -> list[Row]:
    """600 MB to an app of poor confidence; more to a private instance of a good one; uploads to the company's own, and a small one."""
    good: Row = {
        "XCsApp": "Big Drive",
        "XCsAppCategory": "Cloud Storage",
        "XCsAppCcl": "excellent",
        "XCsAppCci": 90,
        "XCsAppActivity": "Upload",
    }
    return [
        *(_web(f"11:0{n}", "dave", "up.drop.example", CsBytes=200_000_000, XCsAppObjectName=f"part{n}.7z", **_PERSONAL) for n in (1, 2, 3)),
        _web("11:05", "erin", "drive.example", CsBytes=700_000_000, XCsAppInstanceTag="Personal", XCsAppInstanceName="gmail", **good),
        _web(
            "11:06", "frank", "drive.example", CsBytes=900_000_000, XCsAppInstanceTag="Corporate", XCsAppInstanceName="contoso.com", **good
        ),
        _web("11:07", "grace", "up.drop.example", CsBytes=2_000_000, **_PERSONAL),
    ]


def travel() -> list[Row]:
    """One user is in Israel and twenty minutes later in Brazil; another's exit to the Internet changes between two known addresses."""
    return [
        _web("12:00", "alice", "mail.contoso.com", XCCountry="IL", XCsSrcIpEgress="192.0.2.30", **_MAIL),
        _web("12:20", "alice", "mail.contoso.com", XCCountry="BR", XCsSrcIpEgress="203.0.113.80", **_MAIL),
        _web("12:05", "bob", "mail.contoso.com", XCCountry="DE", XCsSrcIpEgress="192.0.2.40", **_MAIL),
        _web("12:25", "bob", "mail.contoso.com", XCCountry="IE", XCsSrcIpEgress="198.51.100.40", **_MAIL),
    ]


def violations() -> list[Row]:
    """One user runs into policies on twelve hosts; a page with an advertisement is blocked forty times for another."""
    blocked: Row = {"XPolicyAction": "block", "XCsAppActivity": "Upload"}
    rows = [_web(f"13:{10 + n}", "mallory", f"paste{n}.example", XPolicyName=f"Policy {n % 3}", **blocked) for n in range(12)]
    ads = [_web(f"13:{10 + n // 4:02}:{n % 4 * 15:02}", "carol", "ads.example", XPolicyName="Advertisements", **blocked) for n in range(40)]
    return _sorted(rows + ads)


def downloads() -> list[Row]:
    """A user takes 6 GB out of the company's store, who took 40 MB a day before; another does so from a device that is not managed."""
    rows = [
        _web("14:00", user, "store.contoso.com", days=-days, ScBytes=40_000_000, XCsApp="Contoso Store")
        for days in range(1, 6)
        for user in ("bob", "erin")
    ]
    big: Row = {"ScBytes": 1_500_000_000, "XCsApp": "Contoso Store", "XCsAppActivity": "Download"}
    rows += [_web(f"14:1{n}", "bob", "store.contoso.com", **big) for n in range(4)]
    rows += [_web("14:20", "erin", "store.contoso.com", XCDeviceClassification="unmanaged", XCsAccessMethod="Reverse Proxy", **big)]
    return _sorted(rows)


def alerts() -> list[Row]:
    """Malware that was only reported, malware that was blocked, a leaked credential, a match of DLP, and a policy's notice."""
    return [
        _alert(
            "15:00",
            "dave",
            "malware",
            "Win32.Backdoor.Agent",
            "alert",
            MalwareSeverity="high",
            LocalSha256="0" * 63 + "a",
            Dsthost="cdn.drop.example",
        ),
        _alert("15:01", "bob", "malware", "EICAR", "block", MalwareSeverity="low", Dsthost="files.example"),
        _alert("15:02", "erin", "Compromised Credential", "Breach of 2026", "alert"),
        _alert("15:03", "frank", "DLP", "PCI", "block", DlpProfile="PCI", DlpRule="Card numbers", Severity="high"),
        _alert("15:04", "grace", "policy", "Notice", "useralert"),
    ]


def connections() -> list[Row]:
    """Connections past the inspection, by reason; one through it."""
    return [
        _connection("16:00", "alice", "telemetry.browser.example", "yes", "SSL Do Not Decrypt Bypass Policy Matched"),
        _connection("16:01", "bob", "telemetry.browser.example", "yes", "SSL Do Not Decrypt Bypass Policy Matched"),
        _connection("16:02", "dave", "files.upload.example", "yes", "Exception"),
        _connection("16:03", "dave", "news.example", "no", ""),
    ]


def admin_audit() -> list[Row]:
    """An exception for a whole domain is added at night; a sign-in; a report."""
    return [
        _audit("02:00", "mallory", "Steering configuration updated", {"exceptions": ["*.upload.example"]}),
        _audit("09:00", "admin", "Login Successful", {}),
        _audit("09:05", "admin", "Report viewed", {"name": "weekly"}),
    ]


def connector_errors() -> list[Row]:
    """The connector's token is refused again and again; a day before it waited once."""
    return [
        *(
            _row("NetskopeWebtxErrors_CL", f"17:{minute:02}", error_s="Webtx Authentication failed: 401 invalid token")
            for minute in (5, 20, 35)
        ),
        _row("NetskopeWebtxErrors_CL", "08:00", error_s="503 Service Unavailable"),
    ]


def backlog() -> list[Row]:
    """The connector falls behind: the oldest transaction that it did not fetch is two hours old; in the morning it was half a minute."""
    return [
        _row("Netskope_WebTx_metrics_CL", clock, backlog_message_count_d=count, oldest_unacked_message_age_s=age)
        for clock, count, age in (("08:00", 120.0, "31"), ("17:10", 90_000.0, "5400"), ("17:40", 160_000.0, "7200"))
    ]


SCENARIOS: dict[str, dict[str, Callable[[], list[Row]]]] = {
    "NetskopeWebTransactions_CL": {
        "ordinary-day": ordinary_day,
        "broken-tls": broken_tls,
        "uploads": uploads,
        "travel": travel,
        "violations": violations,
        "downloads": downloads,
    },
    "NetskopeAlertEvents_CL": {"alerts": alerts},
    "NetskopeEventsConnection_CL": {"connections": connections},
    "NetskopeEventsAudit_CL": {"admin-audit": admin_audit},
    "NetskopeWebtxErrors_CL": {"connector-errors": connector_errors},
    "Netskope_WebTx_metrics_CL": {"backlog": backlog},
}


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: str(row["TimeGenerated"]))


def _row(table: str, clock: str, days: int = 0, **columns: Json) -> Row:
    hour, minute, *seconds = (int(part) for part in clock.split(":"))
    moment = _DAY + timedelta(days=days, hours=hour, minutes=minute, seconds=seconds[0] if seconds else 0)
    return {"TenantId": WORKSPACE, "TimeGenerated": f"{moment:%Y-%m-%dT%H:%M:%S}.0000000Z", **columns, "Type": table}


def _web(clock: str, user: str, host: str, days: int = 0, **more: Json) -> Row:
    """One transaction. What the proxy does not know is `-`, what it did not look at is `NotChecked`."""
    usual: Row = {
        "CsUsername": f"{user}@contoso.com",
        "CsHost": host,
        "CsUri": "/",
        "CsMethod": "POST" if more.get("XCsAppActivity") == "Upload" else "GET",
        "CsUserAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
        "CIp": "10.0.0.7",
        "XCsSrcIp": "10.0.0.7",
        "XCsSrcIpEgress": "192.0.2.20",
        "XCCountry": "DE",
        "XCDevice": "Windows Device",
        "XCHostname": f"WS-{user.upper()}",
        "XCDeviceClassification": "managed",
        "XCsAccessMethod": "Client",
        "XCsProcess": "chrome.exe",
        "XCsApp": "-",
        "XCsAppCategory": "-",
        "XCsAppCcl": "unknown",
        "XCsAppCci": 0,
        "XCsAppActivity": "Browse",
        "XCsAppInstanceName": "-",
        "XCsAppInstanceTag": "-",
        "XCsAppTags": "-",
        "XCsAppObjectName": "-",
        "XCategory": "Business",
        "XPolicyAction": "allow",
        "XPolicyName": "-",
        "XClientSslErr": "-",
        "XCsSslHandshakeError": "NotChecked",
        "XCsSslEngineAction": "Allow",
        "XCsSslEngineActionReason": "Established",
        "XSslBypass": "No",
        "XSslBypassReason": "-",
        "XSslPolicyAction": "Decrypt",
        "CsBytes": 900,
        "ScBytes": 20_000,
        "ScStatus": 200,
    }
    row = _row("NetskopeWebTransactions_CL", clock, days, **{**usual, **more})
    row["Bytes"] = int(row["CsBytes"]) + int(row["ScBytes"])
    return row


def _alert(clock: str, user: str, kind: str, name: str, action: str, **more: Json) -> Row:
    usual: Row = {
        "Alert": "yes",
        "AlertType": kind,
        "AlertName": name,
        "Action": action,
        "Activity": "Download",
        "App": "Drop Files",
        "User": f"{user}@contoso.com",
        "Userip": "10.0.0.7",
        "Hostname": f"WS-{user.upper()}",
        "SrcCountry": "DE",
        "Policy": "Default",
        "Url": "cdn.drop.example/a.zip",
    }
    return _row("NetskopeAlertEvents_CL", clock, **{**usual, **more})


def _connection(clock: str, user: str, host: str, bypass: str, reason: str) -> Row:
    return _row(
        "NetskopeEventsConnection_CL",
        clock,
        user=f"{user}@contoso.com",
        userPrincipalName=f"{user}@contoso.com",
        hostname=f"WS-{user.upper()}",
        dsthost=host,
        dstip="198.51.100.32",
        dstport=443,
        access_method="Client",
        bypass_traffic=bypass,
        bypass_reason=reason,
        traffic_type="Web",
    )


def _audit(clock: str, user: str, event: str, data: Json) -> Row:
    return _row(
        "NetskopeEventsAudit_CL",
        clock,
        audit_log_event=event,
        user=f"{user}@contoso.com",
        userPrincipalName=f"{user}@contoso.com",
        supporting_data=data,
        severity_level=2,
    )
