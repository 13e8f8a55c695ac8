"""Sets of code points, as the character classes of regular expressions need them (R-123, R-124).

A set is ranges of code points plus Unicode properties that are kept by name, because RE2 knows most of them: `\\p{L}` is
four characters by name and 600 ranges written out. Operations that a name cannot take part in write it out first.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

Range = tuple[int, int]
LAST = sys.maxunicode

GENERAL_CATEGORIES: dict[str, tuple[str, ...]] = {
    "C": ("Other",), "Cc": ("Control", "cntrl"), "Cf": ("Format",), "Co": ("Private_Use",), "L": ("Letter",),
    "Ll": ("Lowercase_Letter",), "Lm": ("Modifier_Letter",), "Lo": ("Other_Letter",), "Lt": ("Titlecase_Letter",),
    "Lu": ("Uppercase_Letter",), "M": ("Mark", "Combining_Mark"), "Mc": ("Spacing_Mark",), "Me": ("Enclosing_Mark",),
    "Mn": ("Nonspacing_Mark",), "N": ("Number",), "Nd": ("Decimal_Number", "digit"), "Nl": ("Letter_Number",),
    "No": ("Other_Number",), "P": ("Punctuation", "punct"), "Pc": ("Connector_Punctuation",), "Pd": ("Dash_Punctuation",),
    "Pe": ("Close_Punctuation",), "Pf": ("Final_Punctuation",), "Pi": ("Initial_Punctuation",), "Po": ("Other_Punctuation",),
    "Ps": ("Open_Punctuation",), "S": ("Symbol",), "Sc": ("Currency_Symbol",), "Sk": ("Modifier_Symbol",),
    "Sm": ("Math_Symbol",), "So": ("Other_Symbol",), "Z": ("Separator",), "Zl": ("Line_Separator",),
    "Zp": ("Paragraph_Separator",), "Zs": ("Space_Separator",),
}  # fmt: skip
# Scripts that RE2 knows by name and that logs may hold; any other is refused, because RE2 would fail on it at run time.
SCRIPTS = (
    "Arabic Armenian Bengali Bopomofo Cherokee Coptic Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han "
    "Hangul Hebrew Hiragana Kannada Katakana Khmer Lao Latin Malayalam Mongolian Myanmar Oriya Sinhala Syriac Tamil Telugu "
    "Thaana Thai Tibetan Common Inherited"
).split()


def _loose(name: str) -> str:
    """Property names are compared without case, blanks, hyphens and underscores (UAX #44, LM3)."""
    return name.lower().replace(" ", "").replace("-", "").replace("_", "")


_NAMES = {_loose(alias): short for short, aliases in GENERAL_CATEGORIES.items() for alias in (short, *aliases)}
_NAMES |= {_loose(script): script for script in SCRIPTS}

# RE2 instructions that a property costs, roughly; only used to keep patterns within RE2's memory.
_WEIGHTS = {"L": 650, "Lo": 550, "Ll": 150, "Lu": 150, "M": 350, "Mn": 350, "N": 150, "Nd": 80, "P": 150, "S": 200, "C": 100}


def _normal(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Sorted, with overlapping and touching ranges joined."""
    joined: list[Range] = []
    for lo, hi in sorted(ranges):
        if joined and lo <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(hi, joined[-1][1]))
        else:
            joined.append((lo, hi))
    return tuple(joined)


@dataclass(frozen=True, slots=True)
class CharSet:
    """`ranges` are sorted, disjoint and inclusive; `properties` are names with a sign: "L" or "^L"."""

    ranges: tuple[Range, ...] = ()
    properties: frozenset[str] = frozenset()

    def union(self, other: CharSet) -> CharSet:
        return CharSet(_normal(self.ranges + other.ranges), self.properties | other.properties)

    def resolved(self) -> CharSet:
        """The same set without names. ValueError for a script, whose members Python does not know."""
        ranges = self.ranges
        for name in self.properties:
            members = property_ranges(name.lstrip("^"))
            ranges += _complement(members) if name.startswith("^") else members
        return CharSet(_normal(ranges))

    def complement(self) -> CharSet:
        if not self.ranges and len(self.properties) == 1:
            (name,) = self.properties
            return CharSet((), frozenset({name[1:] if name.startswith("^") else "^" + name}))
        return CharSet(_complement(self.resolved().ranges))

    def intersection(self, other: CharSet) -> CharSet:
        left, right = self.resolved().ranges, other.resolved().ranges
        return CharSet(_complement(_normal(_complement(left) + _complement(right))))

    def difference(self, other: CharSet) -> CharSet:
        return self.intersection(other.complement())

    def symmetric_difference(self, other: CharSet) -> CharSet:
        return self.difference(other).union(other.difference(self))

    def folded(self) -> CharSet:
        """The set with every character's other cases, as the flag `i` adds them before set operations."""
        ranges = self.resolved().ranges
        if sum(hi - lo for lo, hi in ranges) > 200_000:  # a complement: what it lacks has no case in practice
            return CharSet(ranges)
        more = [ord(c) for lo, hi in ranges for code in range(lo, hi + 1) for c in other_cases(chr(code))]
        return CharSet(_normal((*ranges, *((code, code) for code in more))))

    @property
    def is_everything(self) -> bool:
        return self.ranges == ((0, LAST),)

    @property
    def beyond_ascii(self) -> bool:
        """Whether any member may lie outside ASCII."""
        return bool(self.properties) or (bool(self.ranges) and self.ranges[-1][1] > 127)

    @property
    def weight(self) -> int:
        """Roughly the number of RE2 instructions of the class."""
        return 2 * len(self.ranges) + sum(_WEIGHTS.get(name.lstrip("^"), 40) for name in self.properties) + 1

    def ascii_part(self) -> CharSet:
        """The members below 128, written out."""
        ranges = list(self.ranges)
        for name in self.properties:
            inside = not name.startswith("^")
            ranges += [(c, c) for c in range(128) if in_property(chr(c), name.lstrip("^")) is inside]
        return CharSet(tuple((lo, min(hi, 127)) for lo, hi in _normal(ranges) if lo < 128))


def other_cases(char: str) -> set[str]:
    """Single characters that differ from this one only by case."""
    forms = {char.lower(), char.upper(), char.casefold(), char.upper().lower()}
    return {form for form in forms if len(form) == 1} - {char}


def in_property(char: str, name: str) -> bool:
    if name in SCRIPTS:  # asked about ASCII only
        return char.isalpha() if name == "Latin" else name == "Common" and not char.isalpha()
    return unicodedata.category(char).startswith(name)


@lru_cache(maxsize=1)
def _categories() -> dict[str, tuple[Range, ...]]:
    """Every two-letter category's ranges, by this Python's Unicode data; one pass, about 0.2 s, and only when needed."""
    found: dict[str, list[Range]] = {}
    start, current = 0, unicodedata.category("\0")
    for code in range(1, LAST + 1):
        category = unicodedata.category(chr(code))
        if category != current:
            found.setdefault(current, []).append((start, code - 1))
            start, current = code, category
    found.setdefault(current, []).append((start, LAST))
    return {name: tuple(ranges) for name, ranges in found.items()}


@lru_cache(maxsize=64)
def property_ranges(name: str) -> tuple[Range, ...]:
    """The members of a general category. ValueError for scripts, whose members Python does not know."""
    if name not in GENERAL_CATEGORIES:
        raise ValueError(f"the members of the Unicode script {name} are not known here")
    return _normal(span for category, ranges in _categories().items() if category.startswith(name) for span in ranges)


def of_ranges(*ranges: Range) -> CharSet:
    return CharSet(_normal(ranges))


def of_chars(chars: str) -> CharSet:
    return CharSet(_normal((ord(c), ord(c)) for c in chars))


DIGIT = CharSet((), frozenset({"Nd"}))
SPACE = of_ranges((9, 13), (32, 32), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
                  (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000))  # fmt: skip
# Alphabetic is L, Nl and Other_Alphabetic; the last is marks plus the circled letters.
_CIRCLED = ((0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189))
WORD = CharSet(_CIRCLED, frozenset({"L", "M", "Nd", "Nl", "Pc"})).union(of_ranges((0x200C, 0x200D)))
ASCII_DIGIT = of_ranges((48, 57))
ASCII_SPACE = of_ranges((9, 13), (32, 32))
ASCII_WORD = of_ranges((48, 57), (65, 90), (95, 95), (97, 122))

POSIX: dict[str, CharSet] = {
    "alnum": of_ranges((48, 57), (65, 90), (97, 122)),
    "alpha": of_ranges((65, 90), (97, 122)),
    "ascii": of_ranges((0, 127)),
    "blank": of_chars("\t "),
    "cntrl": of_ranges((0, 31), (127, 127)),
    "digit": ASCII_DIGIT,
    "graph": of_ranges((33, 126)),
    "lower": of_ranges((97, 122)),
    "print": of_ranges((32, 126)),
    "punct": of_ranges((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ASCII_SPACE,
    "upper": of_ranges((65, 90)),
    "word": ASCII_WORD,
    "xdigit": of_ranges((48, 57), (65, 70), (97, 102)),
}


def unicode_property(text: str) -> CharSet | None:
    """The set of `\\p{text}`, None when the property is not known here. `gc=`, `sc=` and `script=` may stand in front."""
    key, separator, value = text.replace(":", "=").partition("=")
    if separator and _loose(key) not in ("gc", "generalcategory", "sc", "script"):
        return None
    name = _loose(value if separator else key)
    if name == "any":
        return of_ranges((0, LAST))
    if name == "ascii":
        return POSIX["ascii"]
    if name in ("whitespace", "wspace", "space"):
        return SPACE
    short = _NAMES.get(name)
    return CharSet((), frozenset({short})) if short else None


def _complement(ranges: Iterable[Range]) -> tuple[Range, ...]:
    gaps: list[Range] = []
    start = 0
    for lo, hi in ranges:
        if lo > start:
            gaps.append((start, lo - 1))
        start = hi + 1
    if start <= LAST:
        gaps.append((start, LAST))
    return tuple(gaps)
