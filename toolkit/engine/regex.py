"""The service's regular expressions on DuckDB's RE2, with the same meaning or not at all (R-123 to R-127).

RE2 agrees with Rust's regex crate on the order of matches, but its \\d \\w \\s are ASCII where the service's are Unicode, it
has no class algebra, and its \\b knows only ASCII words, which nothing can rewrite. Therefore a pattern is written up to
three times: for texts of ASCII only, for any text, and, where RE2 cannot, for Python's re, which then runs only on the rows
that need it. `functions.regex` puts the choice into SQL; `translate` is for callers that want one RE2 pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from toolkit.engine import regex_classes as classes
from toolkit.engine.regex_classes import CharSet
from toolkit.engine.regex_parser import (
    Alternation,
    Anchor,
    Boundary,
    Char,
    Class,
    Concat,
    Group,
    Node,
    Parsed,
    RegexError,
    Repeat,
    parse,
)  # fmt: skip

__all__ = ["Regex", "RegexError", "compile_regex", "python_regex", "translate"]

_RE2_LARGEST = 200_000
"""Instructions beyond which RE2 gives up (it stops near 350,000)."""
_RE2_FAST = 60_000
"""Beyond this RE2 takes 20 microseconds per row and Python is faster."""
_RE2_REPETITIONS = 1000


@dataclass(frozen=True, slots=True)
class Regex:
    """A pattern, ready for SQL.

    `ascii`: RE2 pattern for texts of ASCII only, `unicode`: for any text; None where RE2 has no equivalent.
    `groups`: names of the capture groups in order, None for a number only.
    """

    source: str
    flags: str
    ascii: str | None
    unicode: str | None
    groups: tuple[str | None, ...]
    matches_empty: bool


@lru_cache(maxsize=512)
def compile_regex(pattern: str, flags: str = "") -> Regex:
    """Parses and translates. RegexError when the service rejects the pattern or it cannot be run exactly."""
    parsed = parse(pattern, flags)
    forms: list[str | None] = []
    for target, largest in (("ascii", _RE2_LARGEST), ("unicode", _RE2_FAST)):
        printer = _Printer(target, parsed)
        text = printer.print()
        forms.append(text if printer.possible and weight(parsed.root, target) <= largest else None)
    if None in forms:
        python_regex(pattern, flags)  # the rows that RE2 cannot take must be possible, or the query is refused now
    return Regex(pattern, flags, forms[0], forms[1], parsed.group_names, _matches_empty(parsed.root))


def translate(pattern: str, flags: str = "") -> str:
    """One RE2 pattern that is exact for every text.

    RegexError (a Refusal) when there is none: with a Unicode word boundary, above all. Where SQL is being built,
    `functions.regex.matches` takes every pattern.
    """
    regex = compile_regex(pattern, flags)
    if regex.unicode is None:
        raise RegexError(pattern, 0, "it has no exact equivalent in the engine's regular expressions")
    return regex.unicode


@dataclass(frozen=True, slots=True)
class PythonRegex:
    """`explosive`: repetitions are nested, so that Python's matcher may need exponential time."""

    compiled: re.Pattern[str]
    explosive: bool


@lru_cache(maxsize=512)
def python_regex(pattern: str, flags: str = "") -> PythonRegex:
    """The pattern for Python's re; it has the same order of matches (leftmost, first alternative)."""
    parsed = parse(pattern, flags)
    try:
        return PythonRegex(re.compile(_Printer("python", parsed).print()), _explosive(parsed.root))
    except (re.error, ValueError, OverflowError, RecursionError) as problem:
        raise RegexError(pattern, 0, f"it has no exact equivalent in the engine ({problem})") from None


def _walk(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case Group(body=body) | Repeat(body=body):
            yield from _walk(body)
        case Concat(items=children) | Alternation(options=children):
            for child in children:
                yield from _walk(child)
        case _:
            return


def weight(node: Node, target: str) -> int:
    """Roughly the number of RE2 instructions of a node."""
    match node:
        case Class(members=members):
            return members.ascii_part().weight if target == "ascii" else members.weight
        case Group(body=body):
            return weight(body, target) + 2
        case Repeat(body=body, least=least, most=most):
            return weight(body, target) * max(least + 1 if most is None else most, 1) + 1
        case Concat(items=children) | Alternation(options=children):
            return sum(weight(child, target) for child in children) + 1
        case _:
            return 2


def _matches_empty(node: Node) -> bool:
    match node:
        case Char() | Class():
            return False
        case Anchor() | Boundary():
            return True
        case Group(body=body):
            return _matches_empty(body)
        case Repeat(body=body, least=least):
            return least == 0 or _matches_empty(body)
        case Concat(items=children):
            return all(map(_matches_empty, children))
        case Alternation(options=children):
            return any(map(_matches_empty, children))


def _explosive(root: Node) -> bool:
    def varies(node: Node) -> bool:
        return isinstance(node, Repeat) and node.least != node.most

    def many(node: Node) -> bool:
        return isinstance(node, Repeat) and (node.most is None or node.most > 8)

    return any(
        many(outer) and isinstance(outer, Repeat) and any(varies(inner) or isinstance(inner, Alternation) for inner in _walk(outer.body))
        for outer in _walk(root)
    )


def _caseful(node: Node) -> bool:
    """Whether ignoring case could change what the node matches."""
    match node:
        case Char(code=code):
            return bool(classes.other_cases(chr(code)))
        case Class(members=members):
            caseless = members in (classes.DIGIT, classes.SPACE, classes.WORD) or members.is_everything
            return not caseless and members != classes.of_chars("\n")
        case _:
            return False


class _Printer:
    """Writes a tree for one target: "ascii" and "unicode" are RE2, "python" is Python's re."""

    def __init__(self, target: str, parsed: Parsed) -> None:
        self.target = target
        self.root = parsed.root
        self.possible = True
        folds = {node.fold for node in _walk(parsed.root) if isinstance(node, (Char, Class)) and _caseful(node)}
        self.fold = folds == {True}

    def print(self) -> str:
        return ("(?i)" if self.fold else "") + self.node(self.root)

    def node(self, node: Node) -> str:
        match node:
            case Char(code=code, fold=fold):
                return self.with_case(node, fold, _quoted(code, self.target))
            case Class(fold=fold):
                return self.with_case(node, fold, self.char_class(node))
            case Anchor(kind=kind):
                return _ANCHORS[kind] if self.target != "python" else _PYTHON_ANCHORS.get(kind, _ANCHORS[kind])
            case Boundary():
                return self.boundary(node)
            case Group(body=body, index=index):
                return ("(?:" if index is None else "(") + self.node(body) + ")"
            case Concat(items=items):
                return "".join(map(self.node, items))
            case Alternation(options=options):
                return "|".join(map(self.node, options))
            case Repeat():
                return self.repeat(node)

    def with_case(self, node: Node, fold: bool, text: str) -> str:
        if fold is self.fold or not _caseful(node):
            return text
        return f"(?i:{text})" if fold else f"(?-i:{text})"

    def repeat(self, node: Repeat) -> str:
        body = self.node(node.body)
        if not isinstance(node.body, (Char, Class, Group)):
            body = f"(?:{body})"
        if node.least > _RE2_REPETITIONS or (node.most or 0) > _RE2_REPETITIONS:
            self.possible = False
        plain = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((node.least, node.most))
        most = "" if node.most is None else str(node.most)
        count = plain or (f"{{{node.least}}}" if node.least == node.most else f"{{{node.least},{most}}}")
        return body + count + ("" if node.greedy else "?")

    def boundary(self, node: Boundary) -> str:
        if self.target != "python":
            # On a text of ASCII only, RE2's ASCII boundary is the Unicode one.
            if node.kind not in "bB" or (node.unicode and self.target == "unicode"):
                self.possible = False
            return "\\" + node.kind[0]
        word = self.char_class(Class(classes.WORD if node.unicode else classes.ASCII_WORD, False, False))
        forms = {
            "b": f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))",
            "B": f"(?:(?<={word})(?={word})|(?<!{word})(?!{word}))",
            "start": f"(?<!{word})(?={word})",
            "end": f"(?<={word})(?!{word})",
            "start-half": f"(?<!{word})",
            "end-half": f"(?!{word})",
        }
        return forms[node.kind]

    # --- classes

    def char_class(self, node: Class) -> str:
        members = node.members
        if self.target == "ascii":
            members = _ascii_members(node)
            if members.ranges == ((0, 127),):
                return _NOTHING["ascii"] if node.negated else "(?s:.)"
            short = _SHORT.get(members)
            if short:
                return short.upper() if node.negated else short
        elif self.target == "python":
            members = members.resolved()
        empty = not members.ranges and not members.properties
        if empty or members.is_everything:
            return _NOTHING[self.target] if empty is not node.negated else "(?s:.)"
        if members.ranges == ((10, 10),) and node.negated and not members.properties:
            return "."
        names = "".join(f"\\{'P' if name.startswith('^') else 'p'}{{{name.lstrip('^')}}}" for name in sorted(members.properties))
        spans = "".join(self.span(lo, hi) for lo, hi in members.ranges)
        return f"[{'^' if node.negated else ''}{names}{spans}]"

    def span(self, lo: int, hi: int) -> str:
        first, last = (_quoted(code, self.target, True) for code in (lo, hi))
        return first if lo == hi else f"{first}-{last}"


_ANCHORS = {"start": "^", "end": "$", "line_start": "(?m:^)", "line_end": "(?m:$)"}
_PYTHON_ANCHORS = {"start": r"\A", "end": r"\Z"}  # Python's $ also matches before a last newline
_SHORT = {classes.ASCII_DIGIT: r"\d", classes.ASCII_WORD: r"\w"}  # not \s: RE2's lacks the vertical tab
_NOTHING = {"ascii": r"[^\x00-\x{10FFFF}]", "unicode": r"[^\x00-\x{10FFFF}]", "python": "(?!)"}


def _ascii_members(node: Class) -> CharSet:
    """The ASCII part; when case is ignored, the two characters whose other case is an ASCII letter count as that letter."""
    part = node.members.ascii_part()
    if node.fold:
        for code, letter in ((0x17F, "s"), (0x212A, "k")):
            if any(lo <= code <= hi for lo, hi in node.members.ranges):
                part = part.union(classes.of_chars(letter))
    return part


def _quoted(code: int, target: str, in_class: bool = False) -> str:
    """A character as a literal of RE2 or of Python."""
    char = chr(code)
    if char.isascii() and char.isprintable():
        special = not char.isalnum() and char not in (" _" if in_class else " _!\"#%&',/:;<=>@`~-")
        return "\\" + char if special else char
    if target == "python":
        return f"\\U{code:08x}"
    return f"\\x{{{code:x}}}"
