"""Makes `data/tables.txt` from a JSON file of schemas: `python -m toolkit.catalog.build tables.json`.

The JSON is {table: {column: KQL type}}. Residues of portal exports (`TimeGenerated [UTC]` as a column name) are taken off.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolkit.catalog.encoding import encode
from toolkit.kql.types import ScalarType

TARGET = Path(__file__).parent / "data" / "tables.txt"
_ZONE_SUFFIX = re.compile(r"\s\[[^\]]+\]$")
_STANDARD_COLUMNS = 10


def cleaned(tables: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """The same tables with export residues removed. ValueError for a type that is not a canonical KQL name."""
    result = {
        table: {_ZONE_SUFFIX.sub("", name): ScalarType(kind).value for name, kind in columns.items()} for table, columns in tables.items()
    }
    for table, columns in tables.items():
        if len(result[table]) != len(columns):
            raise ValueError(f"table {table!r}: two columns have the same name once the time zone is taken off")
    return result


def build(tables: Mapping[str, Mapping[str, str]]) -> str:
    """The text of the bundled catalogue."""
    clean = cleaned(tables)
    frequent = Counter(item for columns in clean.values() for item in columns.items()).most_common(_STANDARD_COLUMNS)
    return encode(clean, dict(item for item, _ in frequent))


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m toolkit.catalog.build TABLES.json\n")
        return 2
    TARGET.write_text(build(json.loads(Path(arguments[0]).read_text(encoding="utf-8"))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
