"""Secrets out of a value: those that toolkit.azure knows, and those that logs of systems hold besides."""

from __future__ import annotations

import re

from toolkit.azure.redaction import HIDDEN, redact

_HINTS = (
    "bearer basic sharedkey sharedaccess eyj password passwd pwd secret token accesskey accountkey primarykey secondarykey"
    " apikey api_key api-key connectionstring authorization triggeruri sasuri sasurl storageuri storageaccountsasuri 8q~"
    " sig= code= key= sv= se= sp= st= skoid= sktid= cookie private certificate -data mii ls0t ghp_ gho_ ghs_ github_pat_ xox aiza"
    " passphrase pass= aws4-hmac --"
).split()
_MORE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL), HIDDEN),
    (re.compile(r"\b((?:set-)?cookie2?\s*[:=]\s*)[^\r\n\"']+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\b((?:proxy-)?authorization\s*[:=]\s*)(?!\[redacted\])[^\r\n\"',]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(\b(?:[\w-]{0,40}(?:password|passwd|passphrase|secret(?:[_-]?access)?[_-]?key|client[_-]?secret|api[_-]?key|private[_-]?key"
            r"|(?:access|session|refresh|auth|id|security)[_-]?token)|pwd|pass|secret|token|client-(?:key|certificate)-data"
            r"|certificate-authority-data)[\"']?\s*[:=]\s*[\"']?)(?!\[redacted\]|Bearer\b)[^\s\"',;&<>]{4,}",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(--?(?:password|passwd|pwd|pass|token|secret)\s+)(?!\[redacted\])[^\s\"',;]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|xox[abprs]-[\w-]{10,}|AIza[\w-]{30,})"), HIDDEN),
    (re.compile(r"(?<![\w+/])(?:MII[A-Za-z0-9+/]|LS0tLS1CRUdJTi)[A-Za-z0-9+/\s]{40,}={0,2}"), HIDDEN),  # a certificate or key
    (re.compile(r"(?i:aws4-hmac-sha256)[^\r\n\"']*"), HIDDEN),
)
_BARE = re.compile(r"eyJ|8Q~|gh[pousr]_|github_pat_|xox|AIza|MII|LS0t|-----|\A.{40}\Z")
_SHORTEST_BARE = 20
"""A secret that stands alone, without a name in front of it, is no shorter."""
_PADDED = re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{43,}=")
_AWS_SECRET = re.compile(
    r"(?<![A-Za-z0-9+/=])(?=[A-Za-z0-9+/]{0,39}[A-Z])(?=[A-Za-z0-9+/]{0,39}[a-z])(?=[A-Za-z0-9+/]{0,39}[+/])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])"
)
"""Forty characters of base64 with a letter of each case, and + or /, as a whole word: an AWS secret key. A SHA-1 has none."""


def without_secrets(text: str) -> tuple[str, int]:
    """The text without its secrets, and how many were removed."""
    if "=" not in text and ":" not in text and " " not in text and (len(text) < _SHORTEST_BARE or not _BARE.search(text)):
        return text, 0
    lower = text.lower()
    found = text
    if any(hint in lower for hint in _HINTS):
        for pattern, replacement in _MORE:
            found = pattern.sub(replacement, found)
        found = redact(found)
    elif ("://" in text and "@" in text) or ("=" in text and _PADDED.search(text)):
        found = redact(found)
    if len(text) == 40:
        found = _AWS_SECRET.sub(HIDDEN, found)
    return (found, max(1, found.count(HIDDEN) - text.count(HIDDEN))) if found != text else (text, 0)
