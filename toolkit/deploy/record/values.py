"""One value of a field: secrets first, then what its form says, then what the name of its field says."""

from __future__ import annotations

import re

from toolkit.azure.redaction import HIDDEN
from toolkit.deploy.record.fields import Field, field_of
from toolkit.deploy.record.names import WORD
from toolkit.deploy.record.pseudonyms import Pseudonyms
from toolkit.deploy.record.scan import Piece, Scanner
from toolkit.deploy.record.secrets import without_secrets
from toolkit.deploy.record.tally import Tally
from toolkit.deploy.record.template import Gap, Kept, Part
from toolkit.deploy.record.wellknown import KEPT_NAMES, PHRASES, is_well_known_guid

_MOST_WORDS = 4
"""A name has no more words than this; a longer text in a field of names is prose."""
_ACCOUNT = re.compile(r"([^\\/@\s][^\\/@]{0,62})\\([^\\/]{1,128})")
_SINGLE_AT = re.compile(r"([^@\s\\/]+)@([^@\s.\\/]+)")
_BARE_MAC = re.compile(r"[0-9A-Fa-f]{12}")
_AWS_ACCOUNT = re.compile(r"\d{12}")
_PHONE = re.compile(r"\+?[\d ()./-]{5,}")

Made = tuple[list[Part], list[tuple[str, str]]]
"""The parts of a value, and what was replaced in it as (kind, original)."""


class Values:
    """Values to parts. The same value of the same field is worked out once."""

    def __init__(self, pseudonyms: Pseudonyms, tally: Tally) -> None:
        self._pseudonyms, self._tally = pseudonyms, tally
        self._scanner = Scanner(pseudonyms, self._named_in_text)
        self._memo: dict[tuple[Field, str], Made] = {}
        self._names_made: dict[str, tuple[str, list[str]]] = {}

    def parts(self, text: str, field: Field, path: str, times: int) -> list[Part]:
        """The parts of one text, which is no JSON; `times` is how often it stands at `path`."""
        made = self._memo.get((field, text))
        if made is None:
            made = self._memo[field, text] = self._make(text, field)
        for kind, original in made[1]:
            self._tally.add(path, kind, original, times)
        return made[0]

    def number(self, text: str, field: Field, path: str, times: int) -> str:
        """A number in JSON: the id of an account, or a secret."""
        if field in (Field.SECRET, Field.AUTHORIZATION):
            self._tally.add(path, "secret", text, times)
            return "0.0" if set(text) & set(".eE") else "0"
        if field is Field.NAME and _AWS_ACCOUNT.fullmatch(text):
            self._tally.add(path, "account id", text, times)
            self._pseudonyms.learn(text)
            return self._pseudonyms.digits(text)
        return text

    def name(self, text: str, path: str, times: int = 1) -> str:
        """The name of a property or a column: what in it has the form of an address, an id, a mailbox or a secret is replaced."""
        made = self._names_made.get(text)
        if made is None:
            clean, removed = without_secrets(text)
            pieces = self._scanner.pieces(clean, names=True)
            kinds = ["secret"] * removed + [kind for kind, _, _ in pieces if kind]
            made = self._names_made[text] = "".join(fresh for _, _, fresh in pieces), kinds
        for kind in made[1]:
            self._tally.add(path, kind, text, times)
        return made[0]

    def _make(self, text: str, field: Field) -> Made:
        if not text or text.isspace():
            return [text], []
        if field in (Field.SECRET, Field.AUTHORIZATION):
            return ([text], []) if text.lower() in ("true", "false", "null", HIDDEN) else ([HIDDEN], [("secret", text)])
        clean, removed = without_secrets(text)
        hits = [("secret", text)] * removed
        pieces = self._scanner.pieces(clean, only="@%") if field is Field.AGENT else self._pieces(clean, field)
        hits += [(kind, original) for kind, original, _ in pieces if kind]
        gap = (lambda each: each) if field in (Field.WORD, Field.AGENT) else Gap
        return [str(made) if kind or isinstance(made, Kept) else gap(made) for kind, _, made in pieces], hits

    def _pieces(self, text: str, field: Field) -> list[Piece]:
        if field is Field.NAME:
            return self._identity(text)
        if field is Field.HOST:
            return self._host(text)
        if field is Field.MAC and _BARE_MAC.fullmatch(text):
            return [("mac", text, self._pseudonyms.mac(text))]
        if field is Field.PHONE and _PHONE.fullmatch(text):
            return [("phone", text, self._pseudonyms.phone(text))]
        return self._scanner.pieces(text)

    def _named_in_text(self, name: str, value: str) -> list[Piece] | None:
        """A value whose field is named in the text around it: `user=alice`."""
        field = field_of(name.replace(" ", ""))
        if field is Field.SECRET:
            return [("secret", value, HIDDEN)] if value != HIDDEN else [("", value, Kept(value))]
        return self._pieces(value, field) if field in (Field.NAME, Field.HOST, Field.MAC, Field.PHONE) else None

    def _identity(self, text: str) -> list[Piece]:
        if text.lower() in KEPT_NAMES or text.lower() in PHRASES or text.startswith("system:"):
            return [("", text, Kept(text))]
        if match := _ACCOUNT.fullmatch(text):
            return [("account", text, self._pseudonyms.account(match[1], match[2]))]
        if match := _SINGLE_AT.fullmatch(text):
            self._pseudonyms.learn(match[1])
            return [("account", text, f"{self._pseudonyms.name(match[1])}@{self._pseudonyms.name(match[2])}")]
        return self._with_names(text, self._scanner.pieces(text))

    def _with_names(self, text: str, pieces: list[Piece]) -> list[Piece]:
        """The gaps between what was found are names, too: `AROA...:alice`."""
        gaps = [original for kind, original, made in pieces if not kind and not isinstance(made, Kept)]
        words = [word for gap in gaps for word in WORD.findall(gap)]
        if len(words) > _MOST_WORDS and len(words) == len(text.split()):
            return pieces
        if len(words) > 1 and len(gaps) == 1 == len(pieces):
            self._pseudonyms.learn(text)
        found: list[Piece] = []
        for kind, original, made in pieces:
            found += [(kind, original, made)] if kind or isinstance(made, Kept) else self._names(original)
        return found

    def _names(self, text: str) -> list[Piece]:
        found: list[Piece] = []
        last = 0
        for match in WORD.finditer(text):
            word = match[0]
            found.append(("", text[last : match.start()], text[last : match.start()]))
            last = match.end()
            fresh = self._pseudonyms.name(word)
            kind = "account id" if _AWS_ACCOUNT.fullmatch(word) else "name"
            found.append(("", word, Kept(word)) if fresh == word else (kind, word, fresh))
            self._pseudonyms.learn(word.removesuffix("$"))
        found.append(("", text[last:], text[last:]))
        return [piece for piece in found if piece[1]]

    def _host(self, text: str) -> list[Piece]:
        if text.lower() in KEPT_NAMES or is_well_known_guid(text):
            return [("", text, Kept(text))]
        pieces = self._scanner.pieces(text, hosts=True)
        if len(pieces) == 1 and not pieces[0][0] and WORD.fullmatch(text):
            fresh = self._pseudonyms.host(text)
            return [("host", text, fresh)]
        return self._with_names(text, pieces)
