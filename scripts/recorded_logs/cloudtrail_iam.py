"""CloudTrail events about identities, trails and guards of an AWS account, each scenario with harmless events that look like it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from urllib.parse import quote

from scripts.recorded_logs.cloudtrail import ACCOUNT, ADMIN, BOB, PIPELINE, ROOT, ROOT_SIGN_IN, Event, Principal, row, sign_in
from scripts.recorded_logs.kube import Json, at
from scripts.recorded_logs.shapes import Row, compact

_MALLORY_IP = "203.0.113.40"
_OPS = Principal("IAMUser", f"arn:aws:iam::{ACCOUNT}:user/ops-user", "AIDAEXAMPLEOPS000001", name="ops-user", key="AKIAEXAMPLEOPS00001")
_INSTANCE = Principal(
    "AssumedRole",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/web-server/i-0abc12345678def00",
    "AROAEXAMPLEWEB000001:i-0abc12345678def00",
    key="ASIAEXAMPLEWEB000001",
    role="web-server",
    mfa=False,
)
_CONNECTOR = Principal(
    "IAMUser", f"arn:aws:iam::{ACCOUNT}:user/mcas-connector", "AIDAEXAMPLEMCAS00001", name="mcas-connector", key="AKIAEXAMPLEMCAS0001"
)
_attack = partial(Event, who=_OPS, ip=_MALLORY_IP, agent="aws-cli/2.15.0")


def _rows(*events: Event) -> list[Row]:
    return [row(event) for event in events]


def _policy(action: Json, resource: Json, *, effect: str = "Allow", **more: Json) -> str:
    """A policy document as IAM records it: JSON text, percent-encoded."""
    return quote(compact({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]}))


def root_sign_in_changed() -> list[Row]:
    """Root's second factor is removed, its sign-in data changed and recovered; one removal is the replacement of a device."""
    root = partial(Event, who=ROOT, ip=_MALLORY_IP)
    form = partial(Event, who=ROOT_SIGN_IN, ip=_MALLORY_IP, kind="AwsConsoleSignIn")
    device = {"serialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/root"}
    return _rows(
        root(at=at("06:00:00"), name="iam:DeactivateMFADevice", request=device),
        root(at=at("06:05:00"), name="iam:EnableMFADevice", request=device),
        root(at=at("11:20:00"), name="iam:DeactivateMFADevice", request=device),
        form(at=at("11:21:00"), name="signin:PasswordRecoveryRequested"),
        form(at=at("11:22:00"), name="signin:EmailUpdated"),
        root(at=at("11:23:00"), name="iam:DeactivateMFADevice", request=device, error="AccessDenied", message="not authorized"),
        root(at=at("11:24:00"), name="iam:UpdateLoginProfile", request={"userName": "alice"}),
    )


def sign_in_without_mfa() -> list[Row]:
    """Two users sign in with nothing but what they know; one whose sign-in fails, one with a second factor, one by federation."""
    ops, ci = replace(_OPS, key=""), Principal("IAMUser", f"arn:aws:iam::{ACCOUNT}:user/ci", "AIDAEXAMPLECI0000001", name="ci")
    return _rows(
        sign_in(at("12:01:00"), ops, _MALLORY_IP, region="eu-central-1"),
        sign_in(at("12:02:00"), ci, _MALLORY_IP, mfa=""),
        sign_in(at("12:03:00"), ops, _MALLORY_IP, success=False),
        sign_in(at("12:04:00"), replace(BOB, key="", mfa=None), "198.51.100.8", mfa="Yes"),
        sign_in(at("12:05:00"), ADMIN, "198.51.100.7"),
    )


def admin_policy() -> list[Row]:
    """Administrator rights: the managed policy, one written inline, a list of actions, a new default version, all but billing."""
    managed = "arn:aws:iam::aws:policy/AdministratorAccess"
    version = {"policyArn": f"arn:aws:iam::{ACCOUNT}:policy/tools", "policyDocument": _policy("iam:*", ["*"]), "setAsDefault": True}
    excepting = quote(compact({"Statement": {"Effect": "Allow", "NotAction": "aws-portal:*", "Resource": "*"}}))
    return _rows(
        _attack(at=at("13:00:00"), name="iam:AttachUserPolicy", request={"userName": "testuser1", "policyArn": managed}),
        _attack(
            at=at("13:01:00"),
            name="iam:PutUserPolicy",
            request={"userName": "testuser1", "policyName": "a", "policyDocument": _policy("*", "*")},
        ),
        _attack(
            at=at("13:02:00"),
            name="iam:PutRolePolicy",
            request={"roleName": "app", "policyName": "b", "policyDocument": _policy(["s3:Get*", "*"], "*")},
        ),
        _attack(at=at("13:03:00"), name="iam:CreatePolicyVersion", request=version),
        _attack(
            at=at("13:04:00"), name="iam:PutGroupPolicy", request={"groupName": "staff", "policyName": "c", "policyDocument": excepting}
        ),
    )


def admin_policy_harmless() -> list[Row]:
    """A reading policy, one service's, a denial of everything, a version that is not the default, a refusal, the pipeline's work."""
    do = partial(Event, who=ADMIN, ip="198.51.100.7")
    version = {"policyArn": f"arn:aws:iam::{ACCOUNT}:policy/tools", "policyDocument": _policy("*", "*"), "setAsDefault": False}
    managed = "arn:aws:iam::aws:policy/AdministratorAccess"
    return _rows(
        do(
            at=at("13:00:00"),
            name="iam:AttachUserPolicy",
            request={"userName": "bob", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
        ),
        do(at=at("13:01:00"), name="iam:PutRolePolicy", request={"roleName": "app", "policyDocument": _policy("s3:*", "*")}),
        do(at=at("13:02:00"), name="iam:PutRolePolicy", request={"roleName": "app", "policyDocument": _policy("*", "*", effect="Deny")}),
        do(at=at("13:03:00"), name="iam:CreatePolicyVersion", request=version),
        do(at=at("13:04:00"), name="iam:AttachRolePolicy", request={"roleName": "x", "policyArn": managed}, error="AccessDenied"),
        Event(
            at=at("13:05:00"), who=PIPELINE, ip="192.0.2.10", name="iam:AttachRolePolicy", request={"roleName": "x", "policyArn": managed}
        ),
    )


def keys_for_others() -> list[Row]:
    """A user makes a key for another one, and a console sign-in that keeps its first secret; and harmless uses of these calls."""
    key = {"accessKey": {"userName": "ci-user", "accessKeyId": "AKIAEXAMPLECIUSER001", "status": "Active"}}
    own = {"accessKey": {"userName": "ops-user", "accessKeyId": "AKIAEXAMPLEOPS00002", "status": "Active"}}
    profile = {"userName": "svc-backup", "passwordResetRequired": False}
    return _rows(
        _attack(at=at("13:30:00"), name="iam:CreateAccessKey", request={"userName": "ci-user"}, response=key),
        _attack(at=at("13:31:00"), name="iam:CreateAccessKey", response=own),
        _attack(at=at("13:32:00"), name="iam:CreateAccessKey", request={"userName": "ops-user"}, response=own),
        _attack(at=at("13:33:00"), name="iam:CreateAccessKey", request={"userName": "bob"}, error="AccessDenied"),
        _attack(at=at("13:34:00"), name="iam:CreateLoginProfile", request=profile),
        _attack(at=at("13:35:00"), name="iam:UpdateLoginProfile", request={"userName": "bob"}),
        _attack(at=at("13:36:00"), name="iam:CreateLoginProfile", request={"userName": "new", "passwordResetRequired": True}),
        _attack(at=at("13:37:00"), name="iam:UpdateLoginProfile", request={"userName": "ops-user"}),
    )


def trail_tampered() -> list[Row]:
    """A trail is stopped, deleted, narrowed to a region and to writes; one is widened, one change is refused."""
    trail = {"name": "mcas-trail"}
    only_writes = {"trailName": "mcas-trail", "eventSelectors": [{"readWriteType": "WriteOnly", "includeManagementEvents": True}]}
    no_management = {"trailName": "mcas-trail", "eventSelectors": [{"readWriteType": "All", "includeManagementEvents": False}]}
    everything = {"trailName": "mcas-trail", "eventSelectors": [{"readWriteType": "All", "includeManagementEvents": True}]}
    do = partial(_attack, region="eu-central-1")
    return _rows(
        do(at=at("14:00:00"), name="cloudtrail:StopLogging", request=trail),
        do(at=at("14:01:00"), name="cloudtrail:DeleteTrail", request=trail),
        do(at=at("14:02:00"), name="cloudtrail:UpdateTrail", request={**trail, "isMultiRegionTrail": False}),
        do(at=at("14:03:00"), name="cloudtrail:PutEventSelectors", request=only_writes),
        do(at=at("14:04:00"), name="cloudtrail:PutEventSelectors", request=no_management),
        do(at=at("14:05:00"), name="cloudtrail:PutEventSelectors", request=everything),
        do(at=at("14:06:00"), name="cloudtrail:UpdateTrail", request={**trail, "isMultiRegionTrail": True}),
        do(at=at("14:07:00"), name="cloudtrail:StopLogging", request=trail, error="AccessDenied"),
        do(at=at("14:08:00"), name="cloudtrail:StartLogging", request=trail),
    )


def guards_off() -> list[Row]:
    """GuardDuty suspended and deleted, the account leaves its organization, recording stopped; a changed interval and a refusal."""
    detector = {"detectorId": "12abc34d567e8fa901bc2d34e56789f0"}
    do = partial(_attack, region="eu-central-1")
    return _rows(
        do(at=at("14:30:00"), name="guardduty:UpdateDetector", request={**detector, "enable": False}),
        do(at=at("14:31:00"), name="guardduty:DeleteDetector", request=detector),
        do(at=at("14:32:00"), name="organizations:LeaveOrganization", region="us-east-1"),
        do(at=at("14:33:00"), name="config:StopConfigurationRecorder", request={"configurationRecorderName": "default"}),
        do(at=at("14:34:00"), name="guardduty:UpdateDetector", request={**detector, "findingPublishingFrequency": "SIX_HOURS"}),
        do(at=at("14:35:00"), name="securityhub:DisableSecurityHub", error="AccessDenied"),
    )


def assume_root() -> list[Row]:
    """Root sessions of member accounts, taken by a user and by the security team; and an attempt that was refused."""
    task = {"arn": "arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials"}
    request = {"targetPrincipal": ACCOUNT, "taskPolicyArn": task}
    team = replace(ADMIN, arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/SecurityBreakGlass/alice@contoso.com", role="SecurityBreakGlass")
    return _rows(
        _attack(at=at("15:00:00"), name="sts:AssumeRoot", request=request),
        Event(at=at("15:01:00"), who=team, ip="198.51.100.7", name="sts:AssumeRoot", request=request),
        _attack(at=at("15:02:00"), name="sts:AssumeRoot", request=request, error="AccessDenied", message="not authorized"),
    )


def instance_credentials() -> list[Row]:
    """The keys of an instance's role: used at home for weeks, then from an address nobody knows, also over IPv6."""
    home = partial(Event, who=_INSTANCE, ip="198.51.100.200", name="s3:GetObject", agent="aws-sdk-go/1.50", region="eu-central-1")
    away = partial(home, ip=_MALLORY_IP, agent="aws-cli/2.15.0")
    return _rows(
        home(at=at("09:00:00", "2026-02-20")),
        home(at=at("15:20:00")),
        away(at=at("15:21:00"), name="sts:GetCallerIdentity", read_only=True),
        away(at=at("15:24:00"), name="s3:ListBuckets", read_only=True),
        away(at=at("15:25:00"), ip="2001:db8::99", name="s3:ListBuckets", read_only=True),
        home(at=at("15:26:00"), ip="10.20.0.7"),
        home(at=at("15:27:00"), ip="ec2.amazonaws.com"),
        home(at=at("15:28:00"), who=BOB, ip="198.51.100.9"),
    )


_ASKED = ("ListUsers", "ListRoles", "ListPolicies", "GetAccountSummary", "ListGroups", "GetAccountAuthorizationDetails", "ListAccessKeys")


def denied_survey() -> list[Row]:
    """A leaked key asks IAM for everything and is refused seven different times in six minutes."""
    start = at("16:07:00")
    return _rows(
        *(
            _attack(at=start + timedelta(seconds=55 * index), name=f"iam:{name}", error="AccessDenied", message="denied", read_only=True)
            for index, name in enumerate(_ASKED)
        )
    )


def denied_ordinary() -> list[Row]:
    """A program that may not list users and tries again and again, and a plan that lacks two permissions."""
    again = partial(Event, who=PIPELINE, ip="192.0.2.10", error="AccessDenied", message="denied", read_only=True)
    calls = [again(at=at("16:07:00") + timedelta(seconds=30 * index), name="iam:ListUsers") for index in range(12)]
    return _rows(*calls, again(at=at("16:09:10"), name="iam:GetRole"), again(at=at("16:09:20"), name="iam:ListRoles"))


def connector_tampered() -> list[Row]:
    """The user and the policy by which Defender for Cloud Apps reads the account: its key is used to write, its policy taken away."""
    name = {"userName": "mcas-connector"}
    work = partial(Event, who=_CONNECTOR, ip="192.0.2.55", agent="aws-sdk-dotnet")
    return _rows(
        work(at=at("17:00:00"), name="cloudtrail:LookupEvents", read_only=True),
        work(at=at("17:01:00"), name="s3:PutObject", ip=_MALLORY_IP),
        _attack(at=at("17:02:00"), name="iam:DeleteUserPolicy", request={**name, "policyName": "CloudAppSecurityPolicy"}),
        _attack(at=at("17:03:00"), name="iam:UpdateAccessKey", request={**name, "accessKeyId": _CONNECTOR.key, "status": "Inactive"}),
        _attack(at=at("17:04:00"), name="iam:GetUser", request=name, read_only=True),
        _attack(at=at("17:05:00"), name="iam:DeleteUser", request={"userName": "mcas-connector-old"}),
        _attack(at=at("17:06:00"), name="iam:DeleteUser", request=name, error="AccessDenied"),
    )


def watched_sign_in() -> list[Row]:
    """Sign-ins from watched addresses: one that succeeds, one that fails; and one from an address that nobody watches."""
    ops = replace(_OPS, key="")
    return _rows(
        sign_in(at("18:00:00"), ops, "203.0.113.77", mfa="Yes"),
        sign_in(at("18:01:00"), ROOT_SIGN_IN, "192.0.2.140", success=False),
        sign_in(at("18:02:00"), ops, "198.51.100.9", mfa="Yes"),
    )


def cloud_shell() -> list[Row]:
    """AWS CloudShell: an administrator who has used it for days, a user for the first time, and root."""
    inside = "aws-cli/2.15.0 Python/3.11 Linux/6.1 exec-env/CloudShell"
    start = partial(Event, name="cloudshell:CreateEnvironment", region="eu-central-1")
    return _rows(
        start(at=at("09:00:00", "2026-02-25"), who=ADMIN, ip="198.51.100.7"),
        start(at=at("13:30:00"), who=ADMIN, ip="198.51.100.7"),
        start(at=at("13:31:00"), who=_OPS, ip=_MALLORY_IP),
        _attack(at=at("13:32:00"), name="iam:ListUsers", agent=inside, ip="192.0.2.77", read_only=True),
        start(at=at("13:33:00"), who=ROOT, ip=_MALLORY_IP),
        start(at=at("13:34:00"), who=BOB, ip="198.51.100.8", error="AccessDenied"),
    )
