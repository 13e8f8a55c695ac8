"""No ids of real subscriptions, and nothing else that belongs to one workspace.

A workbook that is saved from the portal carries the resource ids of the workspace it was saved in. In another environment they
point at a workspace that its readers cannot open, and in a public repository they tell about the tenant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toolkit.content.yaml.nodes import Path
from toolkit.workbooks.checks.inspection import Inspection

_SUBSCRIPTION = re.compile(r"/subscriptions/(?P<id>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"0{8}-0{4}-0{4}-0{4}-[0-9a-fA-F]{12}|(.)\1{7}-\1{4}-\1{4}-\1{4}-\1{12}")


def check_leaks(seen: Inspection) -> None:
    """Subscription ids anywhere in the workbook."""
    for path, text in _strings(seen.workbook.content, ()):
        for match in _SUBSCRIPTION.finditer(text):
            if not _PLACEHOLDER.fullmatch(match["id"]):
                message = f"The id of a subscription stands in the workbook: {match['id'][:8]}-..."
                hints = ["Take the resource from a parameter, or leave it out: a workbook in Sentinel has its workspace."]
                seen.notes.add("leaked-id", message, path, at=match.span("id"), hints=hints, severity="warning")


def _strings(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Every text of the JSON; its depth is bounded by the reader."""
    if isinstance(value, str):
        if "/" in value:
            yield path, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _strings(part, (*path, name))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _strings(part, (*path, number))
