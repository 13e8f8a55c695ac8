"""Laws of pseudonyms: permutations, prefixes, the same key and another, JSON, and nothing that survives."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tests.deploy.record.conftest import KEY, OTHER, recording_of, text, texts
from toolkit.deploy.record.addresses import Addresses
from toolkit.deploy.record.identifiers import Identifiers
from toolkit.deploy.record.pseudonyms import Pseudonyms

_V4 = st.ip_addresses(v=4).map(str)
_V6 = st.ip_addresses(v=6).map(str)
_CLASSES = [ipaddress.ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]
_STILL = [ipaddress.ip_network(each) for each in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")]
_WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=5, max_size=10).map(lambda word: f"q{word}7")


@given(size=st.integers(2, 10**13), data=st.data())
def test_permutation(size: int, data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=8, unique=True))
    found = [KEY.permute("x", number, size) for number in numbers]
    assert len(set(found)) == len(numbers)
    assert all(0 <= each < size for each in found)


def test_a_small_permutation_is_one() -> None:
    for size in (2, 3, 10, 100, 257):
        assert sorted(KEY.permute("x", number, size) for number in range(size)) == list(range(size))
    assert [KEY.permute("x", number, 100) for number in range(100)] != [OTHER.permute("x", number, 100) for number in range(100)]


def _common(left: str, right: str) -> int:
    one, other = ipaddress.ip_address(left), ipaddress.ip_address(right)
    return one.max_prefixlen - (int(one) ^ int(other)).bit_length()


@given(_V4, st.integers(0, 32), _V4)
@example("192.168.63.129", 8, "168.63.129.16")
def test_ipv4_keeps_common_prefixes_and_classes(left: str, shared: int, right: str) -> None:
    mixed = int(ipaddress.ip_address(left)) >> (32 - shared) << (32 - shared) | int(ipaddress.ip_address(right)) & (
        (1 << (32 - shared)) - 1
    )
    right = str(ipaddress.ip_address(mixed))
    know = Addresses(KEY)
    assert _common(know.ipv4(left), know.ipv4(right)) == _common(left, right)
    found, original = ipaddress.ip_address(know.ipv4(left)), ipaddress.ip_address(left)
    assert [original in network for network in _CLASSES] == [found in network for network in _CLASSES]
    if any(original in network for network in _STILL):
        assert found == original
    else:
        assert not any(found in network for network in _STILL)


@given(_V6, st.integers(0, 128), _V6)
@example("::ffff:10.1.2.3", 96, "::ffff:10.1.9.3")
@example("fe80::1", 64, "fe80::2")
def test_ipv6_keeps_common_prefixes_and_classes(left: str, shared: int, right: str) -> None:
    rest = 128 - shared
    mixed = int(ipaddress.ip_address(left)) >> rest << rest | int(ipaddress.ip_address(right)) & ((1 << rest) - 1)
    right = str(ipaddress.IPv6Address(mixed))
    know = Addresses(KEY)
    assert _common(know.ipv6(left), know.ipv6(right)) == _common(left, right)
    for network in map(ipaddress.ip_network, ("2000::/3", "fc00::/7", "fe80::/10", "ff00::/8", "::ffff:0:0/96")):
        assert (ipaddress.ip_address(know.ipv6(left)) in network) == (ipaddress.ip_address(left) in network)


@given(_V4, st.integers(0, 32))
def test_a_network_stays_a_network_of_its_addresses(address: str, length: int) -> None:
    network = ipaddress.ip_network(f"{address}/{length}", strict=False)
    know = Pseudonyms(KEY)
    assert ipaddress.ip_address(know.ip(address)) in ipaddress.ip_network(know.ip(str(network)))


@given(st.lists(st.uuids(), min_size=1, max_size=8, unique=True))
def test_guids(values: list[Any]) -> None:
    know = Identifiers(KEY)
    found = [know.guid(str(value)) for value in values]
    assert len(set(found)) == len(values)
    assert all(one[14] == str(value)[14] for one, value in zip(found, values, strict=True))  # the version


@given(st.lists(st.from_regex(r"S-1-5-21(-[1-9][0-9]{0,8}){4}", fullmatch=True), min_size=1, max_size=6, unique=True))
def test_sids_of_one_domain_stay_of_one_domain(values: list[str]) -> None:
    found = [Identifiers(KEY).sid(value) for value in values]
    assert len(set(found)) == len(values)
    domains = {value.rpartition("-")[0] for value in values}
    assert len({one.rpartition("-")[0] for one in found}) == len(domains)


@given(st.from_regex(r"\+[1-9][0-9]{1,2} [0-9]{3}-[0-9]{4}", fullmatch=True), st.integers(10**11, 10**12 - 1))
def test_digits_keep_their_places(phone: str, account: int) -> None:
    know = Identifiers(KEY)
    assert re.sub(r"\d", "0", know.phone(phone)) == re.sub(r"\d", "0", phone)
    assert know.phone(phone)[:3] == phone[:3]
    assert re.fullmatch(r"[1-9]\d{11}", know.digits(str(account)))


@given(st.lists(_WORD, min_size=1, max_size=5, unique=True))
def test_equal_values_stay_equal_and_different_ones_different(words: list[str]) -> None:
    columns = {"User": "string", "Computer": "string", "Upn": "string", "Event": "dynamic"}
    rows = [{"User": word, "Computer": f"{word}.adatum.com", "Upn": f"{word}@adatum.com", "Event": {"user": word}} for word in words]
    found = [json.loads(line) for line in recording_of(columns, [*rows, rows[0]]).lines]
    assert found[-1] == found[0]
    assert len({row["User"] for row in found}) == len(words)
    for row in found:
        assert row["Computer"].split(".")[0] == row["Upn"].split("@")[0] == row["Event"]["user"] == row["User"]


@given(st.lists(_WORD, min_size=1, max_size=4, unique=True))
def test_the_same_key_in_every_file_and_another_in_none(words: list[str]) -> None:
    first = texts("User", *words)
    assert first == [text("Account", word) for word in words]
    assert not set(first) & set(texts("User", *words, key=OTHER))


_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**6), 10**6), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=12)
)
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=12
)


def _structure(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _structure(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_structure(each) for each in value]
    return type(value).__name__


@given(st.dictionaries(st.sampled_from(("user", "text", "ip", "password", "n", 'a"b')), _JSON, max_size=4))
@example({"user": {"username": "qalice7"}, "text": '{"user": "qbob7"}'})
@example({"text": '\u00e9 \\ " \n qalice7@adatum.com', "n": 1.0})
def test_json_keeps_its_structure_in_a_text_and_in_a_dynamic(event: dict[str, Any]) -> None:
    row = json.loads(recording_of({"D": "dynamic", "S": "string"}, [{"D": event, "S": json.dumps(event)}]).lines[0])
    assert _structure(row["D"]) == _structure(event)
    assert _structure(json.loads(row["S"])) == _structure(event)


@given(user=_WORD, host=_WORD, ip=st.integers(0, 2**16 - 1), secret=st.from_regex(r"[a-z]{6}Q[0-9]{6}", fullmatch=True))
def test_nothing_that_was_planted_survives(user: str, host: str, ip: int, secret: str) -> None:
    address = f"52.{ip >> 8}.{ip & 255}.77"
    rows = [
        {
            "UserPrincipalName": f"{user}@qnorthwind7.com",
            "Computer": host,
            "IP": f"{address}:443",
            "Message": f"{user} logged on to {host} ({address}) with password={secret}; see https://{host}.qnorthwind7.com/?sig={secret}",
            "log_s": json.dumps({"msg": f"hello {user}", "nested": json.dumps({"token": secret, "from": [address, host.upper()]})}),
            "Event": {
                "header": {"Authorization": f"Bearer {secret}"},
                "who": f"QNORTHWIND7\\{user}",
                "kind": "Secret",
                "data": {"a": secret},
            },
        }
    ]
    columns = dict.fromkeys(rows[0], "string") | {"Event": "dynamic"}
    recorded = recording_of(columns, rows)
    written = "\n".join(recorded.lines).lower() + json.dumps(recorded.report.data()).lower()
    for planted in (user, host, address, secret.lower(), "qnorthwind7"):
        assert planted not in written
