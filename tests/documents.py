"""Read the examples out of a Markdown page, and compare what they show with what a run printed.

The convention, for README.md and every page of docs/:

- In a ```console block, a line `$ COMMAND` is run and the lines below it are its output. `...` alone on a line stands for any
  number of lines, inside a line for any text. A command must succeed unless the next one is `echo $?`.
- A ```python block is run; with `>>>` prompts its output is compared, as doctest does it.
- The blocks of a page are run in order, from the root of a copy of the repository, so a later one may use what an earlier
  one made. `<!-- not run: REASON -->` above a block says why it is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^(?P=indent)``` *$", re.MULTILINE | re.DOTALL)
_NOT_RUN = re.compile(r"<!-- not run: (?P<reason>\S.*?) -->\s*\Z")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page. `line` is that of its first line of text; `not_run` is the stated reason, or empty."""

    language: str
    body: str
    line: int
    not_run: str = ""


@dataclass(frozen=True)
class Command:
    """One `$ ` line of a console block and the output shown below it."""

    text: str
    shown: tuple[str, ...]
    line: int


def blocks(page: str) -> Iterator[Block]:
    """Every fenced block, in order."""
    for match in _FENCE.finditer(page):
        reason = _NOT_RUN.search(page[: match.start()])
        body = re.sub(f"^{match['indent']}", "", match["body"], flags=re.MULTILINE)
        line = page.count("\n", 0, match.start()) + 2
        yield Block(match["language"], body, line, reason["reason"] if reason else "")


def commands(block: Block) -> list[Command]:
    """The commands of a console block. A trailing backslash continues a command on the next line."""
    found: list[tuple[str, list[str], int]] = []
    for line, text in enumerate(block.body.splitlines(), block.line):
        if found and not found[-1][1] and found[-1][0].endswith("\\"):
            head, shown, at = found[-1]
            found[-1] = (f"{head}\n{text}", shown, at)
        elif text.startswith("$ "):
            found.append((text[2:], [], line))
        elif found:
            found[-1][1].append(text)
        elif text.strip():
            raise ValueError(f"line {line}: a console block begins with a command, found {text!r}")
    return [Command(text, tuple(shown), line) for text, shown, line in found]


def matches(shown: tuple[str, ...], printed: str) -> bool:
    """Whether a printed text is what the page shows. Blanks at the ends of lines and of the text do not count."""
    lines = [line.rstrip() for line in shown]
    while lines and not lines[-1]:
        lines.pop()
    pattern = "".join(r"(?:[^\n]*\n)*?" if line == "..." else _line_pattern(line) + r"[ \t]*\n" for line in lines)
    text = printed.rstrip() + "\n" if printed.strip() else ""
    return re.fullmatch(pattern, text) is not None


def _line_pattern(line: str) -> str:
    return "[^\n]*".join(re.escape(part) for part in line.split("..."))
