"""A result as points at their longitude and latitude. No coastline is drawn: a preview has none, and loads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.workbooks.numbers import cell_text, formatted, number_of
from toolkit.workbooks.preview.colours import colours
from toolkit.workbooks.preview.grids import View
from toolkit.workbooks.tables import Row, Table, mapping

_MOST_POINTS = 1_000


def points(table: Table, settings: Mapping[str, Any]) -> tuple[View, list[Row]] | None:
    """What to draw, and the rows of its points, the largest first; None when no columns of coordinates are named."""
    latitude, longitude = (table.index(str(settings.get(key) or "")) for key in ("latitude", "longitude"))
    if settings.get("locInfo") != "LatLong" or latitude is None or longitude is None:
        return None
    size = table.index(str(settings.get("sizeSettings") or ""))
    label = table.index(str(settings.get("labelSettings") or ""))
    found: list[tuple[float, float, float, Row]] = []
    for row in table.rows:
        y, x = number_of(row[latitude]), number_of(row[longitude])
        if x is not None and y is not None and abs(y) <= 90 and abs(x) <= 180:
            found.append((x, y, max(0.0, number_of(row[size]) or 0.0) if size is not None else 1.0, row))
    found.sort(key=lambda item: -item[2])
    shown = found[:_MOST_POINTS]
    rows = [row for _, _, _, row in shown]
    tones = colours(table, rows, mapping(settings.get("itemColorSettings")))
    largest = max((amount for _, _, amount, _ in shown), default=1.0) or 1.0
    drawn = [
        {"x": x, "y": y, "share": round(amount / largest, 3), "tone": tone, "label": cell_text(row[label]) if label is not None else "",
         "value": formatted(row[size], mapping(settings.get("numberFormatSettings"))) if size is not None else ""}
        for (x, y, amount, row), tone in zip(shown, tones, strict=True)
    ]  # fmt: skip
    remarks = ["Points at their longitude and latitude; this preview draws no coastlines."]
    if len(found) < len(table.rows):
        lost = len(table.rows) - len(found)
        remarks.append(f"{lost} row{'s have' if lost > 1 else ' has'} no place.")
    if len(shown) < len(found):
        remarks.append(f"The largest {len(shown):,} of {len(found):,} points are shown.")
    return {"points": drawn, "remark": " ".join(remarks)}, rows
