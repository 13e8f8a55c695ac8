"""Secrets out of the debug logs of devices: HTTP headers and cookies, upload addresses, what any text may hold."""

from __future__ import annotations

import re

from toolkit.engine.redaction import HIDDEN, redact

# A header's value ends with the line, a quote, or where a wire log shows the line's end ([\r][\n]).
_HEADERS = r"(?:Proxy-)?Authorization|(?:Set-)?Cookie2?|X-[\w-]*(?:Token|Key)"
_NAMES = r"[\w-]*(?:token|secret|password|passwd|sessionid|session_id|apikey|api_key|orgkey)"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"(\b(?:{_HEADERS})\s*:\s*)[^\r\n\"\[\s][^\r\n\"\[]*", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"(\[name:[^\]\n]*\]\s*\[value:\s*+)(?!\[)[^\]\n]+", re.IGNORECASE), rf"\1{HIDDEN}"),  # as Java prints a cookie
    (re.compile(r"(\bhttps?://[\w.-]+\.blob\.core\.[\w.]+/[^/\s?\"]+/)[^\s\"]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(rf"(\b{_NAMES}\\?[\"']?\s*[=:]\s*\\?[\"']?)(?!\[redacted)[^\s;,&\"'\\\])]+", re.IGNORECASE), rf"\1{HIDDEN}"),
)
# Nearly every line holds none of these: then the patterns need not be tried.
_SUSPICIOUS = re.compile(
    r"token|secret|passw|session_?id|key|authorization|cookie|\.blob\.|bearer|basic|eyJ|://[^\s/@:]+:[^\s/@]+@|8Q~|sig|[?&]|[A-Za-z0-9+/]{43}=",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """The text with `[redacted]` for what looks like a secret."""
    if _SUSPICIOUS.search(text) is None:
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return redact(text)
