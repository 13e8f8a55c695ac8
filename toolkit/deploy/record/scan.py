"""What a text holds, found by its form: addresses, ids, accounts, hosts, folders of users. The rest is left as gaps."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address

from toolkit.deploy.record.pseudonyms import Pseudonyms
from toolkit.deploy.record.template import Kept
from toolkit.deploy.record.wellknown import AMBIGUOUS_ENDINGS, ENDINGS, NAMESPACES, PRODUCTS

Piece = tuple[str, str, str]
"""(kind, original, replacement); the kind is "" for a gap, and for what is Kept."""

_GUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_KEYS = (
    r"user|users|username|user_name|usrname|suser|duser|userid|user_id|upn|login|logon|account|account[ _]?name|acct|ruser|logname"
    r"|computer|hostname|host|shost|dhost|dvchost|workstation|workstation[ _]name|machine|domain|account[ _]domain|targetusername"
    r"|subjectusername"
)
_USERS_FOLDER = r"(?i:(?<=\\users\\)|(?<=/users/)|(?<=/home/)|(?<=\\documents and settings\\))"
# The order counts: at one place the first that matches is taken. A letter says what a text must have for it to be worth a try.
_FORMS: tuple[tuple[str, str, str], ...] = (
    ("arn", ":", r"(?<!\w)arn:aws[\w-]*:[\w-]*:[\w-]*:\w*:[^\s\"'<>,;\])}]+"),
    ("resource", "/", rf"(?i:/subscriptions/{_GUID}(?:/[^\s\"'<>?#,;:|\]]+)*|/providers/Microsoft\.Management/managementGroups/[\w.()-]+)"),
    (
        "folder",
        "\\/",
        rf"{_USERS_FOLDER}(?:[^\\/:*?\"<>|\r\n]{{1,64}}(?=\\)|[^\\/:*?\"'<>|\s,;&=()]+)",
    ),
    ("unc", "\\", r"(?<![\w\\])\\\\[\w.$-]+(?=\\)"),
    ("pair", "=:", rf"(?i:(?<![\w.])(?:{_KEYS}))\s?[=:]\s*[\"']?[^\s\"',;&<>|()\[\]{{}}]+"),
    ("data", "<", r"<Data Name=[\"']\w+[\"']>[^<]+"),
    (
        "sshd",
        "f",
        r"(?:(?<=\bfor )|(?<=\bfor user )|(?<=\binvalid user )|(?<=\bFor user ))(?!invalid\b|user\b)[\w.@$\\-]+(?= from\b|\(uid=| by\b)",
    ),
    ("email", "@", r"(?<![\w.+%#~-])[\w.+%#~-]+(?:'[\w.+%#~-]+){0,2}@[\w-]+(?:\.[\w-]+)+"),
    ("guid", "-", rf"(?<![0-9A-Fa-f]){_GUID}(?![0-9A-Fa-f])"),
    ("sid", "-", r"(?<!\w)[Ss]-1-\d+(?:-\d+)+"),
    (
        "ipv6",
        ":",
        r"(?<![\w:.])(?:(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|(?=[0-9A-Fa-f:]*::)(?:[0-9A-Fa-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}))(?:/\d{1,3})?(?![\w:])",
    ),
    ("mac", ":-", r"(?<![\w:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])"),
    ("cisco", ".", r"(?<![\w.])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![\w.])"),
    ("dotted", ".", r"(?<![\w.-])[\w-]+(?:\.[\w-]+)+(?:/\d{1,2}(?!\w|\.\d))?"),
    ("key", "A", r"(?<![A-Za-z0-9])(?:AKIA|ASIA|AIDA|AROA|AGPA|AIPA|ANPA|ANVA|APKA|ASCA|ABIA|ACCA)[A-Z0-9]{12,28}(?![A-Za-z0-9])"),
    ("phone", "+", r"(?<![\w+])\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]?\d{2,4}){1,4}(?!\w)"),
)
_IPV4 = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3})(/\d{1,2})?")
_REVERSE = re.compile(r"((?:\d{1,3}\.){4})in-addr\.arpa", re.IGNORECASE)
_PAIR = re.compile(r"(.*?[=:]\s*[\"']?)(.*)", re.DOTALL)
_DATA = re.compile(r"(<Data Name=[\"'](\w+)[\"']>)([^<]+)")
_SHARED_FOLDERS = frozenset(("public", "default", "default user", "all users", "shared", "~", "me"))
_HEX_ONLY = re.compile(r"[0-9a-f]+", re.IGNORECASE)
_LONGEST_HOST = 256
_MARKS = ":/\\=<f@-.A+"


@lru_cache(maxsize=4096)
def _pattern(marks: str) -> re.Pattern[str]:
    """One pattern of the forms that a text with these characters can have. (`(mac)` has the only group of its own.)"""
    return re.compile(
        "|".join(
            f"(?P<{name}>{form.replace(chr(92) + '1', '(?P=bar)').replace('([:-])', '(?P<bar>[:-])')})"
            for name, needs, form in _FORMS
            if set(needs) & set(marks)
        )
    )


class Scanner:
    """Finds by form. `by_name(field name, value)` gives the pieces of a value whose field is named in the text itself."""

    def __init__(self, pseudonyms: Pseudonyms, by_name: Callable[[str, str], list[Piece]]) -> None:
        self._pseudonyms, self._name_in_text = pseudonyms, by_name
        self._inside = False

    def pieces(self, text: str, *, hosts: bool = False) -> list[Piece]:
        """The text as pieces in order. `hosts`: dotted words are hosts whatever their ending."""
        marks = "".join(mark for mark in _MARKS if mark in text)
        if not marks:
            return [("", text, text)]
        found: list[Piece] = []
        last = 0
        for match in _pattern(marks).finditer(text):
            made = self._piece(match, text, hosts)
            if made is None:
                continue
            if match.start() > last:
                found.append(("", text[last : match.start()], text[last : match.start()]))
            found += made
            last = match.end()
        if last < len(text):
            found.append(("", text[last:], text[last:]))
        return found

    def _piece(self, match: re.Match[str], text: str, hosts: bool) -> list[Piece] | None:
        form, found, know = match.lastgroup or "mac", match[0], self._pseudonyms
        if form == "dotted":
            return self._dotted(found, text[max(0, match.start() - 40) : match.start()], hosts)
        if self._inside and form in ("pair", "data", "sshd"):
            return None
        if form == "pair":
            head, value = _PAIR.fullmatch(found).groups()  # type: ignore[union-attr]  # the form has a separator
            return None if not value else [("", head, head), *self._by_name(re.split(r"\s*[=:]", head)[0], value)]
        if form == "data":
            head, name, value = _DATA.fullmatch(found).groups()  # type: ignore[union-attr]  # the form is this one
            return [("", head, head), *self._by_name(name, value)]
        if form == "folder":
            return self._folder(found)
        if form == "sshd":
            return self._by_name("user", found)
        if form == "guid":
            return [_piece_of("guid", found, know.guid(found))]
        if form == "ipv6":
            return self._ipv6(found)
        if form == "unc":
            return [_piece_of("host", found, "\\\\" + self._server(found[2:]))]
        makers: dict[str, Callable[[str], str]] = {
            "arn": know.arn,
            "resource": know.resource_id,
            "email": know.email,
            "sid": know.sid,
            "mac": know.mac,
            "bar": know.mac,
            "cisco": know.mac,
            "key": know.access_key,
            "phone": know.phone,
        }
        return [_piece_of(_LABELS.get(form, form), found, makers[form](found))]

    def _by_name(self, name: str, value: str) -> list[Piece]:
        """Only one deep: `user=user=user=...` must not nest without end."""
        self._inside = True
        try:
            return self._name_in_text(name, value)
        finally:
            self._inside = False

    def _server(self, text: str) -> str:
        return self._pseudonyms.ip(text) if _is_ipv4(text) else self._pseudonyms.host(text)

    def _folder(self, found: str) -> list[Piece] | None:
        if found.lower() in _SHARED_FOLDERS or (_HEX_ONLY.fullmatch(found.replace("-", "")) and len(found) > 30):
            return None
        return self._by_name("user", found)

    def _ipv6(self, found: str) -> list[Piece] | None:
        try:
            IPv6Address(found.partition("/")[0])
        except ValueError:
            return None
        return [_piece_of("ip", found, self._pseudonyms.ip(found))]

    def _dotted(self, found: str, before: str, hosts: bool) -> list[Piece] | None:
        """An IPv4 address, a network, a host with its domain, or nothing of the kind: a file, a version, a namespace."""
        if match := _IPV4.fullmatch(found):
            if not _is_ipv4(match[1]) or (PRODUCTS.search(before) and not hosts):
                return None
            if match[2] and int(match[2][1:]) > 32:
                return [_piece_of("ip", match[1], self._pseudonyms.ip(match[1])), ("", match[2], match[2])]
            return [_piece_of("ip", found, self._pseudonyms.ip(found))]
        if len(found) > _LONGEST_HOST:
            return None
        word, slash, rest = found.partition("/")
        tail: list[Piece] = [("", slash + rest, slash + rest)] if slash else []
        if reverse := _REVERSE.fullmatch(word):
            forward = ".".join(reversed(reverse[1].rstrip(".").split(".")))
            if _is_ipv4(forward):
                fresh = ".".join(reversed(self._pseudonyms.ip(forward).split(".")))
                return [("ip", word, f"{fresh}.{word[len(reverse[1]) :]}"), *tail]
        if not (_is_host(word) or (hosts and not word.replace(".", "").isdigit())):
            return None
        return [_piece_of("domain", word, self._pseudonyms.domain(word) if not hosts else self._pseudonyms.host(word)), *tail]


def _piece_of(kind: str, found: str, fresh: str) -> Piece:
    return ("", found, Kept(found)) if fresh == found else (kind, found, fresh)


_LABELS = {"resource": "resource id", "key": "access key", "bar": "mac", "cisco": "mac"}


def _is_ipv4(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)


def _is_host(text: str) -> bool:
    labels = text.split(".")
    ending = labels[-1].lower()
    if ending not in ENDINGS or labels[0].lower() in NAMESPACES:
        return False
    return len(labels) > 2 or ending not in AMBIGUOUS_ENDINGS
