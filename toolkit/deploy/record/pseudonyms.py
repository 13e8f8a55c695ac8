"""Pseudonyms by kind: made once per value, and never one for two values."""

from __future__ import annotations

import re
from collections.abc import Callable

from toolkit.deploy.record.addresses import Addresses
from toolkit.deploy.record.identifiers import Identifiers
from toolkit.deploy.record.key import Key
from toolkit.deploy.record.names import Names, owned_label
from toolkit.deploy.record.wellknown import KEPT_AUTHORITIES, SERVICE_AUTHORITIES
from toolkit.kql.diagnostics import ToolkitError

_GUEST = re.compile(r"(.+)_([^_]+\.[^_]+)(#EXT#)", re.IGNORECASE)
_NETWORK = re.compile(r"(.+)/(\d{1,3})")
_IAM = ("iam", "sts")
_KEPT_ROLES = ("aws", "aws-service-role")


class PseudonymCollision(ToolkitError):
    """Two values got one pseudonym: a join would find what was not there. The text does not name them."""


class Pseudonyms:
    """Every kind's pseudonyms under one key. `learned` collects names that other texts are searched for, in lower case."""

    def __init__(self, key: Key) -> None:
        self._addresses = Addresses(key)
        self._identifiers = Identifiers(key)
        self._names = Names(key, self._identifiers)
        self._made: dict[tuple[str, str], str] = {}
        self._owners: dict[tuple[str, str], str] = {}
        self.learned: set[str] = set()

    def _once(self, kind: str, text: str, make: Callable[[str], str], same: str | None = None) -> str:
        """The pseudonym of `text`. `same`: what all spellings of the value have in common."""
        found = self._made.get((kind, text))
        if found is None:
            found = make(text)
            owner = text if same is None else same
            if self._owners.setdefault((kind, found), owner) != owner:
                raise PseudonymCollision(f"Two different values of kind {kind} got one pseudonym. Record with another key.")
            self._made[kind, text] = found
        return found

    def name(self, text: str) -> str:
        return self._once("name", text, self._names.name)

    def domain(self, text: str) -> str:
        owned = owned_label(text)
        if owned:
            self.learn(owned)
        return self._once("domain", text, self._names.domain)

    def host(self, text: str) -> str:
        """The name of a host alone, or with its domain."""
        self.learn(text.partition(".")[0])
        return self.domain(text) if "." in text else self.name(text)

    def learn(self, name: str) -> None:
        self.learned.add(name.lower())

    def guid(self, text: str) -> str:
        return self._once("guid", text, self._identifiers.guid, text.lower())

    def sid(self, text: str) -> str:
        return self._once("sid", text, self._identifiers.sid)

    def digits(self, text: str) -> str:
        return self._once("name", text, self._identifiers.digits)

    def access_key(self, text: str) -> str:
        return self._once("access key", text, self._identifiers.access_key)

    def mac(self, text: str) -> str:
        return self._once("mac", text, self._identifiers.mac)

    def phone(self, text: str) -> str:
        return self._once("phone", text, self._identifiers.phone)

    def ip(self, text: str) -> str:
        """An IPv4 or IPv6 address, or a network as address/length. ValueError for what is neither."""
        network = _NETWORK.fullmatch(text)
        address, length = (network[1], int(network[2])) if network else (text, None)
        make = self._addresses.ipv6 if ":" in address else self._addresses.ipv4
        found = self._once("ip" if length is None else f"ip/{length}", address, lambda each: make(each, length), _canonical(address))
        return found if length is None else f"{found}/{length}"

    def email(self, text: str) -> str:
        """`name@domain`, also of a guest (`name_domain#EXT#@domain`) and with a tag (`name+tag@domain`)."""
        local, _, domain = text.rpartition("@")
        if guest := _GUEST.fullmatch(local):
            fresh = f"{self._local(guest[1])}_{self.domain(guest[2])}{guest[3]}"
        else:
            fresh = self._local(local)
        return f"{fresh}@{self.domain(domain)}"

    def _local(self, text: str) -> str:
        parts = text.split("+")
        self.learn(parts[0])
        return "+".join(self.name(part) if part else part for part in parts)

    def account(self, authority: str, name: str) -> str:
        r"""`authority\name` of Windows; what is in front may be a domain with dots."""
        lower = authority.lower()
        if lower in SERVICE_AUTHORITIES:
            return f"{authority}\\{name}"
        self.learn(name.removesuffix("$"))
        fresh = authority if lower in KEPT_AUTHORITIES else self.host(authority)
        return f"{fresh}\\{self.email(name) if '@' in name else self.name(name)}"

    def arn(self, text: str) -> str:
        """An ARN: partition, service, region and types stay."""
        parts = text.split(":", 5)
        if len(parts) < 6 or parts[4] == "aws":
            return text
        service, account, resource = parts[2], parts[4], parts[5]
        if account.isdigit():
            self.learn(account)
            parts[4] = self.name(account)
        parts[5] = self._arn_resource(service, resource)
        return ":".join(parts)

    def _arn_resource(self, service: str, resource: str) -> str:
        if service == "s3":
            bucket, slash, rest = resource.partition("/")
            return self._part(bucket) + slash + "/".join(self._part(part) for part in rest.split("/"))
        pieces = re.split(r"([/:])", resource)
        if len(pieces) == 1:
            return self._part(resource) if service not in _IAM else resource  # `root`
        if service in _IAM and pieces[2] in _KEPT_ROLES:
            return resource
        fresh = [self._part(piece) if place and place % 2 == 0 else piece for place, piece in enumerate(pieces)]
        if service in _IAM and pieces[0] in ("user", "assumed-role", "federated-user"):
            self.learn(pieces[-1].partition("@")[0])
        return "".join(fresh)

    def _part(self, text: str) -> str:
        if not text or "*" in text or text.startswith(("AWSServiceRole", "AWSReservedSSO_")):
            return text
        return self.email(text) if "@" in text.strip("@") else self.name(text)

    def resource_id(self, text: str) -> str:
        """A resource id of Azure: keywords, namespaces and types stay, names are replaced. In any case of letters."""
        parts = text.split("/")
        fresh, types = list(parts), False
        place = 1
        while place < len(parts):
            word, value = parts[place].lower(), parts[place + 1] if place + 1 < len(parts) else ""
            if word == "providers":
                types, place = True, place + 2
                continue
            if word in ("subscriptions", "resourcegroups", "managementgroups") or types:
                fresh[place + 1 : place + 2] = [self._resource_name(value)] if place + 1 < len(parts) else []
            place += 2
        return "/".join(fresh)

    def _resource_name(self, text: str) -> str:
        if re.fullmatch(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", text):
            return self.guid(text)
        if not text or text.startswith(("Microsoft.", "{", "*")):
            return text
        self.learn(text)
        return self.name(text)


def _canonical(address: str) -> str:
    import ipaddress

    if ":" in address:
        return ipaddress.IPv6Address(address).exploded
    return ".".join(str(int(part)) for part in address.split("."))
