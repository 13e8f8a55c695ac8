"""Secrets of requests and answers: those that their JSON names, besides what any text may hold (`toolkit.engine.redaction`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolkit.engine.redaction import HIDDEN, SECRET_KEYS, redact

__all__ = ["HIDDEN", "SECRET_KEYS", "redact", "secrets_of"]


def secrets_of(body: Any) -> Iterator[str]:
    """The values of secret properties of a JSON body, at any depth."""
    if isinstance(body, Mapping):
        for key, value in body.items():
            if isinstance(value, str) and str(key).lower() in SECRET_KEYS:
                yield value
            else:
                yield from secrets_of(value)
    elif isinstance(body, Sequence) and not isinstance(body, str | bytes):
        for value in body:
            yield from secrets_of(value)
