"""Conversions of text that SQL has no form for."""

from __future__ import annotations

from decimal import Decimal, localcontext

from toolkit.kql.times import parse_datetime, parse_timespan


def todatetime_text(text: str) -> int | None:
    """Ticks (R-064 to R-067)."""
    return parse_datetime(text) if text else None


def totimespan_text(text: str) -> int | None:
    """Ticks (R-068)."""
    return parse_timespan(text) if text else None


def todecimal_text(text: str) -> str:
    """A decimal with an exponent or many digits as plain digits: 18 after the point, or an error (R-032)."""
    value = Decimal(text.strip())
    with localcontext() as context:
        context.prec = 200
        if value != value.quantize(Decimal(1).scaleb(-18)):
            raise ValueError(f"kql: the decimal {text.strip()} has more than 18 digits after the point, which this engine does not hold")
        return f"{value:f}"
