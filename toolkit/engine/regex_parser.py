"""Parser of the service's regular expressions: the syntax of Rust's regex crate with octal escapes (R-123 to R-126).

The tree has flags resolved into the nodes that they change, so printers need not know about them. Everything that the
service rejects (look-around, back-references, unknown escapes, a quantifier without an operand) raises `RegexError`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Union

from toolkit.engine import regex_classes as classes
from toolkit.engine.functions.registry import Refusal
from toolkit.engine.regex_classes import CharSet


class RegexError(Refusal):
    """A pattern that the service rejects, or that cannot be run with exactly its meaning. `offset` counts characters."""

    def __init__(self, pattern: str, offset: int, problem: str) -> None:
        super().__init__(f"regular expression {pattern!r}: {problem} at character {offset + 1}")
        self.problem = problem
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Char:
    code: int
    fold: bool


@dataclass(frozen=True, slots=True)
class Class:
    """One character of a set; `negated` applies after folding case."""

    members: CharSet
    negated: bool
    fold: bool


@dataclass(frozen=True, slots=True)
class Anchor:
    """`kind`: "start" or "end" of the text, "line_start" or "line_end"."""

    kind: str


@dataclass(frozen=True, slots=True)
class Boundary:
    """A word boundary. `kind`: b, B, start, end, start-half, end-half."""

    kind: str
    unicode: bool


@dataclass(frozen=True, slots=True)
class Group:
    """`index` is None for a group that captures nothing."""

    body: Node
    index: int | None


@dataclass(frozen=True, slots=True)
class Concat:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alternation:
    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`most` is None without a limit."""

    body: Node
    least: int
    most: int | None
    greedy: bool


Node = Union[Char, Class, Anchor, Boundary, Group, Concat, Alternation, Repeat]


@dataclass(frozen=True, slots=True)
class Parsed:
    root: Node
    group_names: tuple[str | None, ...]
    """Of the capture groups, in order."""


@dataclass(frozen=True, slots=True)
class _Flags:
    fold: bool = False  # i
    lines: bool = False  # m
    dot_all: bool = False  # s
    crlf: bool = False  # R
    swap: bool = False  # U
    unicode: bool = True  # u
    verbose: bool = False  # x


_FLAG_NAMES = {"i": "fold", "m": "lines", "s": "dot_all", "R": "crlf", "U": "swap", "u": "unicode", "x": "verbose"}
_CONTROL = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_HEX_WIDTH = {"x": 2, "u": 4, "U": 8}
_NOT_LITERAL = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz<>")
_DEEPEST = 90


@dataclass
class _Parser:
    text: str
    flags: _Flags = field(default_factory=_Flags)
    at: int = 0
    depth: int = 0
    names: list[str | None] = field(default_factory=list)

    # --- reading

    def error(self, problem: str, at: int | None = None) -> RegexError:
        return RegexError(self.text, self.at if at is None else at, problem)

    def peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def take(self, token: str) -> bool:
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def until(self, close: str, what: str) -> str:
        end = self.text.find(close, self.at)
        if end < 0:
            raise self.error(f"{what} without its closing {close!r}")
        found = self.text[self.at : end]
        self.at = end + len(close)
        return found

    def skip_blanks(self) -> None:
        """In verbose mode white space and `#` comments mean nothing, also inside classes."""
        while self.flags.verbose and self.at < len(self.text):
            if self.text[self.at].isspace():
                self.at += 1
            elif self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end + 1
            else:
                return

    # --- structure

    def alternation(self) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error("groups are nested too deeply")
        saved = self.flags
        options = [self.concat()]
        while self.take("|"):
            options.append(self.concat())
        self.flags = saved
        self.depth -= 1
        return options[0] if len(options) == 1 else Alternation(tuple(options))

    def concat(self) -> Node:
        items: list[Node] = []
        repeatable = False
        while True:
            self.skip_blanks()
            char = self.peek()
            if char in ("", "|", ")"):
                return items[0] if len(items) == 1 else Concat(tuple(items))
            if char in "*+?{":
                if not repeatable:
                    raise self.error(f"nothing to repeat before {char!r}")
                items[-1] = self.repeat(items[-1])
                continue
            item = self.atom()
            repeatable = item is not None
            if item is not None:
                items.append(item)

    def repeat(self, body: Node) -> Repeat:
        at = self.at
        char = self.peek()
        self.at += 1
        if char == "{":
            least, most = self.counts(at)
        else:
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[char]
        greedy = not self.take("?")
        return Repeat(body, least, most, greedy is not self.flags.swap)

    def counts(self, at: int) -> tuple[int, int | None]:
        least_text, comma, most_text = self.until("}", "a repetition count").replace(" ", "").partition(",")
        for text in (least_text, most_text):
            if text and not (text.isascii() and text.isdigit() and len(text) < 10):
                raise self.error("a repetition count is not a number", at)
        if not least_text:
            raise self.error("a repetition count is missing", at)
        least = int(least_text)
        most = least if not comma else int(most_text) if most_text else None
        if most is not None and most < least:
            raise self.error(f"the repetition {{{least},{most}}} counts down", at)
        return least, most

    def atom(self) -> Node | None:
        """The next atom; None for a setting of flags."""
        at = self.at
        char = self.peek()
        self.at += 1
        if char == "(":
            return self.group(at)
        if char == "[":
            return self.bracket(at)
        if char == ".":
            return self.dot()
        if char in "^$":
            return self.anchor("start" if char == "^" else "end")
        if char == "\\":
            return self.escape()
        return Char(ord(char), self.flags.fold)

    def anchor(self, side: str) -> Anchor:
        if self.flags.lines and self.flags.crlf:
            raise self.error("the flags R and m together are not supported")
        return Anchor("line_" + side if self.flags.lines else side)

    def dot(self) -> Class:
        if not self.flags.unicode:
            raise self.error("without the flag u, `.` may match part of a character")
        if self.flags.dot_all:
            return Class(classes.of_ranges((0, classes.LAST)), False, False)
        return Class(classes.of_chars("\r\n" if self.flags.crlf else "\n"), True, False)

    def group(self, at: int) -> Node | None:
        self.skip_blanks()
        if self.peek() == "?":
            for token in ("?=", "?!", "?<=", "?<!"):
                if self.peek(len(token)) == token:
                    raise self.error("look-around is not supported by the service (SEM0420)", at)
            if self.take("?P<") or self.take("?<"):
                return self.capture(self.until(">", "a group name"), at)
            self.at += 1
            return self.flag_group(at)
        return self.capture(None, at)

    def capture(self, name: str | None, at: int) -> Group:
        if name is not None:
            head, rest = name[:1], name[1:]
            if not (head == "_" or head.isalpha()) or not all(c in "_.[]" or c.isalnum() for c in rest):
                raise self.error(f"{name!r} is not a name for a group", at)
            if name in self.names:
                raise self.error(f"two groups are named {name!r}", at)
        self.names.append(name)
        index = len(self.names)
        body = self.alternation()
        if not self.take(")"):
            raise self.error("a group without its closing ')'", at)
        return Group(body, index)

    def flag_group(self, at: int) -> Node | None:
        changed: dict[str, bool] = {}
        on, count = True, 0
        while (char := self.peek()) not in (":", ")", ""):
            self.at += 1
            if char == "-" and on:
                on, count = False, 0
            elif char in _FLAG_NAMES and _FLAG_NAMES[char] not in changed:
                changed[_FLAG_NAMES[char]] = on
                count += 1
            else:
                raise self.error(f"{char!r} cannot stand here after '(?'", self.at - 1)
        if not char or (not on and not count) or (char == ")" and not changed):
            raise self.error("a group's flags are incomplete", at)
        self.at += 1
        inside = _Flags(**{name: changed.get(name, getattr(self.flags, name)) for name in _FLAG_NAMES.values()})
        if char == ")":
            self.flags = inside
            return None
        saved, self.flags = self.flags, inside
        body = self.alternation()
        self.flags = saved
        if not self.take(")"):
            raise self.error("a group without its closing ')'", at)
        return Group(body, None)

    # --- escapes

    def escape(self) -> Node:
        at = self.at - 1
        char = self.peek()
        if char in ("A", "z"):
            self.at += 1
            return Anchor("start" if char == "A" else "end")
        if char in ("<", ">"):
            self.at += 1
            return Boundary("start" if char == "<" else "end", self.flags.unicode)
        if char in ("b", "B"):
            self.at += 1
            return self.boundary(char)
        item = self.class_escape(at)
        if isinstance(item, int):
            return Char(item, self.flags.fold)
        members, negated = item
        if negated and not self.flags.unicode:
            raise self.error("without the flag u, a negated class may match part of a character", at)
        return Class(members, negated, self.flags.fold)

    def boundary(self, kind: str) -> Boundary:
        for name in ("start-half", "end-half", "start", "end"):
            if kind == "b" and self.take("{" + name + "}"):
                return Boundary(name, self.flags.unicode)
        return Boundary(kind, self.flags.unicode)

    def class_escape(self, at: int) -> int | tuple[CharSet, bool]:
        """What stands after a backslash, in or outside a class: a code point, or a set and whether it is negated."""
        char = self.peek()
        if not char:
            raise self.error("a backslash at the end", at)
        self.at += 1
        if char in "dDsSwW":
            return self.perl_class(char.lower()), char.isupper()
        if char in "pP":
            return self.property_class(char == "P", at)
        if char in _CONTROL:
            return _CONTROL[char]
        if char in _HEX_WIDTH:
            return self.hex_code(_HEX_WIDTH[char], at)
        if char in "01234567":
            return self.octal(char, at)
        if char in _NOT_LITERAL or not char.isascii():
            raise self.error(f"the escape \\{char} does not exist", at)
        return ord(char)

    def octal(self, first: str, at: int) -> int:
        digits = first
        while len(digits) < 3 and self.peek() and self.peek() in "01234567":
            digits += self.peek()
            self.at += 1
        if len(digits) == 1 and digits != "0" and self.names:
            # The service reads \1 as the character 1, which nobody who writes it after a group means.
            raise self.error("back-references are not supported by the service", at)
        return int(digits, 8)

    def perl_class(self, kind: str) -> CharSet:
        if self.flags.unicode:
            return {"d": classes.DIGIT, "s": classes.SPACE, "w": classes.WORD}[kind]
        return {"d": classes.ASCII_DIGIT, "s": classes.ASCII_SPACE, "w": classes.ASCII_WORD}[kind]

    def property_class(self, negated: bool, at: int) -> tuple[CharSet, bool]:
        if self.take("{"):
            name = self.until("}", "a property name")
        else:
            name = self.peek()
            self.at += 1
        if name.startswith("^"):
            negated, name = not negated, name[1:]
        found = classes.unicode_property(name)
        if found is None:
            raise self.error(f"the Unicode property {name!r} is not supported", at)
        return found, negated

    def hex_code(self, width: int, at: int) -> int:
        if self.take("{"):
            digits = self.until("}", "a hexadecimal escape")
        else:
            digits = self.peek(width)
            self.at += width
            if len(digits) < width:
                digits = ""
        try:
            code = int(digits, 16) if digits.isalnum() and digits.isascii() else -1
        except ValueError:
            code = -1
        if not 0 <= code <= classes.LAST or 0xD800 <= code <= 0xDFFF:
            raise self.error("a hexadecimal escape is not a character", at)
        return code

    # --- classes in brackets

    def bracket(self, at: int) -> Class:
        members, negated = self.bracket_set(at)
        if negated and not self.flags.unicode:
            raise self.error("without the flag u, a negated class may match part of a character", at)
        return Class(members, negated, self.flags.fold)

    def bracket_set(self, at: int) -> tuple[CharSet, bool]:
        """After '['. Union binds tighter than && -- ~~, which are of one rank and go from left to right."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error("classes are nested too deeply", at)
        self.skip_blanks()
        negated = self.take("^")
        result: CharSet | None = None
        operator = ""
        union = self.leading_literals()
        while True:
            self.skip_blanks()
            token = self.peek(2)
            if not token:
                raise self.error("a class without its closing ']'", at)
            if token[0] == "]" or token in ("&&", "--", "~~"):
                result = self.combine(result, operator, union)
                union = CharSet()
                self.at += 1 if token[0] == "]" else 2
                operator = token
                if token[0] == "]":
                    self.depth -= 1
                    return result, negated
                continue
            union = union.union(self.class_item())

    def leading_literals(self) -> CharSet:
        """Hyphens first, or a ']' first, are literal."""
        chars = ""
        self.skip_blanks()
        while self.take("-"):
            chars += "-"
            self.skip_blanks()
        if not chars and self.take("]"):
            chars = "]"
        return classes.of_chars(chars)

    def combine(self, left: CharSet | None, operator: str, right: CharSet) -> CharSet:
        if left is None:
            return right
        if self.flags.fold:
            left, right = left.folded(), right.folded()
        try:
            if operator == "&&":
                return left.intersection(right)
            return left.difference(right) if operator == "--" else left.symmetric_difference(right)
        except ValueError as problem:
            raise self.error(str(problem)) from None

    def class_item(self) -> CharSet:
        at = self.at
        if self.take("["):
            posix = self.posix_class()
            if posix is not None:
                return posix
            return self.signed(*self.bracket_set(at))
        first = self.class_unit()
        self.skip_blanks()
        if self.peek() != "-" or self.peek(2)[1:] in ("]", "-", ""):
            return classes.of_ranges((first, first)) if isinstance(first, int) else self.signed(*first)
        self.at += 1
        self.skip_blanks()
        last = self.class_unit()
        if not isinstance(first, int) or not isinstance(last, int):
            raise self.error("a range in a class needs a character on both sides; a literal hyphen stands first, last or escaped", at)
        if last < first:
            raise self.error(f"the range {chr(first)}-{chr(last)} counts down", at)
        return classes.of_ranges((first, last))

    def class_unit(self) -> int | tuple[CharSet, bool]:
        char = self.peek()
        if not char:
            raise self.error("a class without its closing ']'")
        self.at += 1
        if char == "\\":
            return self.class_escape(self.at - 1)
        return ord(char)

    def signed(self, members: CharSet, negated: bool) -> CharSet:
        if not negated:
            return members
        try:
            return (members.folded() if self.flags.fold and not members.properties else members).complement()
        except ValueError as problem:
            raise self.error(str(problem)) from None

    def posix_class(self) -> CharSet | None:
        """`[:name:]` after its '['; None leaves the position, because `[:` may also begin a nested class."""
        end = self.text.find(":]", self.at)
        if self.peek() != ":" or end < 0:
            return None
        name = self.text[self.at + 1 : end]
        negated = name.startswith("^")
        members = classes.POSIX.get(name.removeprefix("^"))
        if members is None:
            return None
        self.at = end + 2
        return members.complement() if negated else members


def parse(pattern: str, flags: str = "") -> Parsed:
    """The tree of a pattern; `flags` are letters that hold from its start, as in `(?flags)`. RegexError when it is invalid."""
    parser = _Parser(pattern, _Flags(**{_FLAG_NAMES[flag]: True for flag in flags if flag in _FLAG_NAMES}))
    root = parser.alternation()
    if parser.at < len(pattern):
        raise parser.error("a ')' without its opening '('")
    return Parsed(root, tuple(parser.names))
