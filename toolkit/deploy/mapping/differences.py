"""What has to change for a remote resource to become the desired one, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from toolkit.deploy.mapping.normal import normal
from toolkit.deploy.mapping.resources import ArmResource, Body, ResourceKind


@dataclass(frozen=True)
class Difference:
    """One field: `before` is what the workspace has, `after` what it shall have; None where there is nothing."""

    path: str
    before: Any
    after: Any

    def render(self) -> str:
        """The difference for people: text of several lines as a unified diff of its lines, everything else as `path: old -> new`."""
        path = self.path.removeprefix("properties.")
        if any(isinstance(value, str) and "\n" in value for value in (self.before, self.after)):
            lines = unified_diff(_lines(self.before), _lines(self.after), "workspace", "file", lineterm="")
            return "\n".join([f"{path}:", *(f"  {line}".rstrip() for line in lines)])
        if isinstance(self.before, list) and isinstance(self.after, list):
            gone = [f"-{_shown(value)}" for value in self.before if value not in self.after]
            new = [f"+{_shown(value)}" for value in self.after if value not in self.before]
            if gone or new:
                return f"{path}: {' '.join([*gone, *new])}"
        return f"{path}: {_shown(self.before)} -> {_shown(self.after)}"


def differences(kind: ResourceKind, desired: Body, remote: Body) -> tuple[Difference, ...]:
    """Every field in which two bodies differ in meaning (`toolkit.deploy.mapping.normal`), by path. Equal bodies give none."""
    return tuple(_compare("", normal(kind, remote), normal(kind, desired)))


def compared(desired: ArmResource, remote: ArmResource) -> tuple[Difference, ...]:
    """`differences` of two resources of one kind, from the normal forms that they keep."""
    if _same(remote.form, desired.form):
        return ()
    return tuple(_compare("", remote.form, desired.form))


_MISSING = object()


def _compare(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after}):
            yield from _compare(f"{path}.{name}" if path else name, before.get(name, _MISSING), after.get(name, _MISSING))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after) and _nested(before + after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _compare(f"{path}[{number}]", old, new)
    elif not _same(before, after):
        yield Difference(path, None if before is _MISSING else before, None if after is _MISSING else after)


def _nested(values: list[Any]) -> bool:
    return all(isinstance(value, dict) for value in values)


def _same(before: Any, after: Any) -> bool:
    """Equality of JSON values: true is not 1."""
    if isinstance(before, bool) or isinstance(after, bool):
        return before is after
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_same, before, after))
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(_same(before[name], after[name]) for name in before)
    return bool(before == after)


def _lines(value: Any) -> list[str]:
    return value.split("\n") if isinstance(value, str) else [] if value is None else [_shown(value)]


def _shown(value: Any) -> str:
    if value is None:
        return "(nothing)"
    return value if isinstance(value, str) and value.strip() == value and value else json.dumps(value, ensure_ascii=False, default=str)
