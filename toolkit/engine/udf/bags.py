"""Property bag functions (R-093, R-095, R-257, R-263) on JSON text. What is no bag gives None, the dynamic null."""

from __future__ import annotations

import re
from collections.abc import Sequence

from toolkit.engine.udf.json_text import array_elements, array_text, bag_members, bag_text, quoted, scalar

_PATH_STEP = re.compile(r"\.(?P<plain>[^.\[\]]+)|\[(?:'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\")\]")


def key_path(key: str) -> list[str]:
    """The names of a JSONPath key (`$.a.b`, `$['a b']`); any other text is one name of the top level."""
    if not key.startswith(("$.", "$[")):
        return [key]
    names: list[str] = []
    index = 1
    while index < len(key):
        step = _PATH_STEP.match(key, index)
        if step is None:
            return [key]
        names.append(next(name for name in step.groups() if name is not None))
        index = step.end()
    return names


def bag_has_key(bag: str, key: str) -> bool:
    value: str | None = bag
    for name in key_path(key):
        members = bag_members(value)
        if members is None or name not in members:
            return False
        value = members[name]
    return True


def bag_remove_keys(bag: str, keys: str) -> str | None:
    """`keys`: JSON text of an array; elements that are no strings are passed over."""
    names = array_elements(keys)
    if bag_members(bag) is None or names is None:
        return None
    for text in names:
        key = scalar(text)
        if isinstance(key, str):
            bag = _without(bag, key_path(key))
    return bag


def _without(bag: str, path: Sequence[str]) -> str:
    members = bag_members(bag)
    if members is None or path[0] not in members:
        return bag
    if len(path) == 1:
        del members[path[0]]
    else:
        members[path[0]] = _without(members[path[0]], path[1:])
    return bag_text(members.items())


def bag_set_key(bag: str, key: str, value: str) -> str | None:
    """`value` is JSON text. Missing bags on the way are made; a scalar on the way gives None."""
    return _with(bag, key_path(key), value)


def _with(bag: str, path: Sequence[str], value: str) -> str | None:
    members = bag_members(bag)
    if members is None:
        return None
    if len(path) == 1:
        members[path[0]] = value
        return bag_text(members.items())
    inner = _with(members.get(path[0], "{}"), path[1:], value)
    if inner is None:
        return None
    members[path[0]] = inner
    return bag_text(members.items())


def bag_merge(bags: Sequence[str | None]) -> str | None:
    """The leftmost value of a repeated key wins."""
    result: dict[str, str] = {}
    for bag in bags:
        members = bag_members(bag)
        if members is None:
            return None
        for name, value in members.items():
            result.setdefault(name, value)
    return bag_text(result.items())


def make_bag(bags: str, limit: int) -> str:
    """R-257: the first value of a key stays; what is no bag is passed over; at most `limit` keys. `bags`: a JSON array."""
    result: dict[str, str] = {}
    for bag in array_elements(bags) or []:
        for name, value in (bag_members(bag) or {}).items():
            if name not in result and len(result) < limit:
                result[name] = value
    return bag_text(result.items())


def bag_zip(keys: str, values: str | None) -> str | None:
    """Keys that are no strings are passed over with their values; missing values are null."""
    names = array_elements(keys)
    if names is None:
        return None
    found = array_elements(values) or []
    result: dict[str, str] = {}
    for index, text in enumerate(names):
        if text[0] == '"':
            result.setdefault(str(scalar(text)), found[index] if index < len(found) else "null")
    return bag_text(result.items())


def canonical(value: str) -> str:
    """R-095: members sorted by name at every level."""
    elements = array_elements(value)
    if elements is not None:
        return array_text(canonical(element) for element in elements)
    members = bag_members(value)
    if members is not None:
        return bag_text((name, canonical(members[name])) for name in sorted(members))
    return value


def treepath(value: str) -> str | None:
    """Paths of all members; the elements of an array share the index 0. None for a scalar."""
    if value[0] not in "[{":
        return None
    paths: dict[str, None] = {}
    _walk(value, "", paths)
    return array_text(quoted(path) for path in paths)


def _walk(value: str, prefix: str, paths: dict[str, None]) -> None:
    members = bag_members(value)
    for name, inner in (members or {}).items():
        path = f"{prefix}['{name}']"
        paths[path] = None
        _walk(inner, path, paths)
    for inner in array_elements(value) or []:
        path = f"{prefix}[0]"
        paths[path] = None
        _walk(inner, path, paths)


# --- buildschema ----------------------------------------------------------------------------------------------------

_INDEXER = "`indexer`"


class _Schema:
    """The types seen at one place: scalar type names in order, and the members of bags and arrays."""

    def __init__(self) -> None:
        self.scalars: dict[str, None] = {}
        self.members: dict[str, _Schema] | None = None

    def add(self, value: str) -> None:
        members = bag_members(value)
        elements = array_elements(value)
        if members is not None:
            for name, inner in members.items():
                self._member(name).add(inner)
        elif elements is not None:
            for inner in elements:
                self._member(_INDEXER).add(inner)
        elif value != "null":
            self.scalars[_type_name(value)] = None

    def _member(self, name: str) -> _Schema:
        if self.members is None:
            self.members = {}
        return self.members.setdefault(name, _Schema())

    def text(self) -> str:
        parts = [quoted(name) for name in self.scalars]
        if self.members is not None:
            parts.append(bag_text((name, schema.text()) for name, schema in self.members.items()))
        return parts[0] if len(parts) == 1 else array_text(parts)


def _type_name(value: str) -> str:
    if value[0] == '"':
        return "string"
    if value in ("true", "false"):
        return "bool"
    return "double" if any(letter in value for letter in ".eE") else "long"


def buildschema(values: Sequence[str | None]) -> str | None:
    """R-263: the least schema that admits all values; None when there is none."""
    schema = _Schema()
    for value in values:
        if value is not None:
            schema.add(value)
    return schema.text() if schema.scalars or schema.members is not None else None


def bag_pieces(text: str, as_pairs: bool) -> list[str]:
    """What mv-expand makes of a bag: one bag or, `as_pairs`, one array of name and value per member (R-106)."""
    members = (bag_members(text) or {}).items()
    return [f"[{quoted(name)},{value}]" if as_pairs else bag_text([(name, value)]) for name, value in members]
