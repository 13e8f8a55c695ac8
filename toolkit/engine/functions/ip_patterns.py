"""IPv4 networks as a regular expression over plain dotted addresses: one pass over the text instead of four conversions."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, collapse_addresses

OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
PLAIN = rf"(?:{OCTET}\.){{3}}{OCTET}"
_MOST_NETWORKS = 400  # RE2 takes a pattern of some ten thousand characters without a second thought


def pattern(networks: Iterable[tuple[int, int]]) -> str | None:
    """What a plain address of one of the networks (address, prefix length) matches as a whole; None for too many of them."""
    merged = list(collapse_addresses(IPv4Network((address, bits), strict=False) for address, bits in networks))
    return "|".join(map(_network, merged)) if 0 < len(merged) <= _MOST_NETWORKS else None


def _network(network: IPv4Network) -> str:
    first, last = network.network_address.packed, network.broadcast_address.packed
    return r"\.".join(_octets(low, high) for low, high in zip(first, last, strict=True))


def _octets(low: int, high: int) -> str:
    """The decimal numbers from `low` to `high`."""
    if (low, high) == (0, 255):
        return OCTET
    by_tens: dict[int, list[int]] = {}
    for value in range(low, high + 1):
        by_tens.setdefault(value // 10, []).append(value % 10)
    whole = [str(tens or "") for tens, digits in by_tens.items() if len(digits) == 10]
    parts = [f"{tens or ''}{_digits(digits[0], digits[-1])}" for tens, digits in by_tens.items() if len(digits) < 10]
    parts += [f"(?:{'|'.join(whole)})[0-9]"] if whole else []
    return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"


def _digits(low: int, high: int) -> str:
    return str(low) if low == high else f"[{low}-{high}]"
