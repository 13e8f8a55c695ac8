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
    r"|subjectusername|mac|smac|dmac|mac_?addr(?:ess)?"
)
_QUOTE = r"(?:\\{0,7}[\"'])"
"""A quote, which is an escaped one in JSON that stands in a text."""
_USERS_FOLDER = (
    r"(?i:(?<=\\users\\)|(?<=\\users\\\\)|(?<=/users/)|(?<=/home/)|(?<=\\documents and settings\\)|(?<=\\documents and settings\\\\)"
    r"|(?<=users%5c)|(?<=users%2f)|(?<=home%2f)|(?<=/personal/)|(?<=:/p/))"
)
_HEX8, _QUAD = r"(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}", r"\d{1,3}(?:\.\d{1,3}){3}"
_HEX_BEFORE = "".join(rf"(?<!\b[0-9A-Fa-f]{{{count}}}:)" for count in range(1, 5))
_HOST_BEFORE = rf"(?:(?<![\w:.])|(?<=\w:){_HEX_BEFORE})"
"""Where an address with colons may begin: behind a word and a colon, too, but not in the midst of hexadecimal digits."""
# The order counts: at one place the first that matches is taken. A letter says what a text must have for it to be worth a try.
_FORMS: tuple[tuple[str, str, str], ...] = (
    ("arn", ":", r"(?<!\w)arn:aws[\w-]*:[\w-]*:[\w-]*:\w*:[^\s\"'<>,;\])}]+"),
    ("resource", "/", rf"(?i:/subscriptions/{_GUID}(?:/[^\s\"'<>?#,;:|\]]+)*|/providers/Microsoft\.Management/managementGroups/[\w.()-]+)"),
    (
        "folder",
        "\\/%",
        rf"{_USERS_FOLDER}(?:[^\\/:*?\"<>|\r\n%]{{1,64}}(?=\\|%5[cC])|[^\\/:*?\"'<>|\s,;&=()%]+)",
    ),
    ("unc", "\\", r"(?<![\w\\])\\\\[\w.$-]+(?=\\)"),
    ("member", "\"'", r"(?<![\w\\])\\{0,7}[\"'][\w.$@-]{1,80}\\{0,7}[\"']\s{0,2}:\s{0,2}\\{0,7}[\"'](?=[^\"'])"),
    (
        "pair",
        "=:%",
        rf"(?i:(?<![\w.])(?:{_KEYS})){_QUOTE}?\s?(?:=>|[=:]|%3[dD])\s*{_QUOTE}?(?:[^\s\"',;&<>|()\[\]{{}}\\]|\\(?![\"']))+",
    ),
    ("data", "<", r"<Data Name=[\"']\w+[\"']>[^<]+"),
    ("dn", "=", r"(?<![\w-])(?i:cn|ou|dc|uid)=(?!\d+\b)[^\s,+;=\"<>/\\\r\n|()&](?:\\.|[^,+;=\"<>/\\\r\n|()&])*"),
    ("ids", "(", r"(?<!\w)(?i:e?[ug]id|groups)=\d+\([\w.$-]+(?=\))"),
    ("sudo", ":", r"(?<!\w)sudo(?:\[\d+\])?:\s{1,20}[\w.@$\\-]+(?=\s:\s)"),
    (
        "sshd",
        "f",
        r"(?:(?<=\bfor )|(?<=\bfor user )|(?<=\binvalid user )|(?<=\bFor user ))(?!invalid\b|user\b)[\w.@$\\-]+(?= from\b|\(uid=| by\b)",
    ),
    ("email", "@%", r"(?<![\w.+%#~-])[\w.+%#~-]+?(?:'[\w.+%#~-]+?){0,2}(?:@|%40)[\w-]+(?:\.[\w-]+)+"),
    ("login", "@", r"(?<![\w.+%#~@/:-])[A-Za-z_][\w.$-]{0,63}@(?!(?:sha\d+|md5)\b)[A-Za-z][\w-]{0,62}(?![\w.@/-])"),
    ("guid", "-", rf"(?<![0-9A-Fa-f]){_GUID}(?![0-9A-Fa-f])"),
    ("sid", "-", r"(?<!\w)[Ss]-1-\d+(?:-\d+)+"),
    (
        "ipv6",
        ":",
        rf"{_HOST_BEFORE}(?:{_HEX8}|(?=[0-9A-Fa-f:]*::)(?:[0-9A-Fa-f]{{0,4}}:){{2,7}}(?:{_QUAD}|[0-9A-Fa-f]{{0,4}}))(?:/\d{{1,3}})?(?!\w|:\w)",
    ),
    (
        "mac",
        ":-",
        r"(?<!\w)(?<!\b[0-9A-Fa-f]{2}[:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?!\w|[:-][0-9A-Fa-f]{2}\b)",
    ),
    ("cisco", ".", r"(?<![\w.])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![\w.])"),
    ("dotted", ".", r"(?<![\w.-])[\w-]+(?:\.[\w-]+)+(?:/\d{1,2}(?!\w|\.\d))?"),
    ("node", "-", r"(?<![\w.-])ip-\d{1,3}(?:-\d{1,3}){3}(?![\w-])"),
    ("account", "\\", r"(?<![\w\\.%-])[A-Z][A-Z0-9-]{1,14}\\{1,4}[\w$-]++(?:\.[\w$-]++)*+(?!\\)"),
    ("key", "A", r"(?<![A-Za-z0-9])(?:AKIA|ASIA|AIDA|AROA|AGPA|AIPA|ANPA|ANVA|APKA|ASCA|ABIA|ACCA)[A-Z0-9]{12,28}(?![A-Za-z0-9])"),
    ("phone", "+", r"(?<![\w+])\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]?\d{2,4}){1,4}(?!\w)"),
)
_OF_NAMES = frozenset(("arn", "resource", "email", "guid", "sid", "ipv6", "mac", "cisco", "dotted", "node", "key"))
"""What names of properties and columns are searched for: they hold data where a bag was packed by a value."""
_IPV4 = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3})(/\d{1,2})?")
_REVERSE = re.compile(r"((?:\d{1,3}\.){4})in-addr\.arpa", re.IGNORECASE)
_EMBEDDED_IPV4 = re.compile(r"(?<![\d.v])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)")
_PAIR = re.compile(rf"(.*?(?:=>|[=:]|%3[dD])\s*{_QUOTE}?)(.*)", re.DOTALL)
_MEMBER = re.compile(r"(\\{0,7}[\"'])([^\"'\\]+).*?(\\{0,7}[\"'])", re.DOTALL)
_ACCOUNT = re.compile(r"([A-Z0-9-]+)(\\{1,4})(.+)")
_PATHS = frozenset(
    "authority service manager host machine apppool package software system sam security hardware windows temp tmp bin lib src app".split()
)
"""In front of a backslash: the end of an authority of Windows with a blank in it, a registry hive or a folder, but no domain."""
_FILE = re.compile(r".*\.(?:exe|dll|sys|txt|log|ps1|bat|cmd|vbs|js|json|xml|ini|dat|tmp|lnk|zip|py|msi|inf|evtx)", re.IGNORECASE)
_DEEPEST = 3
"""A value whose field is named in a text may hold such values itself, no deeper than this: `user=user=user=...`."""
_DATA = re.compile(r"(<Data Name=[\"'](\w+)[\"']>)([^<]+)")
_SHARED_FOLDERS = frozenset(("public", "default", "default user", "all users", "shared", "~", "me"))
_HEX_ONLY = re.compile(r"[0-9a-f]+", re.IGNORECASE)
_LONGEST_HOST = 256
_MARKS = ":/\\=<f@-.A+%(\"'"


@lru_cache(maxsize=4096)
def _pattern(marks: str, names: bool) -> re.Pattern[str] | None:
    """One pattern of the forms that a text with these characters can have. (`(mac)` has the only group of its own.)"""
    forms = [(name, form) for name, needs, form in _FORMS if set(needs) & set(marks) and (not names or name in _OF_NAMES)]
    if not forms:
        return None
    return re.compile(
        "|".join(f"(?P<{name}>{form.replace(chr(92) + '1', '(?P=bar)').replace('([:-])', '(?P<bar>[:-])')})" for name, form in forms)
    )


class Scanner:
    """Finds by form. `by_name(field name, value)` gives the pieces of a value whose field is named in the text itself, None when
    that name says nothing."""

    def __init__(self, pseudonyms: Pseudonyms, by_name: Callable[[str, str], list[Piece] | None]) -> None:
        self._pseudonyms, self._name_in_text = pseudonyms, by_name
        self._depth = 0

    def pieces(self, text: str, *, hosts: bool = False, names: bool = False, only: str = _MARKS) -> list[Piece]:
        """The text as pieces in order. `hosts`: dotted words are hosts whatever their ending. `names`: the text is the name of a
        property. `only`: characters of the forms that are looked for."""
        pattern = _pattern("".join(mark for mark in only if mark in text), names)
        if pattern is None:
            return [("", text, text)]
        found: list[Piece] = []
        last = at = 0
        while match := pattern.search(text, at):
            at = match.end()
            if match.lastgroup == "member":
                at, made = self._member(match, text)
            else:
                made = self._piece(match, text, hosts)
                if names and match.lastgroup == "dotted" and made and match[0].rpartition(".")[2].lower() in AMBIGUOUS_ENDINGS:
                    made = None
            if made is None:
                continue
            if match.start() > last:
                found.append(("", text[last : match.start()], text[last : match.start()]))
            found += made
            last = at
        if last < len(text):
            found.append(("", text[last:], text[last:]))
        return found

    def _member(self, match: re.Match[str], text: str) -> tuple[int, list[Piece] | None]:
        """`"name":"value` in JSON that stands in a text, or was cut off: where it ends, and the value by its name."""
        head, (quote, name, closing) = match[0], _MEMBER.fullmatch(match[0]).groups()  # type: ignore[union-attr]  # the form is this one
        if self._depth >= _DEEPEST or quote != closing:
            return match.end(), None
        end = text.find(quote, match.end())
        end = len(text) if end < 0 else end
        made = self._by_name(name, text[match.end() : end])
        return (match.end(), None) if made is None else (end, [("", head, head), *made])

    def _piece(self, match: re.Match[str], text: str, hosts: bool) -> list[Piece] | None:
        form, found, know = match.lastgroup or "mac", match[0], self._pseudonyms
        if form == "dotted":
            return self._dotted(found, text[max(0, match.start() - 40) : match.start()], hosts)
        if form in _NAMED:
            return self._named(form, found)
        if form == "folder":
            return self._folder(found)
        if form == "guid":
            return [_piece_of("guid", found, know.guid(found))]
        if form == "ipv6":
            return self._ipv6(found)
        if form == "unc":
            return [_piece_of("host", found, "\\\\" + self._server(found[2:]))]
        if form == "account":
            return self._account(found)
        makers: dict[str, Callable[[str], str]] = {
            "arn": know.arn,
            "resource": know.resource_id,
            "email": self._email,
            "login": lambda found: "@".join(map(know.name, found.split("@"))),
            "sid": know.sid,
            "mac": know.mac,
            "bar": know.mac,
            "cisco": know.mac,
            "node": know.host,
            "key": know.access_key,
            "phone": know.phone,
        }
        return [_piece_of(_LABELS.get(form, form), found, makers[form](found))]

    def _named(self, form: str, found: str) -> list[Piece] | None:
        """A value behind what says whose it is."""
        if self._depth >= _DEEPEST:
            return None
        name = "user"
        if form == "pair":
            head, value = _PAIR.fullmatch(found).groups()  # type: ignore[union-attr]  # the form has a separator
            name = re.match(r"[\w ]+", head)[0]  # type: ignore[index]  # it begins with a name
        elif form == "data":
            head, name, value = _DATA.fullmatch(found).groups()  # type: ignore[union-attr]  # the form is this one
        elif form == "dn":
            head, value = found[: found.index("=") + 1], found[found.index("=") + 1 :].rstrip()
            if head.lower() == "dc=" and value.lower() in ENDINGS:
                return None
        elif form == "sshd":
            head, value = "", found
        else:
            at = (found.index("(") if form == "ids" else max(found.rfind(" "), found.rfind("\t"))) + 1
            head, value = found[:at], found[at:]
        made = self._by_name(name, value) if value else None
        if made is None:
            return None
        rest = found[len(head) + len(value) :]
        return [*([("", head, head)] if head else []), *made, *([("", rest, rest)] if rest else [])]

    def _by_name(self, name: str, value: str) -> list[Piece] | None:
        self._depth += 1
        try:
            return self._name_in_text(name, value)
        finally:
            self._depth -= 1

    def _email(self, found: str) -> str:
        coded = found.replace("%40", "@") if "@" not in found else found
        return self._pseudonyms.email(coded).replace("@", "%40" if coded != found else "@")

    def _account(self, found: str) -> list[Piece] | None:
        authority, separator, name = _ACCOUNT.fullmatch(found).groups()  # type: ignore[union-attr]  # the form is this one
        if authority.lower() in _PATHS or authority.startswith("HK") or _FILE.fullmatch(name):
            return None
        fresh = self._pseudonyms.account(authority, name)
        return [_piece_of("account", found, fresh.replace("\\", separator, 1))]

    def _server(self, text: str) -> str:
        return self._pseudonyms.ip(text) if _is_ipv4(text) else self._pseudonyms.host(text)

    def _folder(self, found: str) -> list[Piece] | None:
        if found.lower() in _SHARED_FOLDERS or (_HEX_ONLY.fullmatch(found.replace("-", "")) and len(found) > 30):
            return None
        return self._by_name("user", found)

    def _ipv6(self, found: str) -> list[Piece] | None:
        rest = ":" if found.endswith(":") and not found.endswith("::") else ""  # `from 2001:db8::1: refused`
        address = found.removesuffix(rest)
        try:
            IPv6Address(address.partition("/")[0])
        except ValueError:
            return None
        return [_piece_of("ip", address, self._pseudonyms.ip(address)), *([("", rest, rest)] if rest else [])]

    def _dotted(self, found: str, before: str, hosts: bool) -> list[Piece] | None:
        """An IPv4 address, a network, a host with its domain, or nothing of the kind: a file, a version, a namespace."""
        if match := _IPV4.fullmatch(found):
            if not _is_ipv4(match[1]) or (PRODUCTS.search(before) and not hosts):
                return None
            if match[2] and int(match[2][1:]) > 32:
                return [_piece_of("ip", match[1], self._pseudonyms.ip(match[1])), ("", match[2], match[2])]
            return [_piece_of("ip", found, self._pseudonyms.ip(found))]
        if len(found) > _LONGEST_HOST:
            return self._embedded(found)
        word, slash, rest = found.partition("/")
        tail: list[Piece] = [("", slash + rest, slash + rest)] if slash else []
        if reverse := _REVERSE.fullmatch(word):
            forward = ".".join(reversed(reverse[1].rstrip(".").split(".")))
            if _is_ipv4(forward):
                fresh = ".".join(reversed(self._pseudonyms.ip(forward).split(".")))
                return [("ip", word, f"{fresh}.{word[len(reverse[1]) :]}"), *tail]
        if not (_is_host(word) or (hosts and not word.replace(".", "").isdigit())):
            return self._embedded(found)
        return [_piece_of("domain", word, self._pseudonyms.domain(word) if not hosts else self._pseudonyms.host(word)), *tail]

    def _embedded(self, found: str) -> list[Piece] | None:
        """Addresses inside of a longer word: `10.0.0.1-10.0.0.9`, `eth0_10.0.0.1`."""
        pieces: list[Piece] = []
        last = 0
        for match in _EMBEDDED_IPV4.finditer(found):
            if _is_ipv4(match[0]):
                between = found[last : match.start()]
                pieces += [*([("", between, between)] if between else []), _piece_of("ip", match[0], self._pseudonyms.ip(match[0]))]
                last = match.end()
        return [*pieces, *([("", found[last:], found[last:])] if found[last:] else [])] if pieces else None


def _piece_of(kind: str, found: str, fresh: str) -> Piece:
    return ("", found, Kept(found)) if fresh == found else (kind, found, fresh)


_LABELS = {"resource": "resource id", "key": "access key", "bar": "mac", "cisco": "mac", "login": "account", "node": "host"}
_NAMED = frozenset(("pair", "data", "dn", "ids", "sudo", "sshd"))


def _is_ipv4(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)


def _is_host(text: str) -> bool:
    labels = text.split(".")
    ending = labels[-1].lower()
    if ending not in ENDINGS or labels[0].lower() in NAMESPACES:
        return False
    return len(labels) > 2 or ending not in AMBIGUOUS_ENDINGS
