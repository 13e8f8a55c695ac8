"""Conversions of text that SQL has no form for."""

from __future__ import annotations

from toolkit.kql.times import parse_datetime, parse_timespan


def todatetime_text(text: str) -> int | None:
    """Ticks (R-064 to R-067)."""
    return parse_datetime(text) if text else None


def totimespan_text(text: str) -> int | None:
    """Ticks (R-068)."""
    return parse_timespan(text) if text else None
