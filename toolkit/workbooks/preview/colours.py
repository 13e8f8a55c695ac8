"""How the nodes of graphs, hexagons and the points of maps are coloured: by category, by a column, by thresholds, as heat."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.workbooks.numbers import cell_text, number_of
from toolkit.workbooks.preview.grids import View, share, threshold
from toolkit.workbooks.tables import Row, Table

_CATEGORY, _FIELD, _THRESHOLDS, _HEAT = (1, "categorical"), (2, "fieldBased"), (3, "thresholds"), (4, "heatmap")
_HEX = re.compile(r"#?([0-9A-Fa-f]{6})")


def colours(table: Table, rows: Sequence[Row], settings: Mapping[str, Any]) -> list[View]:
    """A colour per row: {"series": n}, {"color": name}, {"hex": "#rrggbb"}, {"heat": 0..1, "palette": name}, or nothing."""
    index = table.index(str(settings.get("nodeColorField") or ""))
    kind = settings.get("type")
    if index is None:
        return [{} for _ in rows]
    values = [row[index] for row in rows]
    if kind in _CATEGORY:
        known = {text: number for number, text in enumerate(dict.fromkeys(map(cell_text, values)))}
        return [{"series": known[cell_text(value)] % 8} for value in values]
    if kind in _FIELD:
        found = [_HEX.fullmatch(cell_text(value)) for value in values]
        return [{"hex": f"#{match[1].lower()}"} if match else {} for match in found]
    if kind in _THRESHOLDS:
        drawn = [threshold(row[index], "", settings, table, row) for row in rows]
        return [{"color": view["color"]} if view.get("color") else {} for view in drawn]
    return _heat(values, settings) if kind in _HEAT else [{} for _ in rows]


def _heat(values: Sequence[Any], settings: Mapping[str, Any]) -> list[View]:
    numbers = [number_of(value) for value in values]
    known = [number for number in numbers if number is not None]
    least, most = number_of(settings.get("heatmapMin")), number_of(settings.get("heatmapMax"))
    least = min(known, default=0.0) if least is None else least
    most = max(known, default=0.0) if most is None else most
    palette = str(settings.get("heatmapPalette") or "blue")
    return [{} if number is None else {"heat": round(share(number, least, most), 3), "palette": palette} for number in numbers]
