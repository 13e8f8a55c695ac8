"""Findings as text for people."""

from __future__ import annotations

import re
from collections.abc import Iterable

from toolkit.content.findings import Finding

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Text from content files without characters that would steer a terminal."""
    return _CONTROL.sub("\ufffd", text)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once, by file and place."""
    unique = {(finding.source.name, finding.diagnostic, finding.details): finding for finding in findings}
    return sorted(unique.values(), key=lambda finding: (finding.source.name, finding.position, finding.code))


def finding_text(finding: Finding) -> str:
    """One finding with its frame, hints and details."""
    return visible(finding.render())
