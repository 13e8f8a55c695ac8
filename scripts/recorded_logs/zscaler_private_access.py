"""The log stream of Zscaler Private Access (LSS) as rows of ZPA_CL: one JSON object per row, as text in the column Message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from scripts.recorded_logs.kube import Json
from scripts.recorded_logs.shapes import SUBSCRIPTION, WORKSPACE, Row, compact

_DAY = datetime(2026, 3, 2)  # noqa: DTZ001  # written as UTC
_CLOSED = "BRK_MT_TERMINATED"
_REJECTED = "BRK_MT_SETUP_FAIL_REJECTED_BY_POLICY"
_UP = "ZPN_STATUS_AUTHENTICATED"


def ordinary_day() -> list[Row]:
    """People at work from eight to five: allowed connections, one reject each, two connectors that report every half hour."""
    rows = []
    for hour in range(8, 17):
        for number, user in enumerate(("alice", "bob", "carol")):
            clock = f"{hour:02}:{5 + number:02}"
            rows += [_status(clock, user), _activity(f"{hour:02}:{15 + number:02}", user, "wiki.contoso.com")]
            rows.append(_activity(f"{hour:02}:{25 + number:02}", user, "files.contoso.com", port=445, sent=4_000_000))
        rows += [_connector(f"{hour:02}:{minute:02}", name) for minute in (0, 30) for name in ("hq-1", "hq-2")]
    rejects = [
        _activity(f"09:3{number}", user, "hr.contoso.com", reason=_REJECTED) for number, user in enumerate(("alice", "bob", "carol"))
    ]
    service = [_activity("10:00", "", "lss.contoso.com", name="ZPA LSS Client", ip="198.51.100.200", country="US")]
    return _sorted(rows + rejects + service)


def scan() -> list[Row]:
    """A laptop tries 24 inner hosts in twelve minutes across the border of two windows; a program asks one refused host forty times."""
    reasons = (_REJECTED, "BRK_MT_SETUP_FAIL_NO_POLICY_FOUND")
    probes = [
        _activity(f"10:{9 + number // 2:02}:{number % 2 * 30:02}", "mallory", f"srv-{number:03}.contoso.com", reason=reasons[number % 2])
        for number in range(24)
    ]
    retries = [
        _activity(f"10:{10 + number // 4:02}:{number % 4 * 15:02}", "dave", "old.contoso.com", reason=_REJECTED) for number in range(40)
    ]
    return _sorted(probes + retries)


def travel() -> list[Row]:
    """One user is active from Israel and twenty minutes later from Brazil; another changes country after a flight of three hours."""
    return [
        _activity("11:00", "alice", "wiki.contoso.com", ip="192.0.2.30", country="IL"),
        _activity("11:20", "alice", "files.contoso.com", ip="203.0.113.80", country="BR"),
        _activity("11:22", "alice", "dc01.contoso.com", ip="203.0.113.80", country="BR", port=3389),
        _activity("08:10", "bob", "wiki.contoso.com", ip="192.0.2.31", country="DE"),
        _activity("11:21", "bob", "wiki.contoso.com", ip="198.51.100.31", country="FR"),
        _activity("11:10", "", "lss.contoso.com", name="ZPA LSS Client", ip="198.51.100.200", country="US"),
        _activity("11:15", "", "lss.contoso.com", name="ZPA LSS Client", ip="198.51.100.201", country="NL"),
    ]


def posture() -> list[Row]:
    """A device without endpoint protection opens remote desktop to a domain controller; so does one that was repaired in between."""
    missing = "CrowdStrike Running"
    critical = {"group": "Domain Controllers", "port": 3389}
    return [
        _status("12:00", "alice", missing=f"{missing},Disk Encrypted", hit="Domain Joined"),
        _activity("12:10", "alice", "dc01.contoso.com", **critical),
        _status("12:00", "bob", missing=[missing]),
        _status("12:05", "bob", missing=[]),
        _activity("12:11", "bob", "dc01.contoso.com", **critical),
        _status("12:02", "carol", missing=[missing]),
        _activity("12:12", "carol", "wiki.contoso.com"),
        _status("12:03", "dave", missing=""),
        _activity("12:13", "dave", "dc02.contoso.com", **critical),
    ]


def admin_changes() -> list[Row]:
    """An administrator opens an access policy for everybody, makes a provisioning key and deletes the log receiver; ordinary changes."""
    deny = {"name": "Contractors", "action": "DENY", "conditions": [{"operands": ["contractors"]}]}
    allow = {"name": "Contractors", "action": "ALLOW", "conditions": []}
    narrow, wide = {"domainNames": ["wiki.contoso.com"]}, {"domainNames": ["*.contoso.com"]}
    receiver = {"name": "srv-sentinel-000", "enabled": True, "lssHost": "192.0.2.50"}
    night = "mallory@contoso.com"
    return [
        _audit("03:00", "Update", "Policy", "Contractors", deny, allow, night),
        _audit("03:01", "Create", "Provisioning Key", "key-9", None, {"name": "key-9", "maxUsage": 100}, night),
        _audit("03:02", "Update", "Application", "Wiki", narrow, wide, night),
        _audit("03:05", "Delete", "Log Receiver", "srv-sentinel-000", receiver, None, night),
        _audit("09:00", "Update", "Policy", "Contractors", deny, {**deny, "description": "reviewed"}, "admin@contoso.com"),
        _audit("09:01", "Update", "Application", "Wiki", narrow, {"domainNames": ["wiki2.contoso.com"]}, "admin@contoso.com"),
        _audit("09:02", "Update", "Log Receiver", "srv-sentinel-000", receiver, receiver, "admin@contoso.com"),
        _audit("09:03", "Sign In", "User", "admin", None, None, "admin@contoso.com"),
        _audit("09:10", "Update", "Log Receiver", "srv-sentinel-000", receiver, {**receiver, "enabled": False}, "admin@contoso.com"),
    ]


def connectors() -> list[Row]:
    """In one of two pairs a connector signs off and its partner is busy; later a connector of the other pair speaks from elsewhere."""
    clocks = [f"{hour:02}:{minute:02}" for hour in (13, 14) for minute in range(0, 60, 10)]
    rows = [_connector(clock, name) for clock in clocks for name in ("hq-1", "hq-2")]
    rows += [_connector(clock, "ovh-1", group="OVH", ip="192.0.2.61", cpu=95 if clock >= "14:00" else 20) for clock in clocks]
    rows += [_connector(clock, "ovh-2", group="OVH", ip="192.0.2.62") for clock in clocks if clock < "14:00"]
    rows += [_connector("14:00", "ovh-2", group="OVH", ip="192.0.2.62", status="ZPN_STATUS_DISCONNECTED")]
    rows += [_connector(clock, name, days=-days) for days in (1, 5) for clock in ("13:00", "14:00") for name in ("hq-1", "hq-2")]
    rows += [_connector("16:10", "hq-1", ip="203.0.113.90"), _connector("16:10", "hq-2")]
    rows += [_connector("16:20", "hq-9", ip="203.0.113.91")]
    return _sorted(rows)


def stream() -> list[Row]:
    """The stream a week ago and today: today the records of users end at 10:05, those of connectors go on."""
    clocks = [f"10:{minute:02}" for minute in range(0, 50, 5)]
    users = [(days, clock) for days in (-7, 0) for clock in clocks if days or clock <= "10:05"]
    rows = [_activity(clock, "alice", "wiki.contoso.com", days=days) for days, clock in users]
    return _sorted(rows + [_connector(clock, "hq-1", days=days) for days in (-7, 0) for clock in clocks])


def volume() -> list[Row]:
    """One user reads 30 GB of a file server at night, a hundred times what he ever did; another runs the weekly copy as on every Monday."""
    rows = [_activity("10:00", "bob", "files.contoso.com", port=445, days=-days, read=300_000_000) for days in range(1, 8)]
    rows += [_activity("02:10", "carol", "backup.contoso.com", port=445, days=-days, read=9_000_000_000) for days in (7, 0)]
    rows += [_activity(f"02:{10 + number}", "bob", "files.contoso.com", port=445, read=10_000_000_000) for number in range(3)]
    # Counters of a connection that goes on are sums: counting these rows as well would count them twice.
    rows += [_activity("02:09", "dave", "wiki.contoso.com", reason="OPEN_OR_ACTIVE_CONNECTION", status="active", read=90_000_000_000)]
    rows += [_activity("02:30", "bob", "dc01.contoso.com", port=3389)]
    return _sorted(rows)


def decoys() -> list[Row]:
    """Somebody reaches for a decoy, by name and by address; a scanner does as it does every day."""
    return [
        _activity("15:00", "mallory", "Finance-Backup.contoso.com", port=445),
        _activity("15:01", "mallory", "10.0.9.9", port=22, server="10.0.9.9", reason=_REJECTED),
        _activity("15:02", "scanner", "finance-backup.contoso.com", port=445, ip="192.0.2.99"),
        _activity("15:03", "alice", "wiki.contoso.com"),
    ]


def authentication() -> list[Row]:
    """A cloned client, too many failed attempts, and a disabled user who still gets in; one whose session only timed out."""
    inactive = "BRK_MT_SETUP_FAIL_SCIM_INACTIVE"
    rows = [_activity(f"17:00:{number * 4:02}", "erin", "files.contoso.com", reason=inactive) for number in range(12)]
    return _sorted(
        [
            *rows,
            _activity("17:20", "erin", "files.contoso.com", port=445),
            _activity("17:21", "heidi", "wiki.contoso.com", reason="BRK_MT_AUTH_SAML_FINGER_PRINT_FAIL", ip="203.0.113.77", country="BR"),
            _activity("17:22", "frank", "wiki.contoso.com", reason="BRK_MT_SETUP_FAIL_TOO_MANY_FAILED_ATTEMPTS"),
            _activity("17:23", "grace", "wiki.contoso.com", reason="BRK_MT_SETUP_FAIL_SAML_EXPIRED"),
            _activity("17:24", "ivan", "wiki.contoso.com", reason=inactive),
        ]
    )


def habits() -> list[Row]:
    """Two months: one account rests for six weeks and comes back at three in the morning; another works every week."""
    rows = [_activity("10:00", "alice", "wiki.contoso.com", days=-days) for days in range(0, 60, 7)]
    rows += [_activity("10:00", "oscar", "wiki.contoso.com", days=-days) for days in (60, 52, 45)]
    return _sorted([*rows, _activity("03:00", "oscar", "files.contoso.com", port=445)])


def disaster_recovery() -> list[Row]:
    """The DNS record of disaster recovery is switched on by somebody, then tested by its owner; another record of the zone changes."""
    return [
        _dns("04:00", "zpa-dr", "v=1;b=on;k=zpa;m=fo", "mallory@contoso.com", "203.0.113.77"),
        _dns("09:00", "zpa-dr", "v=1;b=test;k=zpa;m=fo", "admin@contoso.com", "192.0.2.10"),
        _dns("09:30", "_acme-challenge", "abc", "admin@contoso.com", "192.0.2.10"),
    ]


SCENARIOS: dict[str, Callable[[], list[Row]]] = {
    "ordinary-day": ordinary_day,
    "scan": scan,
    "travel": travel,
    "posture": posture,
    "admin-changes": admin_changes,
    "connectors": connectors,
    "stream": stream,
    "volume": volume,
    "decoys": decoys,
    "authentication": authentication,
    "habits": habits,
}
ACTIVITY_SCENARIOS: dict[str, Callable[[], list[Row]]] = {"disaster-recovery": disaster_recovery}


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: str(row["TimeGenerated"]))


def _moment(clock: str, days: int = 0) -> datetime:
    hour, minute, *seconds = (int(part) for part in clock.split(":"))
    return _DAY + timedelta(days=days, hours=hour, minutes=minute, seconds=seconds[0] if seconds else 0)


def _row(moment: datetime, message: Row) -> Row:
    # LSS writes the time of the record as "Mon Mar  2 09:05:00 2026", which no KQL function reads.
    text = compact({"LogTimestamp": f"{moment:%a %b} {moment.day:2} {moment:%H:%M:%S %Y}", "Customer": "Contoso", **message})
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": f"{moment:%Y-%m-%dT%H:%M:%S}.0000000Z",
        "Computer": "srv-lss-01",
        "Message": text,
        "Type": "ZPA_CL",
    }


def _user(user: str, more: dict[str, Json]) -> str:
    return str(more.get("name", f"{user}@contoso.com"))


def _activity(clock: str, user: str, host: str, **more: Json) -> Row:
    moment = _moment(clock, more.get("days", 0))
    reason = more.get("reason", _CLOSED)
    port = more.get("port", 443)
    session = f"{user or 'service'}-{moment:%d}"
    return _row(
        moment,
        {
            "SessionID": session,
            "ConnectionID": f"{session},{moment:%H%M%S}",
            "InternalReason": reason,
            "ConnectionStatus": more.get("status", "close"),
            "IPProtocol": 6,
            "Username": _user(user, more),
            "ServicePort": port,
            "ClientPublicIP": more.get("ip", "192.0.2.20"),
            "ClientPrivateIP": "10.0.0.7",
            "ClientCountryCode": more.get("country", "DE"),
            "ClientZEN": "EU-DE-1",
            "Policy": "Allow Internal Applications" if "FAIL" not in reason else "0",
            "Connector": "hq-1",
            "Host": host,
            "Application": "Internal",
            "AppGroup": more.get("group", "Internal Applications"),
            "Server": "0",
            "ServerIP": more.get("server", "10.0.9.1"),
            "ServerPort": port,
            "PolicyProcessingTime": 18,
            "TimestampConnectionStart": f"{moment - timedelta(seconds=5):%Y-%m-%dT%H:%M:%S}.621Z",
            "TimestampConnectionEnd": f"{moment:%Y-%m-%dT%H:%M:%S}.678Z",
            "ZENTotalBytesRxClient": more.get("sent", 5_904),
            "ZENTotalBytesTxClient": more.get("read", 49_601),
            "Idp": "Entra ID",
        },
    )


def _status(clock: str, user: str, *, missing: Json = "", hit: Json = "CrowdStrike Running,Domain Joined") -> Row:
    moment = _moment(clock)
    return _row(
        moment,
        {
            "Username": f"{user}@contoso.com",
            "SessionID": f"{user}-{moment:%d}",
            "SessionStatus": _UP,
            "Version": "4.3.0",
            "PublicIP": "192.0.2.20",
            "PrivateIP": "10.0.0.7",
            "CountryCode": "DE",
            "Hostname": f"WS-{user.upper()}",
            "Platform": "windows",
            "ClientType": "zpn_client_type_zapp",
            "TrustedNetworks": "",
            "SAMLAttributes": "{}",
            "PosturesHit": hit,
            "PosturesMiss": missing,
        },
    )


def _connector(clock: str, name: str, **more: Json) -> Row:
    moment = _moment(clock, more.get("days", 0))
    status = more.get("status", _UP)
    return _row(
        moment,
        {
            "SessionID": f"{name}-control",
            "SessionType": "ZPN_ASSISTANT_BROKER_CONTROL",
            "SessionStatus": status,
            "Version": "24.1.1",
            "Platform": more.get("platform", "el9"),
            "ZEN": "EU-DE-1",
            "Connector": name,
            "ConnectorGroup": more.get("group", "HQ"),
            "PrivateIP": "10.0.8.4",
            "PublicIP": more.get("ip", "192.0.2.51"),
            "TimestampAuthentication": f"{moment - timedelta(hours=4):%Y-%m-%dT%H:%M:%S}.000Z",
            "TimestampUnAuthentication": "" if status == _UP else f"{moment:%Y-%m-%dT%H:%M:%S}.000Z",
            "CPUUtilization": more.get("cpu", 20),
            "MemUtilization": 40,
            "ServiceCount": 12,
        },
    )


def _audit(clock: str, operation: str, kind: str, name: str, *rest: Json) -> Row:
    """`rest`: the object before, the object after, who changed it."""
    before, after, user = rest
    moment = _moment(clock)
    return _row(
        moment,
        {
            "ModifiedTime": f"{moment:%Y-%m-%dT%H:%M:%S}.000Z",
            "CreationTime": f"{moment:%Y-%m-%dT%H:%M:%S}.000Z",
            "ModifiedBy": 72_057_594_037_928,
            "RequestID": f"req-{clock}",
            "SessionID": f"session-{user.partition('@')[0]}",
            "AuditOldValue": compact(before) if before else "",
            "AuditNewValue": compact(after) if after else "",
            "AuditOperationType": operation,
            "ObjectType": kind,
            "ObjectName": name,
            "ObjectID": 72_057_594_000_001,
            "CustomerID": 72_057_594_000_000,
            "User": user,
            "ClientAuditUpdate": 0,
        },
    )


def _dns(clock: str, record: str, text: str, caller: str, address: str) -> Row:
    moment = _moment(clock)
    zone = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-dns/providers/microsoft.network/dnszones/contoso.com/txt/{record}"
    body = {"properties": {"TTL": 60, "TXTRecords": [{"value": [text]}]}}
    return {
        "TenantId": WORKSPACE,
        "TimeGenerated": f"{moment:%Y-%m-%dT%H:%M:%S}.0000000Z",
        "OperationNameValue": "MICROSOFT.NETWORK/DNSZONES/TXT/WRITE",
        "ActivityStatusValue": "Success",
        "Caller": caller,
        "CallerIpAddress": address,
        "CategoryValue": "Administrative",
        "Level": "Information",
        "Properties": compact({"requestbody": compact(body), "entity": zone}),
        "CorrelationId": f"00000000-0000-0000-0000-0000000{moment:%H%M}1",
        "_ResourceId": zone,
        "Type": "AzureActivity",
    }
