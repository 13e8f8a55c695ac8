"""Networks as regular expressions: the same addresses as by arithmetic."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from toolkit.engine.functions.ip_patterns import PLAIN, pattern

_ADDRESS = st.integers(0, 2**32 - 1)
_NETWORKS = st.lists(st.tuples(_ADDRESS, st.integers(0, 32)), min_size=1, max_size=8)


@given(_NETWORKS, _ADDRESS)
def test_an_address_matches_when_it_is_in_a_network(networks: list[tuple[int, int]], anywhere: int) -> None:
    ranges = [IPv4Network(network, strict=False) for network in networks]
    edges = [int(edge) for found in ranges for edge in (found.network_address, found.broadcast_address)]
    near = [(edge + step) % 2**32 for edge in edges for step in (-1, 0, 1)]
    found = pattern(networks)
    assert found is not None
    for number in [anywhere, *near]:
        address = IPv4Address(number)
        assert (re.fullmatch(found, str(address)) is not None) is any(address in each for each in ranges)


def test_plain_addresses_have_no_leading_zeros_and_no_octet_above_255() -> None:
    accepted = ["0.0.0.0", "255.255.255.255", "10.0.200.9"]
    refused = ["256.1.1.1", "01.1.1.1", "1.1.1", "1.1.1.1.1", "1.1.1.1 ", "", "1.1.1.1/8"]
    assert [text for text in accepted + refused if re.fullmatch(PLAIN, text)] == accepted


def test_too_many_networks_are_no_pattern() -> None:
    assert pattern([(index * 2, 32) for index in range(1000)]) is None
    assert pattern([]) is None
