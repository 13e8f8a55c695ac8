"""IPv4 and IPv6 addresses (R-164 to R-168). An address may end in /n, which is a mask of its first n bits."""

from __future__ import annotations

import re
from functools import lru_cache

from toolkit.engine.udf.strings import json_array, json_text

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"\s*({_OCTET}(?:\.{_OCTET}){{3}})(?:/(3[0-2]|[12]?[0-9]))?\s*", re.ASCII)
_IPV6 = re.compile(r"\s*([0-9A-Fa-f:.]+)(?:%[0-9A-Za-z_.\-]+)?(?:/([0-9]{1,3}))?\s*", re.ASCII)
_IN_TEXT = re.compile(r"(?<![^\W_])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![^\W_])")
_ALL_32 = 2**32 - 1
_ALL_128 = 2**128 - 1
_MAPPED = 0xFFFF << 32


@lru_cache(maxsize=4096)
def ipv4(text: str) -> tuple[int, int] | None:
    """The address, not masked, and its prefix length (32 without one). Leading zeros are not accepted (R-164)."""
    match = _IPV4.fullmatch(text)
    if match is None:
        return None
    value = 0
    for octet in match[1].split("."):
        value = value * 256 + int(octet)
    return value, int(match[2]) if match[2] else 32


def mask4(value: int, prefix: int) -> int:
    return value & (_ALL_32 << (32 - prefix)) & _ALL_32


def ipv4_bits(text: str) -> int | None:
    """A 1 followed by the leading bits that the prefix leaves; None for what is no address."""
    found = ipv4(text)
    return 1 << found[1] | found[0] >> (32 - found[1]) if found else None


def text4(value: int) -> str:
    return ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))


def parse_ipv4(text: str) -> int | None:
    found = ipv4(text)
    return mask4(*found) if found else None


def parse_ipv4_mask(text: str, prefix: int) -> int | None:
    found = ipv4(text)
    return mask4(found[0], min(found[1], prefix)) if found and 0 <= prefix <= 32 else None


def ipv4_compare(left: str, right: str, prefix: int) -> int | None:
    """-1, 0 or 1 after masking both with the smallest of the three prefixes (R-166)."""
    one, two = ipv4(left), ipv4(right)
    if one is None or two is None or not 0 <= prefix <= 32:
        return None
    bits = min(one[1], two[1], prefix)
    a, b = mask4(one[0], bits), mask4(two[0], bits)
    return (a > b) - (a < b)


def ipv4_is_match(left: str, right: str, prefix: int) -> bool | None:
    order = ipv4_compare(left, right, prefix)
    return None if order is None else order == 0


def ipv4_in_range(address: str, network: str) -> bool | None:
    one, two = ipv4(address), ipv4(network)
    if one is None or two is None:
        return None
    return mask4(mask4(*one), two[1]) == mask4(*two)


@lru_cache(maxsize=256)
def _networks4(ranges: str) -> tuple[tuple[tuple[int, int], ...], bool]:
    """The valid networks as (mask, network), and whether all texts were valid."""
    found: set[tuple[int, int]] = set()
    valid = True
    for item in json_array(ranges) or ():
        network = ipv4(item) if isinstance(item, str) else None
        if network is None:
            valid = False
        else:
            found.add((mask4(_ALL_32, network[1]), mask4(*network)))
    return tuple(found), valid


def ipv4_in_any_range(address: str, ranges: str) -> bool | None:
    """`ranges`: JSON array of networks. A range that is none makes the answer null, unless another one holds the address."""
    found = ipv4(address)
    networks, valid = _networks4(ranges)
    if found is None:
        return None
    value = mask4(*found)
    if any(value & mask == network for mask, network in networks):
        return True
    return False if valid else None


def ipv4_is_private(text: str) -> bool | None:
    return ipv4_in_any_range(text, '["10.0.0.0/8","172.16.0.0/12","192.168.0.0/16"]')


def ipv4_netmask_suffix(text: str) -> int | None:
    found = ipv4(text)
    return found[1] if found else None


def format_ipv4(text: str, prefix: int, with_mask: bool) -> str:
    """`prefix` beside the text's own: the shorter one counts; '' when anything is invalid."""
    found = ipv4(text)
    if found is None or not 0 <= prefix <= 32:
        return ""
    bits = min(found[1], prefix)
    return text4(mask4(found[0], bits)) + (f"/{bits}" if with_mask else "")


def format_ipv4_number(number: int, prefix: int, with_mask: bool) -> str:
    if not (0 <= number <= _ALL_32 and 0 <= prefix <= 32):
        return ""
    return text4(mask4(number, prefix)) + (f"/{prefix}" if with_mask else "")


def ipv4_range_to_cidr_list(first: str, last: str) -> str | None:
    """The fewest networks that cover the range exactly, in order."""
    start, end = ipv4(first), ipv4(last)
    if start is None or end is None or start[0] > end[0]:
        return None
    at, stop, found = start[0], end[0], []
    while at <= stop:
        bits = 32
        while bits > 0 and mask4(at, bits - 1) == at and at + 2 ** (33 - bits) - 1 <= stop:
            bits -= 1
        found.append(f"{text4(at)}/{bits}")
        at += 2 ** (32 - bits)
    return json_text(found)


# --- addresses inside texts -----------------------------------------------------------------------------------------


def has_any_ipv4(text: str, addresses: str | None) -> bool:
    """Whether one of the addresses (JSON array) stands in the text between characters that are no letters or digits (R-167)."""
    wanted = {item for item in json_array(addresses) or () if isinstance(item, str) and "/" not in item and ipv4(item)}
    return any(found[0] in wanted for found in _IN_TEXT.finditer(text)) if wanted else False


def has_any_ipv4_prefix(text: str, prefixes: str | None) -> bool:
    """A prefix is a whole address, or the beginning of one up to a dot."""
    wanted = [item for item in json_array(prefixes) or () if isinstance(item, str) and _is_prefix(item)]
    for found in _IN_TEXT.finditer(text) if wanted else ():
        if ipv4(found[0]) and any(found[0].startswith(item) if item.endswith(".") else found[0] == item for item in wanted):
            return True
    return False


def _is_prefix(text: str) -> bool:
    octets = text.removesuffix(".").count(".") + 1
    if not text.endswith("."):
        return "/" not in text and ipv4(text) is not None
    return octets < 4 and ipv4(text + ".".join(["0"] * (4 - octets))) is not None


# --- IPv6 -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def ipv6(text: str) -> tuple[int, int] | None:
    """As `ipv6_as_written`, but ::a.b.c.d is the IPv4 address that it holds, as in all functions but parse_ipv6 (R-168)."""
    found = ipv6_as_written(text)
    if found is not None and found[0] >> 32 == 0 and "." in text:
        return _MAPPED | found[0], found[1]
    return found


@lru_cache(maxsize=4096)
def ipv6_as_written(text: str) -> tuple[int, int] | None:
    """The address, not masked, and its prefix length of 0 to 128; IPv4 becomes ::ffff:a.b.c.d (R-165, R-168)."""
    four = ipv4(text)
    if four is not None:
        return _MAPPED | four[0], 96 + four[1]
    match = _IPV6.fullmatch(text)
    value = _ipv6_value(match[1]) if match else None
    if match is None or value is None:
        return None
    limit, shift = (32, 96) if "." in match[1] else (128, 0)  # a dotted tail makes the prefix an IPv4 one
    bits = int(match[2]) if match[2] else limit
    return (value, bits + shift) if bits <= limit else None


def _ipv6_value(text: str) -> int | None:
    head, gap, tail = text.partition("::")
    if "::" in tail or tail.startswith(":") or (text.endswith(":") and not text.endswith("::")):
        return None
    left, right = _groups(head, last=not gap), _groups(tail, last=True)
    if left is None or right is None:
        return None
    missing = 8 - len(left) - len(right)
    if (missing < 1) if gap else (missing != 0):
        return None
    value = 0
    for group in (*left, *([0] * missing), *right):
        value = value << 16 | group
    return value


def _groups(text: str, last: bool) -> list[int] | None:
    if not text:
        return []
    parts = text.split(":")
    found: list[int] = []
    for index, part in enumerate(parts):
        four = ipv4(part) if "." in part and last and index == len(parts) - 1 else None
        if four is not None:
            found += [four[0] >> 16, four[0] & 0xFFFF]
        elif 1 <= len(part) <= 4 and "." not in part:
            found.append(int(part, 16))
        else:
            return None
    return found


def mask6(value: int, bits: int) -> int:
    return value & (_ALL_128 << (128 - bits)) & _ALL_128


def ipv6_bits(text: str) -> str:
    """A 1 and the leading bits that the prefix leaves, as digits; '' for what is no address."""
    found = ipv6(text)
    return f"{1 << found[1] | found[0] >> (128 - found[1]):b}" if found else ""


def text6(value: int) -> str:
    digits = f"{value:032x}"
    return ":".join(digits[at : at + 4] for at in range(0, 32, 4))


def parse_ipv6(text: str) -> str:
    found = ipv6_as_written(text)
    return text6(mask6(*found)) if found else ""


def parse_ipv6_mask(text: str, prefix: int) -> str:
    found = ipv6(text)
    return text6(mask6(found[0], min(found[1], prefix))) if found and 0 <= prefix <= 128 else ""


def ipv6_compare(left: str, right: str, prefix: int) -> int | None:
    """As `ipv4_compare`; with two IPv4 operands a prefix up to 32 counts IPv4 bits (R-168). -1 is no prefix."""
    one, two = ipv6(left), ipv6(right)
    if one is None or two is None or not -1 <= prefix <= 128:
        return None
    limit = 128 if prefix < 0 else prefix
    if 0 <= prefix <= 32 and ipv4(left) and ipv4(right):
        limit = prefix + 96
    bits = min(one[1], two[1], limit)
    a, b = mask6(one[0], bits), mask6(two[0], bits)
    return (a > b) - (a < b)


def ipv6_is_match(left: str, right: str, prefix: int) -> bool | None:
    order = ipv6_compare(left, right, prefix)
    return None if order is None else order == 0


def ipv6_in_range(address: str, network: str) -> bool | None:
    one, two = ipv6(address), ipv6(network)
    if one is None or two is None:
        return None
    return mask6(mask6(*one), two[1]) == mask6(*two)


def ipv6_in_any_range(address: str, ranges: str) -> bool | None:
    answers = [ipv6_in_range(address, item) if isinstance(item, str) else None for item in json_array(ranges) or ()]
    if ipv6(address) is None:
        return None
    if True in answers:
        return True
    return None if None in answers else False
