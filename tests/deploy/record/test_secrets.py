"""Secrets go, whatever they stand in; collisions and unusable keys are refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.deploy.record.conftest import KEY, recording_of, text
from toolkit.deploy.record import Key, PseudonymCollision, RecordKeyError, create_key, key_of_text, read_key
from toolkit.deploy.record.names import Names
from toolkit.deploy.record.pseudonyms import Pseudonyms

_S = "qW3rT7uI9oP1"
_LONG = "Ab1/" * 10

TEXTS = [
    f"Authorization: Bearer {_S}{_S}",
    f"login with password={_S} done",
    f"mysql --password {_S} -h x",
    f"AccountName=x;AccountKey={_S};EndpointSuffix=core.windows.net",
    f"https://x.blob.core.windows.net/c?sv=2024&sig={_S}%3D",
    f"Cookie: session={_S}; other={_S}",
    f"Set-Cookie: a={_S}; Path=/",
    f"export AWS_SECRET_ACCESS_KEY={_LONG}",
    f"token: {_S}",
    f'client-key-data: "{_S}"',
    f"-----BEGIN RSA PRIVATE KEY-----\n{_LONG}\n-----END RSA PRIVATE KEY-----",
    "ghp_" + _S * 3,
    f"eyJ{_S}.eyJ{_S}.{_S}",
    "MIIC" + _LONG * 3,
    f"https://user:{_S}@host.example/x",
    _LONG,
]


_T = "4eC39HqLyjWDarjtT1zdp7dcQx8Zk2Vb"
_OTHERS = [
    # by the name in front, whatever quotes, escapes and blanks
    "Server=srv;Uid=x;Pwd={};Encrypt=True".format("two words!"),
    'password="{}"'.format("two words!"),
    "pwd: '{}'".format("two words!"),
    r"cut off: {\"clientSecret\":\"{}\",\"n".replace("{}", "two words!"),
    "{'password': 'two words!'}",
    "password=>two words!".replace(" words", "-words"),
    f"Ocp-Apim-Subscription-Key: {_T}",
    f"X-Amz-Signature={_T}",
    f"SAMLResponse={_T}",
    f"JSESSIONID={_T}",
    f"ASP.NET_SessionId={_T}",
    f'Digest username="x", response="{_T}"',
    f"passcode={_T}",
    # in addresses, encoded ones too
    f"https%3A%2F%2Fx.blob.core.windows.net%2Fc%3Fsv%3D2022%26sig%3D{_T}",
    f"mongodb://x:{_T}!@10.1.2.3/db",
    f"redis://:{_T}@10.1.2.3",
    f"https://hooks.slack.com/services/T0/B0/{_T}",
    f"https://contoso.webhook.office.com/webhookb2/x/IncomingWebhook/{_T}/y",
    # of programs
    f"curl -u x:{_T} https://contoso.com",
    f"curl --user x:{_T} https://contoso.com",
    f"sshpass -p {_T} ssh x",
    f"mysql -ux -p{_T}",
    f"az login --service-principal -u x -p {_T} --tenant y",
    f"net user x {_T} /add",
    rf"net use z: \\srv\share {_T} /user:x",
    f"cmdkey /add:x /user:y /pass:{_T}",
    f"ConvertTo-SecureString '{_T}' -AsPlainText -Force",
    f"kubectl create secret generic x --from-literal=k={_T}",
    # by the form of the token; in two parts, for whoever searches repositories for such forms
    *(
        first + second + _T
        for first, second in (("sk_", "live_"), ("sk-", "proj-"), ("hf", "_"), ("gl", "pat-"), ("npm", "_"), ("ya29", "."))
    ),
    *(
        first + second + _T
        for first, second in (("dckr_", "pat_"), ("hvs", "."), ("abc7", "Q~"), ("GOC", "SPX-"), ("FwoG", "ZX"), ("whsec", "_"))
    ),
    f"SG.{_T[:22]}.{_T}",
    f"NTLM TlRMTVNTUAAD{_T}",
    f"$6$saltsalt${_T}",
    f"eyJ{_T}",
    f"b3BlbnNzaC1rZXkt{_T}\n{_T}",
    f"LS0tLS1CRUdJTi{_T}",
    "aad3b435b51404eeaad3b435b51404ee:8846f7eaee8fb117ad06bdd830b7586c",
    f"found {_T}Ab1+cd/E in a file",
]


@pytest.mark.parametrize("value", _OTHERS)
def test_other_secrets(value: str) -> None:
    for found in (text("Message", value), text("Message", json.dumps({"deep": [{"text": value}]})), text("UserAgent", value)):
        assert not [part for part in (_T, _T[:16], "words!", "8846f7eaee8fb117ad06bdd830b7586c") if part in found]
        assert "[redacted]" in found


@pytest.mark.parametrize("value", TEXTS)
def test_secret_in_a_text(value: str) -> None:
    for found in (text("Message", value), text("Message", json.dumps({"deep": [{"text": value}]})), text("UserAgent", value)):
        assert _S not in found
        assert _LONG not in found
        assert "[redacted]" in found


@pytest.mark.parametrize(
    "name", ["password", "ClientSecret", "sessionToken", "x-api-key", "set-cookie", "secretAccessKey", "client-key-data", "Authorization"]
)
def test_secret_by_its_name(name: str) -> None:
    row = {"D": {name: _S, "list": {name: [_S, 7]}}, "S": json.dumps({name: _S}), name: _S}
    found = recording_of({"D": "dynamic", "S": "string", name: "string"}, [row]).lines[0]
    assert _S not in found
    assert json.loads(found)["D"]["list"][name][1] == 0


def test_what_looks_like_a_secret_and_is_none() -> None:
    values = {
        "Authorization": '{"action":"x/write","scope":"y"}',
        "volumes": '{"secret":{"secretName":"web-tls"}}',
        "Uri": "/api/v1/secrets/web-tls",
        "Text": "pass: 5, fail: 2; token count: 5; docker run -p 8080:80 x; mkdir -p /tmp/abc; ssh -p 22; MII server restarted today",
        "Forbidden": 'cannot list resource "secrets" in the namespace "web"; k8s secret "web-tls" not found; password expired',
        "Hash": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "Path": "read Microsoft/Compute/virtualMachines/extens",
    }
    found = json.loads(recording_of(dict.fromkeys(values, "string"), [values]).lines[0])
    assert found == values


def test_data_of_kubernetes_secrets() -> None:
    secret = {"kind": "SecretList", "items": [{"metadata": {"name": "web"}, "data": {"a": _S}, "stringData": {"b": {"c": [_S]}}}]}
    found = json.loads(recording_of({"D": "dynamic"}, [{"D": secret}]).lines[0])["D"]
    assert found["items"][0] == {"metadata": {"name": "web"}, "data": {"a": "[redacted]"}, "stringData": {"b": {"c": ["[redacted]"]}}}


def test_a_collision_is_refused_without_naming_the_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Names, "name", lambda _self, _text: "anonsame")  # a key that does this cannot be found by trying
    know = Pseudonyms(KEY)
    know.name("qalice7")
    with pytest.raises(PseudonymCollision) as caught:
        know.name("qbob7")
    assert "qalice7" not in str(caught.value)
    assert "qbob7" not in str(caught.value)


def test_the_key_is_in_no_text() -> None:
    key = Key(b"0123456789abcdef")
    assert "0123456789abcdef" not in repr(key) + str(key)
    with pytest.raises(RecordKeyError, match="16 bytes"):
        Key(b"short")


def test_a_file_of_a_key(tmp_path: Path) -> None:
    path = tmp_path / "new" / "record.key"
    made = create_key(path)
    assert read_key(path).fingerprint == made.fingerprint
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o640)
        with pytest.raises(RecordKeyError, match="mode 640"):
            read_key(path)
    with pytest.raises(RecordKeyError, match="cannot be written"):
        create_key(path)
    with pytest.raises(RecordKeyError, match="found none"):
        read_key(tmp_path / "missing")


@pytest.mark.parametrize("mark", [".git", "toolkit.yaml"])
def test_a_key_in_a_repository_is_refused(tmp_path: Path, mark: str) -> None:
    (tmp_path / mark).write_text("")
    with pytest.raises(RecordKeyError, match="outside of every repository"):
        create_key(tmp_path / "sub" / "record.key")


@pytest.mark.parametrize("value", ["", "zz" * 32, "ab" * 31])
def test_a_text_that_is_no_key(value: str) -> None:
    with pytest.raises(RecordKeyError, match=r"^X: expected 64 hexadecimal digits") as caught:
        key_of_text(value, "X")
    assert not value or value not in str(caught.value)
