"""Names that were seen in one place, found as whole words in every other."""

from __future__ import annotations

import re

from toolkit.deploy.record.names import WORD
from toolkit.deploy.record.pseudonyms import Pseudonyms
from toolkit.deploy.record.wellknown import KEPT_NAMES

_TOKEN = re.compile(r"[^\W_](?:[\w.$+'-]*[\w$])?")
_PART = re.compile(r"[.+'_-]")
_SHORTEST, _LONGEST = 3, 128
_COMMON = frozenset(
    (
        "user users test tests admin administrator service services account accounts group groups host server client computer domain name"
        " names role roles policy policies resource resources system default local remote public private internal external get list watch"
        " create update patch delete read write put post head options request response success failure failed error warning info debug"
        " allow allowed deny denied forbid all any new old dev prod production staging test demo web api app apps data database db file"
        " files log logs audit event events security network node nodes pod pods job jobs backup monitor monitoring agent agents worker"
        " manager master main primary secondary key keys token secret password session login logon logout start stop run exec from with"
        " for and the not was has had are can may see use used by of on in at to is it as or an a no yes true false none null"
        " com net org io www mail http https ftp ssh smtp dns tcp udp azure aws amazon microsoft windows linux google kubernetes docker"
        " contoso fabrikam example mobile support sales finance marketing engineering operations ops team office home guest build deploy"
        " deployment cluster storage vault workspace subscription tenant region management portal console root nginx redis mysql"
    ).split()
)
"""Words of logs: as names they are replaced where they are names, and nowhere else."""


def is_learnable(name: str) -> bool:
    """Whether a name is replaced in other texts, too."""
    return (
        _SHORTEST <= len(name) <= _LONGEST and name not in _COMMON and name not in KEPT_NAMES and not (name.isdigit() and len(name) != 12)
    )


class Words:
    """Replaces learned names. Made once all of them are known."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        learned = {name.removesuffix("$") for name in pseudonyms.learned}
        names = {name for name in learned if is_learnable(name)}
        self._phrases = sorted((name for name in names if " " in name), key=len, reverse=True)
        self._phrase_words = {phrase.split()[0] for phrase in self._phrases}
        self._names = names.difference(self._phrases)
        self._first = {_PART.split(name)[0] for name in self._names}
        self._most_parts = max((len(_PART.split(name)) for name in self._names), default=0)
        self._memo: dict[str, tuple[str, list[str]]] = {}

    def replace(self, text: str) -> tuple[str, list[str]]:
        """The text with its learned names replaced, and the names."""
        found = self._memo.get(text)
        if found is None:
            found = self._memo[text] = self._replace(text)
        return found

    def _replace(self, text: str) -> tuple[str, list[str]]:
        hits: list[str] = []
        lower = text.lower()
        for phrase in self._phrases if self._phrase_words and any(word in lower for word in self._phrase_words) else ():
            if phrase in lower:
                text = re.sub(rf"(?<!\w){re.escape(phrase)}(?!\w)", lambda match: self._hit(match[0], hits), text, flags=re.IGNORECASE)
                lower = text.lower()
        return _TOKEN.sub(lambda match: self._token(match[0], hits), text), hits

    def _token(self, token: str, hits: list[str]) -> str:
        lower = token.lower()
        if lower.removesuffix("$") in self._names:
            return self._hit(token, hits)
        parts = _PART.split(token)
        if len(parts) == 1 or not self._first.intersection(lower_parts := [part.lower() for part in parts]):
            return token
        separators = _PART.findall(token)
        out, place = "", 0
        while place < len(parts):
            length = next(
                (
                    size
                    for size in range(min(len(parts) - place, self._most_parts), 0, -1)
                    if self._known(lower_parts, separators, place, size)
                ),
                0,
            )
            run = _joined(parts, separators, place, max(1, length))
            out += self._hit(run, hits) if length else run
            place += max(1, length)
            out += separators[place - 1] if place < len(parts) else ""
        return out

    def _known(self, parts: list[str], separators: list[str], place: int, size: int) -> bool:
        return _joined(parts, separators, place, size).removesuffix("$") in self._names

    def _hit(self, text: str, hits: list[str]) -> str:
        hits.append(text)
        return WORD.sub(lambda word: self._pseudonyms.name(word[0]), text)


def _joined(parts: list[str], separators: list[str], place: int, size: int) -> str:
    return parts[place] + "".join(separators[at - 1] + parts[at] for at in range(place + 1, place + size))
