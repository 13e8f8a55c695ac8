"""Rows in memory, pseudonymised."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.azure.tables import results_of
from toolkit.deploy.record import Key, Recording, Shape, pseudonymise
from toolkit.engine.result import Result

KEY = Key(bytes(range(32)))
OTHER = Key(bytes(range(1, 33)))


def result_of(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Result:
    """These rows as the answer of a workspace."""
    described = [{"name": name, "type": kind} for name, kind in columns.items()]
    cells = [[_cell(row.get(name), kind) for name, kind in columns.items()] for row in rows]
    return results_of([{"name": "PrimaryResult", "columns": described, "rows": cells}], None)


def _cell(value: Any, kind: str) -> Any:
    return json.dumps(value) if kind == "dynamic" and value is not None else value


def recording_of(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]], key: Key = KEY, **shape: Any) -> Recording:
    return pseudonymise(result_of(columns, rows), key, Shape("T", **shape))


def texts(field: str, *values: str, key: Key = KEY) -> list[str]:
    """These texts of one column, pseudonymised in one recording."""
    lines = recording_of({field: "string"}, [{field: value} for value in values], key).lines
    return [json.loads(line).get(field, "") for line in lines]


def text(field: str, value: str, key: Key = KEY) -> str:
    return texts(field, value, key=key)[0]
