"""JSON in the shapes that exports have: one object per line, one array, single objects, `{"records": [...]}`.

Lines are the fast and forgiving form: a broken one is reported and the next one read. A document (an array over many
lines, or a pretty-printed object) is read value by value, so that a finding still has its line.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

from toolkit.engine.ingest.chunks import CHUNK_ROWS, Chunk, chunk_of_records, numbered
from toolkit.engine.ingest.files import LogFile
from toolkit.engine.ingest.findings import Report, unreadable

MAX_RECORD_BYTES = 64 * 1024 * 1024
MAX_DOCUMENT_BYTES = 1024 * 1024 * 1024
_BLOCK = 8 * 1024 * 1024
_SPACE = re.compile(r"[ \t\r\n]*")
WRAPPERS = ("records", "Records", "value")
_WRAPPER_KEYS = frozenset({*WRAPPERS, "nextLink", "@odata.context", "@odata.nextLink", "@odata.count"})


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


class _Decoder:
    """A JSON decoder that loses no value to a key that an object has twice: the second one gets a number."""

    def __init__(self) -> None:
        self.renamed: set[str] = set()
        self.decode = json.JSONDecoder(object_pairs_hook=self._unique, parse_constant=_no_constant).raw_decode

    def _unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        taken, unique = set(found), dict[str, Any]()
        for key, value in pairs:
            if key in unique:
                self.renamed.add(key)
                key = numbered(key, taken)
                taken.add(key)
            unique[key] = value
        return unique

    def note_renamed(self, source: str, report: Report) -> None:
        for key in sorted(self.renamed):
            report.note(f"the key {key!r} occurs more than once in an object; the others are kept as {key + '1'!r} and so on", source)


_PLAIN = json.JSONDecoder(parse_constant=_no_constant)


def read_json(file: LogFile, report: Report) -> Iterator[Chunk]:
    """The records of a JSON file, in any of the shapes. Findings go to the report; a bad record is left out."""
    with file.open() as stream:
        if file.encoding != "utf-8":
            yield from _document(stream.read(MAX_DOCUMENT_BYTES + 1), file, report)
            return
        head = stream.read(_BLOCK)
        if head.startswith(b"\xef\xbb\xbf"):
            head = head[3:]
        if not head.strip():
            raise unreadable(file.name, "expected JSON, found an empty file")
        if _is_lines(head):
            yield from _lines(head, stream, file.name, report)
        else:
            yield from _document(head + stream.read(MAX_DOCUMENT_BYTES), file, report)


def is_wrapper(keys: Collection[str]) -> bool:
    """Whether an object of these keys is an export's envelope of records, if it holds a list of them."""
    return any(key in keys for key in WRAPPERS) and _WRAPPER_KEYS.issuperset(keys)


def strict_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError, for NaN and Infinity too; RecursionError."""
    return _PLAIN.decode(text)


def first_line_is_object(file: LogFile) -> bool:
    """Whether the first line of a file is a whole JSON object, so that the file has one object per line."""
    with file.open() as stream:
        line = stream.readline(MAX_RECORD_BYTES)
    return line.startswith(b"{") and _is_value(line)


def _is_lines(head: bytes) -> bool:
    """Whether this is one value per line: the first line, or when that is broken some other line, is a whole value."""
    lines = head.strip().split(b"\n", 1)
    if lines[0][:1] not in (b"{", b"[") or _is_value(lines[0]):
        return True
    if lines[0][:1] == b"[" or lines[0].strip() == b"{" or _is_value(head):
        return False
    later = lines[1].split(b"\n")[:50] if len(lines) > 1 else []
    return any(line.startswith(b"{") and _is_value(line) for line in later)


def _is_value(text: bytes) -> bool:
    try:
        _PLAIN.decode(text.decode("utf-8"))
    except RecursionError:
        return True
    except ValueError:
        return False
    return True


class _Gathering:
    """Records and their lines until a chunk is full."""

    def __init__(self, source: str, report: Report) -> None:
        self._source, self._report = source, report
        self.records: list[dict[str, Any]] = []
        self.lines: list[int] = []

    def add(self, value: Any, line: int) -> None:
        if type(value) is dict:
            wrapped = _wrapped(value) if len(value) <= 4 else None
            if wrapped is None:
                self.records.append(value)
                self.lines.append(line)
                return
            value = wrapped
        if type(value) is not list:
            self.refuse(f"expected a JSON object, found {_kind(value)}", line)
            return
        for item in value:
            if type(item) is dict:
                self.records.append(item)
                self.lines.append(line)
            else:
                self.refuse(f"expected a JSON object in the array, found {_kind(item)}", line)

    def refuse(self, message: str, line: int) -> None:
        self._report.error(message, self._source, line)

    def take(self, at_least: int = 1) -> Iterator[Chunk]:
        if len(self.records) >= at_least:
            records, lines, self.records, self.lines = self.records, self.lines, [], []
            yield chunk_of_records(records, lines)


def _wrapped(value: dict[str, Any]) -> list[Any] | None:
    """The records inside `{"records": [...]}` (storage and Event Hub exports, CloudTrail files, ARM answers)."""
    wrapped = next((value[key] for key in WRAPPERS if key in value), None)
    return wrapped if isinstance(wrapped, list) and is_wrapper(value) else None


def _kind(value: Any) -> str:
    names = {str: "a string", int: "a number", float: "a number", bool: "a boolean", list: "an array", type(None): "null"}
    return names.get(type(value), type(value).__name__)


def _lines(block: bytes, stream: IO[bytes], source: str, report: Report) -> Iterator[Chunk]:
    gathered, decoder = _Gathering(source, report), _Decoder()
    number = 1
    for lines in _text_lines(block, stream, source):
        with _without_collector():
            _add_lines(lines, number, decoder, gathered)
        number += len(lines)
        yield from gathered.take(CHUNK_ROWS)
    yield from gathered.take()
    decoder.note_renamed(source, report)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Parsed JSON has no cycles, but its many objects make Python look for them: half of the time of reading nested records."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _add_lines(lines: Sequence[str], number: int, decoder: _Decoder, gathered: _Gathering) -> None:
    for line in lines:
        try:
            value = _value_of_line(line, decoder)
        except RecursionError:
            gathered.refuse("nested too deeply to be a log record (about 1000 levels)", number)
        except ValueError as error:
            gathered.refuse(_reason(error, line), number)
        else:
            if value is not _NOTHING:
                gathered.add(value, number)
        number += 1


def _value_of_line(line: str, decoder: _Decoder) -> Any:
    """The one value of a line, `_NOTHING` for a blank one. Raises ValueError and RecursionError."""
    start = 0
    if line[:1] not in ("{", "["):  # blank and indented lines are rare
        start = len(line) - len(line.lstrip())
        if start == len(line):
            return _NOTHING
    value, end = decoder.decode(line, start)
    if end != len(line) and line[end:].strip():
        raise json.JSONDecodeError("More text after the value", line, end)
    return value


def _reason(error: ValueError, text: str) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    around = text[max(0, error.pos - 20) : error.pos + 20].replace("\n", " ").strip()
    detail = error.msg[:1].lower() + error.msg[1:]
    return f"not valid JSON at column {error.colno}: {detail}, near {around!r}"


def _text_lines(block: bytes, stream: IO[bytes], source: str) -> Iterator[Sequence[str]]:
    """Lists of decoded lines. Bytes that are not UTF-8 become lone surrogates, which every later stage refuses with its line."""
    rest = b""
    while block:
        head, newline, tail = block.rpartition(b"\n")
        if newline:
            yield (rest + head).decode("utf-8", "surrogateescape").split("\n")
            rest = tail
        else:
            rest += block
            if len(rest) > MAX_RECORD_BYTES:
                raise unreadable(source, f"a line is longer than {MAX_RECORD_BYTES // 2**20} MiB; expected one JSON object per line")
        block = stream.read(_BLOCK)
    if rest:
        yield rest.decode("utf-8", "surrogateescape").split("\n")


def _document(data: bytes, file: LogFile, report: Report) -> Iterator[Chunk]:
    if len(data) > MAX_DOCUMENT_BYTES:
        raise unreadable(file.name, "a JSON document of more than 1 GiB; expected one object per line (.jsonl) for a file of this size")
    text = data.decode(file.encoding, "surrogateescape" if file.encoding == "utf-8" else "strict").lstrip("\ufeff")
    gathered, decoder = _Gathering(file.name, report), _Decoder()
    for value, line in _Document(text, decoder, file.name, report).values():
        gathered.add(value, line)
        yield from gathered.take(CHUNK_ROWS)
    yield from gathered.take()
    decoder.note_renamed(file.name, report)


class _Document:
    """Walks over the values of a document: the items of a top-level array, or objects one after the other."""

    def __init__(self, text: str, decoder: _Decoder, source: str, report: Report) -> None:
        self._text, self._source, self._report = text, source, report
        self._decode = decoder.decode
        self._counted, self._line = 0, 1

    def values(self) -> Iterator[tuple[Any, int]]:
        text, in_array, at = self._text, False, self._skip(0)
        after_item = False
        while at < len(text):
            mark = text[at]
            if mark == "[" and not in_array:
                in_array, after_item, at = True, False, self._skip(at + 1)
            elif mark == "]" and in_array:
                in_array, at = False, self._skip(at + 1)
            elif mark == "," and in_array and after_item:
                after_item, at = False, self._skip(at + 1)
            elif in_array and after_item:
                at = self._broken(at, "not valid JSON: expected ',' or ']' after an item of the array")
                after_item = False
            else:
                line = self._line_of(at)
                value, at = self._value(at)
                after_item = value is not _NOTHING
                if value is not _NOTHING:
                    yield value, line
        if in_array:
            self._report.error(
                "the array that the file begins with is not closed; the file may be cut off", self._source, self._line_of(at)
            )

    def _value(self, at: int) -> tuple[Any, int]:
        try:
            value, end = self._decode(self._text, at)
        except RecursionError:
            return _NOTHING, self._broken(at, "nested too deeply to be a log record (about 1000 levels)")
        except ValueError as error:
            place = error.pos if isinstance(error, json.JSONDecodeError) else at
            return _NOTHING, self._broken(at, _reason(error, self._text), place)
        return value, self._skip(end)

    def _broken(self, at: int, message: str, place: int | None = None) -> int:
        """Reports a value that cannot be read and finds the next one: an object that begins a line with the same indent."""
        start = self._text.rfind("\n", 0, at) + 1
        indent = self._text[start:at]
        found = re.compile(r"\n" + re.escape(indent) + r"(?=\{)").search(self._text, at + 1) if not indent.strip(" \t") else None
        if found is None:
            message += "; nothing after it could be read"
        self._report.error(message, self._source, self._line_of(at if place is None else place, keep=False))
        return found.end() if found else len(self._text)

    def _skip(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        return match.end() if match else at

    def _line_of(self, at: int, keep: bool = True) -> int:
        line = self._line + self._text.count("\n", self._counted, at)
        if keep and at >= self._counted:
            self._line, self._counted = line, at
        return line


_NOTHING: Any = object()
"""What the walk has instead of a value that could not be read."""
