"""IP addresses: two that share their first n bits share exactly n bits afterwards, and a class of addresses stays its class.

The construction is that of Crypto-PAn: whether a bit is flipped depends on the key and the bits before it. Bits that lead to a
reserved range are never flipped, so reserved ranges map to themselves and public addresses stay public. The price: an address
keeps the bits that it shares with the nearest reserved range.
"""

from __future__ import annotations

import ipaddress

from toolkit.deploy.record.key import Key

_Range = tuple[str, int]
"""A network, and down to which bit its addresses stay as they are (0: it only stays a class)."""

_V4: tuple[_Range, ...] = (
    ("0.0.0.0/8", 32),
    ("10.0.0.0/8", 0),
    ("100.64.0.0/10", 0),
    ("127.0.0.0/8", 32),
    ("168.63.129.16/32", 32),  # Azure's own address inside every virtual network
    ("169.254.0.0/16", 32),
    ("172.16.0.0/12", 0),
    ("192.168.0.0/16", 0),
    ("224.0.0.0/3", 32),  # multicast, reserved, netmasks, broadcast
)
_V6: tuple[_Range, ...] = (
    ("::/127", 128),
    ("::ffff:0:0/96", 0),
    ("64:ff9b::/96", 0),
    ("2000::/3", 0),
    ("fc00::/7", 0),
    ("fe80::/10", 64),  # the rest may hold a network card's address
    ("ff00::/8", 128),
)
_EMBEDDED = (0xFFFF, 0x64FF9B << 64)
"""The first 96 bits of IPv6 addresses whose last 32 are an IPv4 address."""


class _Tree:
    """The map of one family of addresses, as whole numbers of `width` bits."""

    def __init__(self, key: Key, purpose: str, width: int, ranges: tuple[_Range, ...]) -> None:
        self._key, self._purpose, self._width = key, purpose, width
        self._still: list[tuple[int, int, int]] = []
        self._trunk: set[tuple[int, int]] = set()
        self._flips: dict[tuple[int, int], bytes] = {}
        for text, depth in ranges:
            network = ipaddress.ip_network(text)
            length = network.prefixlen
            bits = int(network.network_address) >> (width - length)
            self._trunk.update((level, bits >> (length - level)) for level in range(length))
            if depth:
                self._still.append((length, bits, depth))

    def map(self, number: int) -> int:
        width = self._width
        depth = next((depth for length, bits, depth in self._still if number >> (width - length) == bits), 0)
        out = number >> (width - depth)
        for level in range(depth, width, 8):
            out = out << 8 | self._byte(number, level)
        return out

    def _byte(self, number: int, level: int) -> int:
        """The eight bits after the first `level` ones. One digest has a flip for each node of their tree."""
        rest = self._width - level
        prefix = number >> rest
        flips = self._flips.get((level, prefix))
        if flips is None:
            flips = self._flips[level, prefix] = self._key.digest(f"{self._purpose}/{level}", prefix.to_bytes(self._width // 8))
        byte = number >> (rest - 8) & 255
        near = (level, prefix) in self._trunk
        node, pad = 1, 0
        for bit in range(8):
            flip = flips[node >> 3] >> (node & 7) & 1
            if near and flip and (level + bit, number >> (rest - bit)) in self._trunk:
                flip = 0
            pad = pad << 1 | flip
            node = node << 1 | byte >> (7 - bit) & 1
        return byte ^ pad


class Addresses:
    """Pseudonyms of IP addresses under one key."""

    def __init__(self, key: Key) -> None:
        self._v4 = _Tree(key, "ipv4", 32, _V4)
        self._v6 = _Tree(key, "ipv6", 128, _V6)

    def ipv4(self, text: str, length: int | None = None) -> str:
        """`length` is that of a network written address/length: without host bits before, without them afterwards."""
        parts = text.split(".")
        number = int.from_bytes(bytes(map(int, parts)))
        found = _network(number, self._v4.map(number), 32, length).to_bytes(4)
        if any(part[0] == "0" for part in parts if len(part) > 1):
            return ".".join(f"{octet:03}" for octet in found)
        return ".".join(map(str, found))

    def ipv6(self, text: str, length: int | None = None) -> str:
        """In lower or upper case, compressed or with all groups, as `text` is."""
        number = int(ipaddress.IPv6Address(text))
        dotted = "." in text
        if number >> 32 in _EMBEDDED:
            mapped = number >> 32 << 32 | self._v4.map(number & 0xFFFFFFFF)
        else:
            mapped = self._v6.map(number)
        address = ipaddress.IPv6Address(_network(number, mapped, 128, length))
        found = address.compressed if "::" in text or dotted else _groups(address, text)
        if dotted:
            found = f"{ipaddress.IPv6Address(int(address) >> 32 << 32 | 0xFFFFFFFF).compressed.rpartition(':')[0].rpartition(':')[0]}:"
            found += str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        return found.upper() if text != text.lower() and text == text.upper() else found


def _groups(address: ipaddress.IPv6Address, text: str) -> str:
    padded = all(len(group) == 4 for group in text.split(":"))
    groups = address.exploded.split(":")
    return ":".join(groups if padded else [group.lstrip("0") or "0" for group in groups])


def _network(number: int, mapped: int, width: int, length: int | None) -> int:
    """The mapped number without host bits where the original is a network that has none."""
    if length is None or not 0 <= length <= width:
        return mapped
    host = (1 << (width - length)) - 1
    return mapped if number & host else mapped & ~host
