"""The rows of a watchlist: which are added, changed and taken away. A PUT of the whole list would add to what is there."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence

from toolkit.deploy.fingerprint import rows_of
from toolkit.deploy.mapping import ArmResource
from toolkit.deploy.plan import Row


def row_changes(desired: Sequence[ArmResource], remote: Sequence[ArmResource], key: str) -> tuple[Row, ...]:
    """What makes the remote rows the desired ones: rows of equal values stay, rows of one search key are rewritten in place, the rest is
    added or deleted. Rows have no order."""
    left = {row.name.lower(): row for row in remote}
    equal: defaultdict[str, list[str]] = defaultdict(list)
    for row in remote:
        equal[_text(row)].append(row.name.lower())
    missing: list[ArmResource] = []
    for row in desired:
        same = equal[_text(row)]
        if same:
            left.pop(same.pop())
        else:
            missing.append(row)
    by_key: defaultdict[str, list[str]] = defaultdict(list)
    for name, row in left.items():
        by_key[_key(row, key)].append(name)
    changes: list[Row] = []
    for row in missing:
        places = by_key[_key(row, key)]
        # a new row's own name may be that of a row that is still there
        place = row.name.lower() if row.name.lower() in left else next(iter(places), "")
        old = left.pop(place, None)
        if old is not None:
            by_key[_key(old, key)].remove(old.name.lower())
        changes.append(Row(old.name if old else row.name, _key(row, key), row.body["properties"]["itemsKeyValue"], _etag(old)))
    return (*changes, *(Row(row.name, _key(row, key), None, _etag(row)) for row in left.values()))


def _text(row: ArmResource) -> str:
    return json.dumps(rows_of(row), sort_keys=True, ensure_ascii=False)


def _key(row: ArmResource, key: str) -> str:
    return str(rows_of(row).get(key, ""))


def _etag(row: ArmResource | None) -> str | None:
    found = row.body.get("etag") if row is not None else None
    return str(found) if found else None
