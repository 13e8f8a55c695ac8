"""From a character of a scalar's value back to the character of the file it was written as.

Exact for strings of JSON, literal blocks, and quoted or plain text on one line. Folded text keeps its words: every visible
character is found again, only the white space between them is approximate.
"""

from __future__ import annotations

from toolkit.kql.source import Span


def value_offsets(text: str, value: str, style: str, span: Span) -> list[int]:
    """File offsets of each character of `value`, and one more for its end. `style` is YAML's: | > ' \" or empty; or json."""
    if style == "json":
        return _json(text, value, span)
    if style == "|":
        return _literal(text, value, span)
    return _aligned(text, value, style, span)


def _json(text: str, value: str, span: Span) -> list[int]:
    at, offsets = span.start + 1, []
    for char in value:
        offsets.append(at)
        if not text.startswith("\\", at):
            at += 1
        elif text.startswith("u", at + 1):
            at += 12 if ord(char) > 0xFFFF else 6  # beyond the first 65,536 characters: two escapes
        else:
            at += 2
    return [*offsets, min(at, span.end)]


def _literal(text: str, value: str, span: Span) -> list[int]:
    start = _line_after(text, span.start)
    indent = _block_indent(text, start, span)
    offsets: list[int] = []
    for line in value.split("\n"):
        end = _line_end(text, start)
        first = min(start + indent, end)
        offsets.extend(range(first, first + len(line) + 1))
        start = min(end + 1, len(text)) if end < len(text) else end
        start += text.startswith("\n", start) and text[end : end + 1] == "\r"
    return [min(offset, len(text)) for offset in offsets[: len(value) + 1]]


def _block_indent(text: str, start: int, span: Span) -> int:
    """The indentation of a literal block: that of its first line with text, less what an indicator digit keeps."""
    header = text[span.start : _line_end(text, span.start)].partition("#")[0]
    digit = next((int(char) for char in header if char.isdigit()), 0)
    if digit:
        line_start = text.rfind("\n", 0, span.start) + 1
        lead = text[line_start : span.start]
        return len(lead) - len(lead.lstrip(" -")) + digit
    while start < len(text):
        end = _line_end(text, start)
        line = text[start:end]
        if line.strip():
            return len(line) - len(line.lstrip(" "))
        start = end + 1
    return 0


def _aligned(text: str, value: str, style: str, span: Span) -> list[int]:
    at = _line_after(text, span.start) if style == ">" else span.start + (1 if style in ("'", '"') and style else 0)
    stop = span.end
    offsets: list[int] = []
    for char in value:
        if char.isspace():
            offsets.append(min(at, stop))
            at = _skip_space(text, at, stop, style)
            continue
        at = _skip_blank(text, at, stop)
        offsets.append(min(at, stop))
        at = min(stop, at + _written_width(text, at, style, char))
    return [*offsets, min(at, stop)]


def _skip_space(text: str, at: int, stop: int, style: str) -> int:
    if style == '"' and text.startswith("\\", at):
        return at + _escape_width(text, at)
    return at + 1 if at < stop and text[at].isspace() else at


def _skip_blank(text: str, at: int, stop: int) -> int:
    while at < stop and text[at].isspace():
        at += 1
    return at


def _written_width(text: str, at: int, style: str, char: str) -> int:
    if style == '"' and text.startswith("\\", at):
        return _escape_width(text, at)
    if style == "'" and char == "'":
        return 2
    return 1


def _escape_width(text: str, at: int) -> int:
    return {"x": 4, "u": 6, "U": 10}.get(text[at + 1 : at + 2], 2)


def _line_after(text: str, at: int) -> int:
    end = _line_end(text, at)
    return end + (2 if text.startswith("\r\n", end) else 1)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end - 1 if end > at and text[end - 1] == "\r" else end
