"""What was replaced: counts by path and kind. Never a value."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Replaced:
    """Values of one kind at one path (a column, or a property inside its values). `distinct` counts different originals."""

    path: str
    kind: str
    values: int
    distinct: int


@dataclass(frozen=True)
class Doubtful:
    """A path whose text stays as it is and may name somebody. `why` is "free text", "names" or "the field's name"."""

    path: str
    why: str
    values: int


class Tally:
    """Counts while values are replaced."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], int] = defaultdict(int)
        self._distinct: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._doubtful: dict[tuple[str, str], int] = defaultdict(int)

    def add(self, path: str, kind: str, original: str, times: int) -> None:
        self._values[path, kind] += times
        self._distinct[path, kind].add(original)

    def doubt(self, path: str, why: str, times: int) -> None:
        self._doubtful[path, why] += times

    @property
    def replaced(self) -> list[Replaced]:
        return [Replaced(path, kind, count, len(self._distinct[path, kind])) for (path, kind), count in sorted(self._values.items())]

    @property
    def doubtful(self) -> list[Doubtful]:
        return [Doubtful(path, why, count) for (path, why), count in sorted(self._doubtful.items())]


@dataclass(frozen=True)
class Report:
    """What became of a recording. `key` is the fingerprint of the key."""

    table: str
    rows: int
    key: str
    replaced: tuple[Replaced, ...]
    doubtful: tuple[Doubtful, ...]
    kept: tuple[str, ...] = ()

    def data(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "version": 1,
            "table": self.table,
            "rows": self.rows,
            "keyFingerprint": self.key,
            "replaced": [{"path": one.path, "kind": one.kind, "values": one.values, "distinct": one.distinct} for one in self.replaced],
            "lookAt": [{"path": one.path, "why": one.why, "values": one.values} for one in self.doubtful],
            "kept": list(self.kept),
        }
