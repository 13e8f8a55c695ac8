"""Names: of people, hosts, domains, groups and resources. One name has one pseudonym, wherever it stands."""

from __future__ import annotations

import re

from toolkit.deploy.record.identifiers import Identifiers
from toolkit.deploy.record.key import Key
from toolkit.deploy.record.wellknown import KEPT_DOMAINS, KEPT_NAMES, PROVIDERS, REGION, SECOND_LEVEL, SERVICE_LABELS

PREFIX = "anon"
"""What every pseudonym of a name begins with. With its eleven letters it fits where a NetBIOS name does."""
WORD = re.compile(r"[^\s,;:()<>\"'/\\\[\]{}|=*&?#]+")
"""One word of a name: "Smith, Alice" has two."""
_CONSONANTS = "bcdfghjklmnpqrstvwxz"
_LETTERS = 11
_MOST_KNOWN = 1 + max(each.count(".") for each in KEPT_DOMAINS | PROVIDERS)
"""How many labels the longest domain that is known has."""


class Names:
    """Pseudonyms of names under one key."""

    def __init__(self, key: Key, identifiers: Identifiers) -> None:
        self._key, self._identifiers = key, identifiers
        self._labels: dict[str, str] = {}

    def name(self, text: str) -> str:
        """`anon` and eleven letters, in the case of `text`; digits for digits; the $ of a machine account stays.

        Names that differ only in case get pseudonyms that differ only in case. Well-known names stay.
        """
        if text.endswith("$") and len(text) > 1:
            return self.name(text[:-1]) + "$"
        lower = text.lower()
        if lower in KEPT_NAMES:
            return text
        if text.isascii() and text.isdigit():
            return self._identifiers.digits(text)
        number = int.from_bytes(self._key.digest("name", lower.encode("utf-8", "surrogatepass"))[:8])
        letters = ""
        for _ in range(_LETTERS):
            number, place = divmod(number, len(_CONSONANTS))
            letters += _CONSONANTS[place]
        return self._in_case_of(text, PREFIX + letters)

    def _in_case_of(self, text: str, pseudonym: str) -> str:
        cases = [letter.isupper() for letter in text if letter.lower() != letter.upper()]
        if not any(cases):
            return pseudonym
        if all(cases):
            return pseudonym.upper()
        if len(cases) > len(pseudonym):
            bits = int.from_bytes(self._key.digest("case", text.encode("utf-8", "surrogatepass"))[:4])
            cases = [bool(bits >> place & 1) for place in range(len(pseudonym))]
        cases += [False] * (len(pseudonym) - len(cases))
        return "".join(letter.upper() if upper else letter for letter, upper in zip(pseudonym, cases, strict=True))

    def domain(self, text: str) -> str:
        """A domain or the name of a host in one: every label by itself, but not the public ones at the end."""
        labels = text.split(".")
        first_kept = len(labels) - _public_labels(labels)
        return ".".join([*(self._label(label) for label in labels[:first_kept]), *labels[first_kept:]])

    def _label(self, label: str) -> str:
        found = self._labels.get(label)
        if found is None:
            found = self._labels[label] = label if not label or label[0] == "_" or label == "*" else self.name(label)
        return found


def owned_label(text: str) -> str | None:
    """The label of a domain that says whose it is: `contoso` of www.contoso.co.uk. None when nobody's is said."""
    labels = text.split(".")
    public = _public_labels(labels)
    return labels[-public - 1] if len(labels) > public else None


def _public_labels(labels: list[str]) -> int:
    """How many labels at the end say nothing about whose domain it is."""
    lower = [label.lower() for label in labels]
    for start in range(max(0, len(lower) - _MOST_KNOWN), len(lower)):
        ending = ".".join(lower[start:])
        if ending in KEPT_DOMAINS:
            return len(lower)
        if ending in PROVIDERS:
            return len(lower) - _first_service_label(lower, start)
    if len(lower) > 2 and len(lower[-1]) == 2 and lower[-2] in SECOND_LEVEL:
        return 2
    return 1 if len(lower) > 1 else 0


def _first_service_label(labels: list[str], start: int) -> int:
    """Where a provider's own labels begin: services and regions in front of its domain."""
    while start and (labels[start - 1] in SERVICE_LABELS or REGION.fullmatch(labels[start - 1])):
        start -= 1
    return start
