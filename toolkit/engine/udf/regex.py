"""Regular expressions in Python, for the rows and patterns that RE2 cannot take with the same meaning.

Texts come from the query's data; patterns have been accepted by `engine.regex` before. A pattern of nested repetitions
over a long text could take Python's matcher forever, so it is refused at run time: nothing hangs and nothing is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolkit.engine.regex import RegexError, compile_regex, python_regex
from toolkit.engine.udf.strings import json_text

_LONGEST_EXPLOSIVE = 40


def _matches(pattern: str, flags: str, text: str) -> Iterator[re.Match[str]]:
    """Matches as Rust finds them: an empty match right after another match is skipped."""
    regex = python_regex(pattern, flags)
    if regex.explosive and len(text) > _LONGEST_EXPLOSIVE:
        if text.isascii() and compile_regex(pattern, flags).ascii is not None:
            return  # DuckDB folds both branches over a constant; RE2 gives the answer for this text
        raise ValueError(f"kql:regular expression {pattern!r}: nested repetitions over long text outside ASCII are not supported")
    end = -1
    for match in regex.compiled.finditer(text):
        if match.start() == match.end() == end:
            continue
        end = match.end()
        yield match


def regex_test(text: str, pattern: str, flags: str) -> bool:
    return next(_matches(pattern, flags, text), None) is not None


def regex_extract(text: str, pattern: str, flags: str, group: int) -> str:
    """The group in the first match; '' without one."""
    match = next(_matches(pattern, flags, text), None)
    return (match[group] or "") if match else ""


def regex_all(text: str, pattern: str, flags: str, groups: str) -> str | None:
    """JSON array of all matches: of one group's texts, or of arrays for several. `groups`: numbers, comma-separated."""
    numbers = [int(number) for number in groups.split(",")]
    found = [[match[number] or "" for number in numbers] for match in _matches(pattern, flags, text)]
    return json_text([row[0] for row in found] if len(numbers) == 1 else found) if found else None


def regex_count(text: str, pattern: str, flags: str) -> int:
    return sum(1 for _ in _matches(pattern, flags, text))


def regex_replace(text: str, pattern: str, flags: str, rewrite: str) -> str:
    """`rewrite` has \\0 to \\9 for groups and \\\\ for a backslash; a group that took no part is ''."""
    done: list[str] = []
    at = 0
    for match in _matches(pattern, flags, text):
        done.append(text[at : match.start()])
        done.append(_expand(match, rewrite))
        at = match.end()
    return "".join([*done, text[at:]])


def regex_replace_by_row(text: str, pattern: str, rewrite: str) -> str:
    """`regex_replace` with a pattern that nobody has looked at before the query runs."""
    try:
        regex = compile_regex(pattern)
        python_regex(pattern)
    except RegexError as problem:
        raise ValueError(f"kql: replace_regex() with the pattern {pattern!r} of a row: {problem.reason}") from None
    for escape in re.findall(r"\\(.?)", rewrite, re.DOTALL):
        if not (escape == "\\" or (escape.isdigit() and int(escape) <= len(regex.groups))):
            raise ValueError(f"kql: \\{escape} in the rewrite is not a capture group of the pattern {pattern!r} of a row")
    return regex_replace(text, pattern, "", rewrite)


def _expand(match: re.Match[str], rewrite: str) -> str:
    def part(escape: re.Match[str]) -> str:
        name = escape[1]
        if name == "\\":
            return name
        return (match[int(name)] or "") if name.isdigit() and int(name) <= match.re.groups else escape[0]

    return re.sub(r"\\(.)", part, rewrite, flags=re.DOTALL)


def regex_indexof(text: str, pattern: str, start: int, length: int, occurrence: int) -> int | None:
    """0-based position of a match that lies within `length` characters from `start` (R-133); matches do not overlap."""
    if start < 0 or length < -1 or occurrence < 0:
        return None
    window = text[start:] if length < 0 else text[start : start + length]
    for number, match in enumerate(_matches(pattern, "", window), 1):
        if number == max(occurrence, 1):
            return start + match.start()
    return -1
