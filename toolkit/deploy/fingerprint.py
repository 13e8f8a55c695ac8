"""What was last deployed, in few characters: enough to tell who changed which property since then.

A plan compares three states: the file, the workspace, and what the last deployment wrote. The third is kept beside the resource itself
(`toolkit.deploy.ownership`), where a name has 256 characters: so each property is five bytes, two of its name and three of its value.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.deploy.mapping import ArmResource

ITEMS = "items"
"""Stands for the rows of a watchlist among its properties."""
_NAME, _VALUE = 2, 3


@dataclass(frozen=True)
class Fingerprint:
    """The properties of one resource as short hashes of their values, by the hash of their names."""

    values: Mapping[bytes, bytes]

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Fingerprint:
        """Of a state as `state_of` gives it."""
        return cls({_hash(name, _NAME): _hash(_json(value), _VALUE) for name, value in state.items()})

    @classmethod
    def parse(cls, text: str) -> Fingerprint | None:
        """None for a text that is no fingerprint."""
        try:
            data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            return None
        step = _NAME + _VALUE
        if not data or len(data) % step:
            return None
        return cls({data[at : at + _NAME]: data[at + _NAME : at + step] for at in range(0, len(data), step)})

    def __str__(self) -> str:
        data = b"".join(name + value for name, value in sorted(self.values.items()))
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    def changed(self, state: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
        """Those of `names` whose value in `state` is not the one of this fingerprint."""
        return tuple(name for name in names if self.values.get(_hash(name, _NAME)) != _value(state, name))


def state_of(resource: ArmResource) -> dict[str, Any]:
    """What a resource says, by property, in the normal form of its kind; a watchlist's rows under `items`."""
    state = {**resource.form, **resource.form.get("properties", {})}
    state.pop("properties", None)
    if resource.children:
        state[ITEMS] = sorted((rows_of(child) for child in resource.children), key=_json)
    return state


def rows_of(item: ArmResource) -> dict[str, Any]:
    """The values of one row of a watchlist, in normal form."""
    values: dict[str, Any] = item.form.get("properties", {}).get("itemsKeyValue", {})
    return values


def digest(value: object) -> str:
    """A stable hash of JSON values."""
    return hashlib.sha256(_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _hash(text: str, length: int) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=length).digest()


def _value(state: Mapping[str, Any], name: str) -> bytes | None:
    return _hash(_json(state[name]), _VALUE) if name in state else None
