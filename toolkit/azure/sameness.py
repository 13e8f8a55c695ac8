"""Whether a resource that was read back has what was sent: how the client decides after an answer got lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from toolkit.content.durations import parse_duration


def covers(found: Any, sent: Any, ignored: Collection[str] = ()) -> bool:
    """Whether `found` has everything of `sent`: absent equals null, durations by their length.

    Stricter than a plan's comparison: when in doubt the answer is no, and the write is repeated, which is harmless.
    `ignored` are properties that never come back. `etag` always differs.
    """
    if isinstance(sent, Mapping):
        if not isinstance(found, Mapping):
            return False
        names = [name for name in sent if name != "etag" and name not in ignored]
        return all(sent[name] is None or covers(found.get(name), sent[name], ignored) for name in names)
    if isinstance(sent, list):
        if not sent:
            return not found
        return isinstance(found, list) and len(found) == len(sent) and all(covers(*pair, ignored) for pair in zip(found, sent, strict=True))
    if isinstance(sent, str) and isinstance(found, str):
        return found == sent or (_duration(sent) is not None and _duration(found) == _duration(sent))
    if isinstance(sent, bool) or isinstance(found, bool):
        return sent is found
    return bool(found == sent)


def _duration(text: str) -> timedelta | None:
    return parse_duration(text) if text.startswith("P") else None
