"""The options of `%kql` and `%%kql`: what is said on the line of the magic."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from keyword import iskeyword
from typing import Any, NoReturn

from toolkit.kql.diagnostics import ToolkitError

LOCAL = ("", "None")
"""What `--env` says for recorded logs; `None` is what a Python variable becomes."""


class MagicError(ToolkitError):
    """Something that a cell asks for and cannot have. Jupyter shows its text, not a traceback."""

    def _render_traceback_(self) -> list[str]:
        lines = []
        for line in str(self).split("\n"):
            head, mark, rest = line.partition(" error: ")
            lines.append(f"{head} \x1b[1;31merror:\x1b[0m {rest}" if mark and not line.startswith(" ") else line)
        return lines


@dataclass(frozen=True)
class Settings:
    """Where queries run and on what. `env` None: on the recorded logs in `data`."""

    env: str | None = None
    data: tuple[str, ...] = ()
    now: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None
    timeout: float | None = None
    lenient: bool = False


@dataclass(frozen=True)
class Line:
    """A line of the magic. `given`: the settings that it names; `rest`: the query behind the options of `%kql`."""

    given: dict[str, Any] = field(default_factory=dict)
    output: str = ""
    variables: tuple[str, ...] = ()
    quiet: bool = False
    rest: str = ""

    def over(self, settings: Settings) -> Settings:
        return replace(settings, **self.given)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise MagicError(f"%%kql: {message}\n{self.format_usage().strip()}")


def read_line(line: str) -> Line:
    """Raises MagicError for options that there are not."""
    try:
        words = shlex.split(line, posix=True)
    except ValueError:
        words = line.split()
    count = _options_in(words)
    found = _PARSER.parse_args(words[:count])
    given: dict[str, Any] = {}
    if found.env is not None:
        given["env"] = None if found.env in LOCAL else found.env
    if found.data:
        given["data"] = tuple(found.data)
    if found.output and not (found.output.isidentifier() and not iskeyword(found.output)):
        raise MagicError(f"-o: expected the name of a Python variable, found {found.output!r}")
    for name in ("now", "start", "end"):
        text = getattr(found, name)
        if text is not None:
            given[name] = None if text in LOCAL else _moment(text, name)
    if found.timeout is not None:
        given["timeout"] = found.timeout or None
    if found.lenient:
        given["lenient"] = True
    return Line(given, found.output or "", tuple(found.let or ()), found.quiet, _behind(line, words[:count]))


def _options_in(words: list[str]) -> int:
    """How many words in front are options and their values."""
    index = 0
    while index < len(words) and words[index].startswith("-") and len(words[index]) > 1:
        takes = words[index] not in ("--lenient", "--quiet", "-q") and "=" not in words[index]
        index += 2 if takes else 1
    return min(index, len(words))


def _behind(line: str, words: list[str]) -> str:
    """The text behind the options, with its own quotes."""
    text = line.lstrip()
    for _ in words:
        text = text[_end_of_word(text) :].lstrip()
    return text


def _end_of_word(text: str) -> int:
    """Where the first word ends, with its quotes."""
    quote = ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char.isspace():
            return at
    return len(text)


def _moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise MagicError(f"--{name}: expected a time such as 2026-03-02T10:00:00Z, found {text!r}") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _parser() -> _Parser:
    parser = _Parser(prog="%%kql", add_help=False, allow_abbrev=False)
    parser.add_argument("--env", metavar="NAME", help="run on the workspace of this environment of toolkit.yaml; None: on recorded logs")
    parser.add_argument("--data", metavar="PLACE", action="append", help="a folder of recorded logs, or a file; may be given several times")
    parser.add_argument("--now", metavar="TIME", help="what now() is, on recorded logs")
    parser.add_argument("--start", metavar="TIME", help="only rows whose TimeGenerated is later")
    parser.add_argument("--end", metavar="TIME", help="only rows whose TimeGenerated is not later")
    parser.add_argument("--timeout", metavar="S", type=float, help="seconds that a query may run")
    parser.add_argument("--lenient", action="store_true", help="leave out lines of logs that cannot be read")
    parser.add_argument("-o", "--output", metavar="NAME", help="the Python variable that gets the result")
    parser.add_argument(
        "--let", metavar="NAME", action="append", help="a Python variable that the query uses, as a let; may be given several times"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="show nothing")
    return parser


_PARSER = _parser()
USAGE = _PARSER.format_help()
