"""Every kind of value: the shape that its pseudonym has, what stays, and where it is found."""

from __future__ import annotations

import json
import re

import pytest

from tests.deploy.record.conftest import KEY, recording_of, text, texts

NAME = "anon[b-z]{11}"
UPPER = "ANON[B-Z]{11}"
GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
QUAD = r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}"

SHAPES = [
    # users
    ("UserPrincipalName", "alice@northwind.com", f"{NAME}@{NAME}\\.com"),
    ("UserPrincipalName", "alice@eu.corp.northwind.co.uk", f"{NAME}@{NAME}\\.{NAME}\\.{NAME}\\.co\\.uk"),
    ("UserPrincipalName", "alice_adatum.com#EXT#@northwind.onmicrosoft.com", f"{NAME}_{NAME}\\.com#EXT#@{NAME}\\.onmicrosoft\\.com"),
    ("UserPrincipalName", "O'Brien+news@northwind.com", f"AN[a-z]{{13}}\\+{NAME}@{NAME}\\.com"),
    ("Account", r"NORTHWIND\alice", rf"{UPPER}\\{NAME}"),
    ("Account", r"NORTHWIND\WEB01$", rf"{UPPER}\\{UPPER}\$"),
    ("Account", r"corp.northwind.com\alice", rf"{NAME}\.{NAME}\.com\\{NAME}"),
    ("UserDisplayName", "Smith, Alice", "Anon[b-z]{11}, Anon[b-z]{11}"),
    ("User_s", "ALICE", UPPER),
    ("Caller", "2f1a7b0e-3c55-4e11-9f7d-1d2a5b3c4d5e", GUID),
    # hosts and domains
    ("Computer", "WEB01", UPPER),
    ("Computer", "web01.corp.northwind.com", f"{NAME}\\.{NAME}\\.{NAME}\\.com"),
    ("Computer", "web01.northwind.py", f"{NAME}\\.{NAME}\\.py"),
    ("Text", "connected to web01.northwind.com:8443.", f"connected to {NAME}\\.{NAME}\\.com:8443\\."),
    ("Text", "https://files.northwind.com/a/b.html?x=1", f"https://{NAME}\\.{NAME}\\.com/a/b\\.html\\?x=1"),
    ("Text", "northwind.blob.core.windows.net", f"{NAME}\\.blob\\.core\\.windows\\.net"),
    ("Text", "bucket-a.s3.eu-west-1.amazonaws.com", f"{NAME}\\.s3\\.eu-west-1\\.amazonaws\\.com"),
    ("Text", r"copied to \\fs01\share\x.txt", rf"copied to \\\\{NAME}\\share\\x\.txt"),
    # addresses
    ("CallerIpAddress", "8.8.4.4", QUAD),
    ("Text", "from 8.8.4.4:443 to 10.1.2.0/24", rf"from {QUAD}:443 to 10\.\d+\.\d+\.0/24"),
    ("Text", "peer 2a01:111:f100::1 is up", r"peer [23][0-9a-f:]+ is up"),
    ("Text", "[2A01:111:F100:0:0:0:0:1]:443", r"\[[23][0-9A-F]{0,3}(:[0-9A-F]{1,4}){7}\]:443"),
    ("Text", "::ffff:10.1.2.3", r"::ffff:10\.\d+\.\d+\.\d+"),
    ("Text", "fe80::211:22ff:fe33:4455%eth0", r"fe80::[0-9a-f:]+%eth0"),
    ("Text", "4.3.2.10.in-addr.arpa", r"\d+\.\d+\.\d+\.10\.in-addr\.arpa"),
    ("Text", "card 00-1B-44-11-3A-B7", r"card [0-9A-F]{2}(-[0-9A-F]{2}){5}"),
    ("SrcMacAddr", "001b44113ab7", r"[0-9a-f]{12}"),
    # ids
    ("Text", "S-1-5-21-1004336348-1177238915-682003330-1105", r"S-1-5-21-\d+-\d+-\d+-\d{4,}"),
    ("Text", "S-1-5-21-1004336348-1177238915-682003330-512", r"S-1-5-21-\d+-\d+-\d+-512"),
    ("Text", "S-1-12-1-1943430372-1249052806-2496021943-3034400218", r"S-1-12-1-\d+-\d+-\d+-\d+"),
    ("RecipientAccountId", "555123456789", r"[1-9]\d{11}"),
    ("RecipientAccountId", "005123456789", r"00[1-9]\d{9}"),
    ("UserIdentityAccessKeyId", "AKIAQWERTYUIOPASDFGH", r"AKIA[A-Z2-7]{9}EXAMPLE"),
    ("UserIdentityArn", "arn:aws:iam::555123456789:user/team/alice", rf"arn:aws:iam::[1-9]\d{{11}}:user/{NAME}/{NAME}"),
    (
        "UserIdentityArn",
        "arn:aws:sts::555123456789:assumed-role/Ops/alice@northwind.com",
        rf"arn:aws:sts::\d{{12}}:assumed-role/Anon[b-z]{{11}}/{NAME}@{NAME}\.com",
    ),
    ("UserIdentityArn", "arn:aws:iam::555123456789:root", r"arn:aws:iam::\d{12}:root"),
    ("Text", "arn:aws:s3:::northwind-logs/2026/x", rf"arn:aws:s3:::{NAME}/\d{{4}}/{NAME}"),
    ("UserIdentityPrincipalid", "AROAQWERTYUIOPASDFGH:alice", rf"AROA[A-Z2-7]{{9}}EXAMPLE:{NAME}"),
    ("MobilePhone", "+49 (30) 123-4567", r"\+49 \(\d\d\) \d{3}-\d{4}"),
    ("Text", "call +4930123456789 now", r"call \+49\d{11} now"),
    (
        "_ResourceId",
        "/subscriptions/2f1a7b0e-3c55-4e11-9f7d-1d2a5b3c4d5e/resourceGroups/rg-web/providers/Microsoft.Compute/virtualMachines/web01",
        f"/subscriptions/{GUID}/resourceGroups/{NAME}/providers/Microsoft\\.Compute/virtualMachines/{NAME}",
    ),
    ("Text", r"opened C:\Users\alice\x.txt", rf"opened C:\\Users\\{NAME}\\x\.txt"),
    ("Text", r"opened C:\Users\Alice Smith\x.txt", r"opened C:\\Users\\Anon[b-z]{11} Anon[b-z]{11}\\x\.txt"),
    ("Text", "cat /home/alice/.ssh/id_rsa", rf"cat /home/{NAME}/\.ssh/id_rsa"),
    ("Text", r"cut off: {\"path\":\"C:\\Users\\alice\\x", rf"cut off: \{{\\\"path\\\":\\\"C:\\\\Users\\\\{NAME}\\\\x"),
    ("Text", "C%3A%5CUsers%5Calice%5Cx", f"C%3A%5CUsers%5C{NAME}%5Cx"),
    ("Text", "https://contoso.com/personal/alice_northwind/x", f"https://contoso\\.com/personal/{NAME}/x"),
    ("Text", "to alice%40northwind.com", f"to {NAME}%40{NAME}\\.com"),
    ("UserAgent", "bot/1.0 (ops@northwind.com)", f"bot/1\\.0 \\({NAME}@{NAME}\\.com\\)"),
    ("Text", "src:2a01:111:f100::1", "src:[23][0-9a-f:]+"),
    ("Text", "from 2a01:111:f100::1: refused", "from [23][0-9a-f:]+: refused"),
    ("Text", "8.8.4.4-8.8.4.9", f"{QUAD}-{QUAD}"),
    ("Text", "eth0_8.8.4.4_x", f"eth0_{QUAD}_x"),
    ("Text", "mac:00:1b:44:11:3a:b7", r"mac:[0-9a-f]{2}(:[0-9a-f]{2}){5}"),
    ("Text", "mac=001b44113ab7", r"mac=[0-9a-f]{12}"),
    ("Text", "node ip-10-1-2-3 is ready", f"node {NAME} is ready"),
    # named in the text
    ("Text", 'cut off: {"user":"alice7","n', rf"cut off: \{{\"user\":\"{NAME}\",\"n"),
    (
        "Text",
        r"cut off: {\"userDisplayName\": \"Alice Seven\", ",
        r"cut off: \{\\\"userDisplayName\\\": \\\"Anon[b-z]{11} Anon[b-z]{11}\\\", ",
    ),
    ("Text", "{'user': 'alice7'}", rf"\{{'user': '{NAME}'\}}"),
    ("Text", r"logon of NORTHWIND\alice7 failed", rf"logon of {UPPER}\\{NAME} failed"),
    ("Text", "CN=Alice Seven,OU=Staff,DC=northwind,DC=local", rf"CN=Anon[b-z]{{11}} Anon[b-z]{{11}},OU=Anon[b-z]{{11}},DC={NAME},DC=local"),
    ("Text", "uid=1001(alice7) gid=100(users)", rf"uid=1001\({NAME}\) gid=100\(users\)"),
    ("Text", "sudo:   alice7 : TTY=pts/0 ; USER=root", rf"sudo:   {NAME} : TTY=pts/0 ; USER=root"),
    ("Text", "ssh-ed25519 AAAAC3Nza alice7@laptop7", f"ssh-ed25519 AAAAC3Nza {NAME}@{NAME}"),
    (
        "SyslogMessage",
        "Failed password for invalid user alice from 8.8.4.4 port 22",
        rf"Failed password for invalid user {NAME} from {QUAD} port 22",
    ),
    ("AdditionalExtensions", "suser=alice;shost=web01;act=deny", f"suser={NAME};shost={NAME};act=deny"),
    ("EventData", '<Data Name="SubjectUserName">alice</Data>', f'<Data Name="SubjectUserName">{NAME}</Data>'),
]

STAYS = [
    ("User", "system:serviceaccount:kube-system:replicaset-controller"),
    ("User", "masterclient"),
    ("Account", r"NT AUTHORITY\SYSTEM"),
    ("Account", "-"),
    ("Text", "00000000-0000-0000-0000-000000000000"),
    ("Text", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
    ("Text", "00000003-0000-0000-c000-000000000000"),
    ("Text", "S-1-5-18 and S-1-5-32-544"),
    ("Text", "127.0.0.1 169.254.169.254 224.0.0.251 255.255.255.0 168.63.129.16 ::1 ff02::fb"),
    ("Text", "login.microsoftonline.com, sts.amazonaws.com, rbac.authorization.k8s.io/v1, alertmanager.yaml, System.Net, v1.29.2"),
    ("Text", "agent/120.0.0.0 version 10.0.19041.1 took 10:20:30, 1.2.3.4.5.6"),
    ("Text", "arn:aws:iam::aws:policy/AdministratorAccess"),
    ("UserAgent", "curl/8.0 alice 8.8.4.4"),
    ("Text", r"NT AUTHORITY\SYSTEM, IIS APPPOOL\DefaultAppPool, HKCU\Run, TEMP\x.txt"),
    ("Text", "CN=Domain Admins,CN=Users"),
    ("Text", "nginx@sha256:0123456789abcdef std::string::npos v10.20.30.40"),
    ("MemberOf", "Domain Admins"),
    ("OperationName", "Microsoft.Compute/virtualMachines/write"),
    ("Text", "0123456789abcdef0123456789abcdef 2026-03-02T10:00:00Z"),
    ("Computer", "localhost"),
    ("Text", r"C:\Users\Public\x.txt HKLM\Software\x"),
]


@pytest.mark.parametrize(("field", "value", "shape"), SHAPES)
def test_shape(field: str, value: str, shape: str) -> None:
    found = text(field, value)
    assert re.fullmatch(shape, found), found
    assert found != value


@pytest.mark.parametrize(("field", "value"), STAYS)
def test_what_names_nobody_stays(field: str, value: str) -> None:
    assert text(field, value) == value


def test_a_name_is_the_same_in_every_form() -> None:
    columns = {"Upn": "string", "Account": "string", "Folder": "string", "Host": "string", "Arn": "string", "Event": "dynamic"}
    row = {
        "Upn": "alice@northwind.com",
        "Account": r"NORTHWIND\alice",
        "Folder": r"C:\Users\alice",
        "Host": "web01.northwind.com",
        "Arn": "arn:aws:iam::555123456789:user/alice",
        "Event": {"user": {"username": "alice"}, "text": "alice did it on web01"},
    }
    found = json.loads(recording_of(columns, [row]).lines[0])
    alice = found["Upn"].partition("@")[0]
    assert found["Account"].partition("\\")[2] == alice
    assert found["Folder"] == rf"C:\Users\{alice}"
    assert found["Arn"].rpartition("/")[2] == alice
    assert found["Event"]["user"]["username"] == alice
    host, northwind, _ = found["Host"].split(".")
    assert found["Event"]["text"] == f"{alice} did it on {host}"
    assert found["Account"].partition("\\")[0].lower() == northwind == found["Upn"].partition("@")[2].partition(".")[0]


def test_a_learned_name_is_found_as_a_whole_word_only() -> None:
    columns = {"User": "string", "Message": "string", "EventName": "string", "UserAgent": "string"}
    row = {
        "User": "malice7",
        "Message": "malice7, (malice7) malice7's malice77 MALICE7 x-malice7",
        "EventName": "malice7",
        "UserAgent": "malice7/1",
    }
    recorded = recording_of(columns, [row])
    found = json.loads(recorded.lines[0])
    name = found["User"]
    assert found["Message"] == f"{name}, ({name}) {name}'s malice77 {name.upper()} x-{name}"
    assert (found["EventName"], found["UserAgent"]) == ("malice7", "malice7/1")


def test_common_words_are_replaced_where_they_are_names_only() -> None:
    found = json.loads(recording_of({"User": "string", "Message": "string"}, [{"User": "backup", "Message": "backup done"}]).lines[0])
    assert re.fullmatch(NAME, found["User"])
    assert found["Message"] == "backup done"


def test_a_case_of_letters_stays_a_case_of_letters() -> None:
    lower, upper, title, mixed = texts("User", "alice", "ALICE", "Alice", "aLice")
    assert len({lower, upper, title, mixed}) == 4
    assert {each.lower() for each in (upper, title, mixed)} == {lower}
    assert upper.isupper()
    assert title.istitle()


def test_keep_keeps_a_column_but_no_secret() -> None:
    recorded = recording_of({"User": "string"}, [{"User": "alice"}, {"User": "x password=hunter22 y"}], KEY, keep=("User",))
    assert [json.loads(line)["User"] for line in recorded.lines] == ["alice", "x password=[redacted] y"]
    assert recorded.report.kept == ("User",)


@pytest.mark.parametrize(
    "unit",
    (
        "a.|1.|a-|0:|a:|user=|user:user=|/users/|::|a'|a@|S-1-|password |[|{\"a\":|<Data Name='user'>"
        "|az login -p |net use |curl -u |Digest |x=y;|cn=a,|A\\|'a':'|%40|10.1.2.3-"
    ).split("|"),
)
def test_a_text_that_repeats_one_thing_is_a_text(unit: str) -> None:
    for field in ("Text", "User", "Computer"):
        assert text(field, unit * 4000)


def test_names_of_properties_and_columns_hold_data_too() -> None:
    """A bag that was packed by address, and the columns that `evaluate pivot` makes. The paths of the report have none of it."""
    bag = {"alice@northwind.com": {"8.8.4.4": 1}, "app.kubernetes.io/name": "x", "http.status_code": 2}
    columns = {"Bag": "dynamic", "Text": "string", "alice@northwind.com": "long", "TimeGenerated": "datetime"}
    recorded = recording_of(columns, [{"Bag": bag, "Text": json.dumps(bag), "alice@northwind.com": 3}], known=("Bag", "Text"))
    (line,) = recorded.lines
    assert "northwind" not in line + repr(recorded.report)
    assert "8.8.4.4" not in line + repr(recorded.report)
    found = json.loads(line)
    alice = text("Text", "alice@northwind.com")
    assert json.loads(found["Text"]) == found["Bag"]
    assert list(found["Bag"]) == [alice, "app.kubernetes.io/name", "http.status_code"]
    assert list(found["Bag"][alice]) == [text("Text", "8.8.4.4")]
    assert found[alice] == 3
