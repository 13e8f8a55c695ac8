"""AWS CloudTrail events and their rows in AWSCloudTrail.

`Event` holds what AWS documents for a CloudTrail record; `row` renames it as the Sentinel connector does. JSON members (request parameters,
response elements, additional data) stay JSON *text*, and a null in the record is an empty string in the table.
Shapes: AWS CloudTrail record contents, userIdentity element and console sign-in events; columns: Azure Monitor's table AWSCloudTrail.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from scripts.recorded_logs.kube import Json, at
from scripts.recorded_logs.shapes import WORKSPACE, Row, compact

ACCOUNT = "123456789012"
_ID_SPACE = uuid.UUID("00000000-0000-0000-0000-0000000000a5")
_CONSOLE = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"


@dataclass(frozen=True)
class Principal:
    """`userIdentity` of a record. Root has no user name; an assumed role has its issuer."""

    type: str
    arn: str
    principal_id: str
    name: str = ""
    key: str = ""
    invoked_by: str = ""
    role: str = ""
    mfa: bool | None = None


ROOT = Principal("Root", f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, key="ASIAEXAMPLEROOT00001", mfa=False)
ROOT_SIGN_IN = Principal("Root", f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
ADMIN = Principal(
    "AssumedRole",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/PlatformAdmin/alice@contoso.com",
    "AROAEXAMPLEADMIN00001:alice@contoso.com",
    key="ASIAEXAMPLEADMIN0001",
    role="PlatformAdmin",
    mfa=True,
)
PIPELINE = Principal(
    "AssumedRole",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/pipeline",
    "AROAEXAMPLEDEPLOY0001:pipeline",
    key="ASIAEXAMPLEDEPLOY001",
    role="Deploy",
    mfa=False,
)
BOB = Principal("IAMUser", f"arn:aws:iam::{ACCOUNT}:user/bob", "AIDAEXAMPLEBOB000001", name="bob", key="AKIAEXAMPLEBOB00001", mfa=True)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One CloudTrail record. `name` is "service:EventName", e.g. "iam:CreateUser"."""

    at: datetime
    who: Principal
    name: str
    ip: str
    agent: str = "console.amazonaws.com"
    region: str = "us-east-1"
    kind: str = "AwsApiCall"
    request: Json = None
    response: Json = None
    extra: Json = None
    error: str = ""
    message: str = ""
    read_only: bool = False


def row(event: Event) -> Row:
    """The row of AWSCloudTrail."""
    service, name = event.name.split(":")
    who = event.who
    columns: Row = {
        "TenantId": WORKSPACE,
        "TimeGenerated": event.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "AwsEventId": str(uuid.uuid5(_ID_SPACE, f"{event.at.isoformat()}|{event.name}|{who.arn}|{event.error}")),
        "EventVersion": "1.09",
        "EventName": name,
        "EventSource": f"{service}.amazonaws.com",
        "EventTypeName": event.kind,
        "AWSRegion": event.region,
        "SourceIpAddress": event.ip,
        "UserAgent": event.agent,
        "ErrorCode": event.error,
        "ErrorMessage": event.message,
        "UserIdentityType": who.type,
        "UserIdentityPrincipalid": who.principal_id,
        "UserIdentityArn": who.arn,
        "UserIdentityAccountId": ACCOUNT if who.arn else "",
        "UserIdentityUserName": who.name,
        "UserIdentityAccessKeyId": who.key,
        "UserIdentityInvokedBy": who.invoked_by,
        "RequestParameters": _text(event.request),
        "ResponseElements": _text(event.response),
        "AdditionalEventData": _text(event.extra),
        "ReadOnly": event.read_only,
        "ManagementEvent": True,
        "RecipientAccountId": ACCOUNT,
        "OperationName": "CloudTrail",
        "SourceSystem": "OpsManager",
        "Type": "AWSCloudTrail",
    }
    if who.mfa is not None:
        columns["SessionMfaAuthenticated"] = who.mfa
        columns["SessionCreationDate"] = (event.at - timedelta(minutes=4)).strftime("%Y-%m-%dT%H:%M:%SZ")
    if who.role:
        columns["SessionIssuerType"] = "Role"
        columns["SessionIssuerArn"] = f"arn:aws:iam::{ACCOUNT}:role/{who.role}"
        columns["SessionIssuerAccountId"] = ACCOUNT
        columns["SessionIssuerUserName"] = who.role
    return columns


def sign_in(moment: datetime, who: Principal, ip: str, *, success: bool = True, mfa: str = "No", region: str = "us-east-1") -> Event:
    """A ConsoleLogin event. Root's are recorded in us-east-1 only."""
    extra = {"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": mfa}
    return Event(
        at=moment,
        who=who,
        name="signin:ConsoleLogin",
        ip=ip,
        agent=_CONSOLE,
        region=region,
        kind="AwsConsoleSignIn",
        response={"ConsoleLogin": "Success" if success else "Failure"},
        extra=extra,
        message="" if success else "Failed authentication",
    )


def benign_day() -> list[Row]:
    """An ordinary day of the account: federated people, a pipeline, services that act for the account, AWS's own service events."""
    return sorted(
        (row(event) for part in (_people(), _automation(), _services()) for event in part), key=lambda item: str(item["TimeGenerated"])
    )


def _people() -> Iterator[Event]:
    bob_sign_in = Principal("IAMUser", BOB.arn, BOB.principal_id, name="bob")
    yield sign_in(at("08:02:10"), bob_sign_in, "198.51.100.8", mfa="Yes", region="eu-central-1")
    yield sign_in(at("08:01:50"), bob_sign_in, "198.51.100.8", success=False, mfa="Yes", region="eu-central-1")
    yield sign_in(at("08:30:00"), ADMIN, "198.51.100.7", mfa="No")
    bob = partial(Event, who=BOB, ip="198.51.100.8", region="eu-central-1", read_only=True)
    for index in range(12):
        yield bob(at=at("08:05:00") + timedelta(minutes=7 * index), name="ec2:DescribeInstances", request={"instancesSet": {}})
        yield bob(at=at("08:06:00") + timedelta(minutes=9 * index), name="iam:ListUsers", region="us-east-1")
    admin = partial(Event, who=ADMIN, ip="198.51.100.7")
    created = {
        "user": {"path": "/", "userName": "svc-report", "userId": "AIDAEXAMPLESVC00001", "arn": f"arn:aws:iam::{ACCOUNT}:user/svc-report"}
    }
    yield admin(at=at("09:10:00"), name="iam:CreateUser", request={"userName": "svc-report"}, response=created)
    key = {"accessKey": {"userName": "svc-report", "accessKeyId": "AKIAEXAMPLESVC00001", "status": "Active"}}
    yield admin(at=at("09:10:40"), name="iam:CreateAccessKey", request={"userName": "svc-report"}, response=key)
    # A user who makes a key for himself also sends no parameters: only the identity tells him from root.
    own = {"accessKey": {"userName": "bob", "accessKeyId": "AKIAEXAMPLEBOB00002", "status": "Active"}}
    yield Event(at=at("09:40:00"), who=BOB, ip="198.51.100.8", name="iam:CreateAccessKey", response=own)


def _automation() -> Iterator[Event]:
    assume = {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/Deploy", "roleSessionName": "pipeline"}
    pipeline = partial(Event, who=PIPELINE, ip="192.0.2.10", agent="APN/1.0 HashiCorp/1.0 Terraform/1.7.4", region="eu-central-1")
    for index in range(8):
        moment = at("00:20:00") + timedelta(hours=3 * index)
        yield pipeline(at=moment, name="sts:AssumeRole", request=assume)
        yield pipeline(at=moment + timedelta(seconds=4), name="s3:ListBuckets", read_only=True)
        yield pipeline(at=moment + timedelta(seconds=9), name="ec2:RunInstances", request={"instanceType": "t3.small"})
        denied = "User: pipeline is not authorized to perform: iam:CreateUser"
        if index == 3:
            yield pipeline(
                at=moment + timedelta(seconds=12), name="iam:CreateUser", request={"userName": "x"}, error="AccessDenied", message=denied
            )


def _services() -> Iterator[Event]:
    """Services on behalf of the account: some of these carry the root identity although nobody used root."""
    behalf = Principal("Root", ROOT.arn, ACCOUNT, invoked_by="backup.amazonaws.com")
    event = Principal("", "", "")
    for index in range(6):
        moment = at("01:00:00") + timedelta(hours=4 * index)
        host, region = "backup.amazonaws.com", "eu-central-1"
        yield Event(at=moment, who=behalf, name="ec2:CreateSnapshot", ip=host, agent=host, region=region, request={"volumeId": "vol-0a1"})
        yield Event(at=moment, who=event, name="kms:RotateKey", ip="kms.amazonaws.com", agent="kms.amazonaws.com", kind="AwsServiceEvent")


def root_console_login() -> list[Row]:
    """Root signs in without MFA after two failures."""
    ip = "203.0.113.77"
    failures = [sign_in(at("10:57:00") + timedelta(seconds=20 * index), ROOT_SIGN_IN, ip, success=False) for index in range(2)]
    return [row(event) for event in (*failures, sign_in(at("10:58:00"), ROOT_SIGN_IN, ip))]


def root_console_login_mfa() -> list[Row]:
    """Root signs in with MFA."""
    return [row(sign_in(at("10:58:00"), ROOT_SIGN_IN, "198.51.100.23", mfa="Yes"))]


def root_console_login_failed() -> list[Row]:
    """Root sign-ins that failed, and a success of another user."""
    bob = Principal("IAMUser", BOB.arn, BOB.principal_id, name="bob")
    failures = [sign_in(at("10:57:00") + timedelta(seconds=20 * index), ROOT_SIGN_IN, "203.0.113.77", success=False) for index in range(5)]
    return [row(event) for event in (*failures, sign_in(at("10:59:00"), bob, "198.51.100.8", mfa="Yes"))]


def _create_user(moment: datetime, who: Principal, name: str, ip: str, **more: Json) -> Event:
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    created = {
        "user": {"path": "/", "userName": name, "userId": "AIDAEXAMPLETEST00001", "arn": arn, "createDate": "Mar 2, 2026 11:02:03 AM"}
    }
    return Event(at=moment, who=who, name="iam:CreateUser", ip=ip, request={"userName": name}, response=created, **more)


def root_create_user() -> list[Row]:
    """Root lists the users and creates testuser1 in the console."""
    look = Event(at=at("11:01:40"), who=ROOT, name="iam:ListUsers", ip="198.51.100.23", read_only=True)
    return [row(look), row(_create_user(at("11:02:03"), ROOT, "testuser1", "198.51.100.23"))]


def root_create_user_evasions() -> list[Row]:
    """Root lets CloudFormation create the user; and a record that names root only by its ARN."""
    stack = Principal("Root", ROOT.arn, ACCOUNT, key=ROOT.key, invoked_by="cloudformation.amazonaws.com", mfa=False)
    untyped = Principal("", ROOT.arn, ACCOUNT, key=ROOT.key)
    host = "cloudformation.amazonaws.com"
    first = _create_user(at("11:03:00"), stack, "stackuser", host, agent=host)
    return [row(first), row(_create_user(at("11:04:00"), untyped, "quietuser", "198.51.100.23"))]


def root_create_user_failed() -> list[Row]:
    """Attempts of root that failed, and a user created by an administrator's role."""
    exists = "User with name testuser1 already exists."
    failed = Event(
        at=at("11:02:03"),
        who=ROOT,
        name="iam:CreateUser",
        ip="198.51.100.23",
        request={"userName": "testuser1"},
        error="EntityAlreadyExistsException",
        message=exists,
    )
    return [row(failed), row(_create_user(at("11:02:30"), ADMIN, "testuser2", "198.51.100.7"))]


def root_access_key() -> list[Row]:
    """Root makes an access key for itself: no request parameters, no user name in the answer."""
    key = {"accessKey": {"accessKeyId": "AKIAEXAMPLEROOT00001", "status": "Active", "createDate": "Mar 2, 2026 11:10:00 AM"}}
    return [row(Event(at=at("11:10:00"), who=ROOT, name="iam:CreateAccessKey", ip="198.51.100.23", response=key))]


def root_access_key_for_user() -> list[Row]:
    """Root makes a key for the IAM user alice, and fails to make a second key for itself."""
    key = {"accessKey": {"userName": "alice", "accessKeyId": "AKIAEXAMPLEALICE0001", "status": "Active"}}
    limit = "Cannot exceed quota for AccessKeysPerUser: 2"
    user = Event(at=at("11:10:00"), who=ROOT, name="iam:CreateAccessKey", ip="198.51.100.23", request={"userName": "alice"}, response=key)
    failed = Event(
        at=at("11:11:00"), who=ROOT, name="iam:CreateAccessKey", ip="198.51.100.23", error="LimitExceededException", message=limit
    )
    return [row(user), row(failed)]


def root_session() -> list[Row]:
    """A whole session of root: sign-in with MFA, a look around, a user, a key, sign-out of the trail."""
    ip = "198.51.100.23"
    look = partial(Event, who=ROOT, ip=ip, read_only=True)
    steps = [
        sign_in(at("21:00:05"), ROOT_SIGN_IN, ip, mfa="Yes"),
        look(at=at("21:01:00"), name="ec2:DescribeInstances", region="eu-central-1"),
        look(at=at("21:01:30"), name="iam:ListUsers"),
        _create_user(at("21:02:03"), ROOT, "testuser1", ip),
        Event(
            at=at("21:03:10"), who=ROOT, name="iam:CreateAccessKey", ip=ip, response={"accessKey": {"accessKeyId": "AKIAEXAMPLEROOT00001"}}
        ),
        Event(at=at("21:04:00"), who=ROOT, name="cloudtrail:StopLogging", ip=ip, region="eu-central-1", request={"name": "mcas-trail"}),
    ]
    return [row(step) for step in steps]


def _text(value: Json) -> str:
    return "" if value is None else compact(value)
