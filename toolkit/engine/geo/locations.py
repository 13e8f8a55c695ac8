"""Where IP addresses are: a file of networks in place of the database that the service looks into (R-170).

CSV with a header: network, country, state, city, latitude, longitude. The network is an IPv4 or IPv6 one (1.2.3.0/24, or an
address); the longest that holds an address counts. A cell may be empty: the answer then has no such member.
"""

from __future__ import annotations

import csv
import ipaddress
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from toolkit.engine.geo.geojson import valid
from toolkit.engine.udf.strings import json_text

_TEXTS = ("country", "state", "city")
_NUMBERS = ("latitude", "longitude")
_COLUMNS = ("network", *_TEXTS, *_NUMBERS)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Locations:
    """By IP version and prefix length: the first address of a network -> what is known of it, as JSON."""

    by_prefix: dict[tuple[int, int], dict[int, str]]

    def of(self, address: Address) -> str | None:
        whole = address.max_prefixlen
        for prefix in range(whole, -1, -1):
            networks = self.by_prefix.get((address.version, prefix))
            if networks is not None:
                found = networks.get(int(address) >> (whole - prefix) << (whole - prefix))
                if found is not None:
                    return found
        return None


def location_of(text: str, path: str) -> str | None:
    """What the file says of an address, as a JSON object; None for what it does not hold and for what is no address."""
    address = _address(text)
    return None if address is None else read_locations(path).of(address)


# Recorded logs have these in place of public addresses: to give null for them would hide that nobody was asked.
_DOCUMENTATION = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")))


def is_locatable(text: str) -> bool:
    """Whether this is an address of the public internet: no database of locations holds the others."""
    address = _address(text)
    return address is not None and (address.is_global or any(address in network for network in _DOCUMENTATION))


@lru_cache(maxsize=4096)
def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


@lru_cache(maxsize=8)
def read_locations(path: str) -> Locations:
    """The networks of a file. Raises IngestError with the line of what cannot be read."""
    from toolkit.engine.ingest.findings import Report, unreadable

    report = Report()
    by_prefix: dict[tuple[int, int], dict[int, str]] = {}
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            records = csv.reader(file, strict=True)
            header = next(records, [])
            if not set(_COLUMNS) <= set(header):
                raise unreadable(path, f"expected the columns {', '.join(_COLUMNS)}; found {', '.join(header) or 'none'}", 1)
            for cells in records:
                try:
                    _add(by_prefix, header, cells)
                except ValueError as error:
                    report.error(str(error), path, records.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise unreadable(path, f"the file of IP locations cannot be read: {error}") from None
    if report.errors:
        raise report.as_error()
    return Locations(by_prefix)


def _add(by_prefix: dict[tuple[int, int], dict[int, str]], header: list[str], cells: list[str]) -> None:
    if not cells:
        return
    if len(cells) != len(header):
        raise ValueError(f"expected {len(header)} cells; found {len(cells)}")
    row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    network, text = ipaddress.ip_network(row["network"]), json_text(_location(row))
    if by_prefix.setdefault((network.version, network.prefixlen), {}).setdefault(int(network[0]), text) != text:
        raise ValueError(f"{network} is there twice, with different places")


def _location(row: dict[str, str]) -> dict[str, str | float]:
    """The members in the order in which the service writes them."""
    found: dict[str, str | float] = {name: row[name] for name in _TEXTS if row[name]}
    if any(row[name] for name in _NUMBERS):
        latitude, longitude = (_degrees(row[name], name) for name in _NUMBERS)
        if not valid(longitude, latitude):
            raise ValueError(f"expected a latitude of -90 to 90 and a longitude of -180 to 180; found {latitude}, {longitude}")
        found |= {"latitude": latitude, "longitude": longitude}
    return found


def _degrees(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"expected a number as {name}; found {json.dumps(text)}") from None
