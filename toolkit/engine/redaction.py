"""Secrets out of texts: what looks like one, and what is known to be one.

Every error text, every record of a request and every line of a device's debug log goes through here. Patterns catch what
Azure's services put into URLs and JSON; values that are known (tokens handed out, a playbook's trigger address) are replaced
wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "[redacted]"

SECRET_KEYS = frozenset(
    (
        "triggeruri sasuri storageuri storageaccountsasuri password clientsecret client_secret secret accesskey accountkey"
        " sharedaccesskey primarykey secondarykey sharedkey connectionstring apikey api_key token accesstoken access_token"
        " refresh_token id_token authorization"
    ).split()
)
"""Names of JSON properties whose values are secrets, in lower case."""

_KEYS = "|".join(sorted(SECRET_KEYS, key=len, reverse=True))
_QUERY_KEYS = "sig|code|key|sv|se|sp|st|skoid|sktid"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(Bearer|Basic|SharedKey|SharedAccessSignature)\s+[\w+/=.~:%&-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*){1,4}"), HIDDEN),  # a JSON web token
    (re.compile(rf"(\\?[\"'](?:{_KEYS})\\?[\"']\s*:\s*\\?[\"'])[^\"'\\]*", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(rf"\b((?:{_KEYS})\s*=\s*)[^\s;&\"']+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(rf"([?&](?:{_QUERY_KEYS})=)[^\s&\"'<>]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"(\bhttps?://)[^\s/@:]+:[^\s/@]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{86}=="), HIDDEN),  # a storage key
    (re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{43}=(?!=)"), HIDDEN),  # a key of 32 bytes
    (re.compile(r"\b[\w~.-]{3,8}8Q~[\w~.-]{30,40}"), HIDDEN),  # an application's secret
)
_SHORTEST = 6


def redact(text: str, known: Iterable[str] = ()) -> str:
    """The text without what looks like a secret and without the known ones (those of six characters and more)."""
    for secret in sorted({each for each in known if len(each) >= _SHORTEST}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
