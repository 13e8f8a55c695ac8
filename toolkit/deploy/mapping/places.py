"""Helpers of every kind's mapping: findings at places of the file, the query as it runs, extra properties, the keys left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.content.findings import Findings
from toolkit.content.items import Item
from toolkit.content.values import ItemQuery
from toolkit.content.yaml.nodes import Path, Scalar
from toolkit.deploy.mapping.resources import ResourceKind, Settings, refuse_if_errors, stable_id
from toolkit.deploy.mapping.values import description_text, query_text
from toolkit.kql.source import NOWHERE

EXTRA = "armProperties"
_NAME = re.compile(r"[^#<>%&:?/{}*\\\x00-\x1f]{1,260}")


@dataclass(frozen=True)
class Places:
    """An item on its way to Azure, and what is found wrong on the way."""

    item: Item
    settings: Settings
    findings: Findings

    @classmethod
    def of(cls, item: Item, settings: Settings) -> Places:
        """Raises MappingError with the errors that reading the file has found already."""
        refuse_if_errors(item.findings)
        return cls(item, settings, Findings(item.source))

    def error(self, path: Path, code: str, message: str, *hints: str, key: bool = False) -> None:
        span = self.item.document.span(path, key=key) if self.item.document else NOWHERE
        self.findings.add(code, message, span, hints=hints)

    def done(self) -> None:
        refuse_if_errors(self.findings.found)

    def query(self) -> str:
        """The query with its parameters filled in. Raises MappingError."""
        query = ItemQuery(self.item, self.settings.project, self.settings.environment).render(self.findings)
        self.done()
        if query is None:
            self.error((self.item.query_key,), "missing-key", "There is no query.")
            self.done()
        assert query is not None
        return query_text(query.text)

    def description(self, key: str, text: str) -> str | None:
        node = self.item.document.node((key,)) if self.item.document else None
        return description_text(text, node.style if isinstance(node, Scalar) else "") or None

    def name(self, given: str | None, kind: ResourceKind, *seed: str, key: Path = ("id",)) -> str:
        """The resource's name: the file's own id, else one made of `seed`."""
        if given is None or not given.strip():
            return stable_id(kind, *seed)
        if not _NAME.fullmatch(given.strip()):
            message = f"The id becomes the name of a resource and may not hold #<>%&:?/{{}}*\\, found {given!r}."
            self.error(key, "bad-value", message, "Use a GUID.")
        return given.strip()

    def with_extra(self, properties: dict[str, Any], given: object) -> dict[str, Any]:
        """`properties` and those under `armProperties`, which may not say again what another key says."""
        if given is None:
            return properties
        if not isinstance(given, Mapping):
            self.error((EXTRA,), "wrong-type", "Expected a mapping of property names to values.")
            return properties
        return self._merged(properties, given, (EXTRA,))

    def _merged(self, properties: Mapping[str, Any], given: Mapping[str, Any], path: Path) -> dict[str, Any]:
        result = dict(properties)
        for name, value in given.items():
            here = result.get(name)
            if isinstance(here, Mapping) and isinstance(value, Mapping):
                result[name] = self._merged(here, value, (*path, name))
            elif here is not None:
                message = f"The property {name!r} has a key of its own in this file and may not stand under {EXTRA}."
                self.error((*path, name), "mapped-twice", message, key=True)
            elif not _is_json(value):
                self.error((*path, name), "bad-value", f"The value of {name!r} is no JSON value.")
            else:
                result[name] = value
        return result

    def left_out(self, mapped: Iterable[str]) -> tuple[str, ...]:
        """The keys of the file that are not among `mapped`: they have no place in this kind of resource."""
        known = {*mapped, EXTRA, "parameters"}
        return tuple(key for key in (self.item.document.mapping.entries if self.item.document else ()) if key not in known)


def _is_json(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_json, value.values()))
    if isinstance(value, list):
        return all(map(_is_json, value))
    return not isinstance(value, float) or value - value == 0


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def known_only(properties: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Properties split by a tree of known names: (known, the rest with the mappings they lie in). Null counts as absent.

    In `known` a mapping stands for a nested mapping, a list of one mapping for a list of those, everything else for a value.
    A property unknown inside a list has no path to be kept under and stays among the known ones, where its reader refuses it.
    """
    here: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in properties.items():
        if value is None:
            continue
        below = known.get(name)
        if name not in known:
            rest[name] = value
        elif isinstance(below, Mapping) and isinstance(value, Mapping):
            inner, others = known_only(value, below)
            here[name] = inner
            if others:
                rest[name] = others
        else:
            here[name] = value
    return here, rest
