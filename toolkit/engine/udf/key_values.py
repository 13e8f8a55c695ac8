"""Key-value pairs in text, as the operator parse-kv takes them apart (R-288)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Layout:
    """How the pairs are written. Without delimiters every character that is no letter or digit separates. `quotes`: opening to closing."""

    keys: tuple[str, ...]
    pair: str = ""
    kv: str = ""
    quotes: Mapping[str, str] | None = None
    escapes: str = ""
    greedy: bool = False


@lru_cache(maxsize=64)
def _layout(options: str) -> Layout:
    found = json.loads(options)
    quotes = {quote[0]: quote[-1] for quote in found["quotes"]}
    escapes = "".join(found["escapes"])
    return Layout(tuple(found["keys"]), found["pair"], found["kv"], quotes, escapes, found["greedy"])


def parse_kv(text: str, options: str) -> str:
    """The texts of the wanted keys as a JSON array, null for a key that is missing; the first appearance counts."""
    layout = _layout(options)
    found: dict[str, str] = {}
    for key, value in _delimited(text, layout) if layout.kv else _loose(text, layout):
        found.setdefault(key, value)
    return json.dumps([found.get(key) for key in layout.keys], ensure_ascii=False, separators=(",", ":"))


def pick_pairs(pairs: str | None, options: str) -> str:
    """The same from [[key, value], ...], as a regular expression with two groups gives them."""
    found: dict[str, str] = {}
    for key, value in json.loads(pairs or "[]") or []:
        found.setdefault(key.strip(), value.strip())
    keys = _layout(options).keys
    return json.dumps([found.get(key) for key in keys], ensure_ascii=False, separators=(",", ":"))


def _quoted(text: str, at: int, layout: Layout) -> tuple[str, int] | None:
    """The text in quotes that begins here, and the place behind it; None when there is none or it never ends."""
    closing = (layout.quotes or {}).get(text[at : at + 1])
    if closing is None:
        return None
    letters: list[str] = []
    at += 1
    while at < len(text):
        if text[at] in layout.escapes and at + 1 < len(text):
            letters.append(text[at + 1])
            at += 2
        elif text[at] == closing:
            return "".join(letters), at + 1
        else:
            letters.append(text[at])
            at += 1
    return None


# --- with delimiters ------------------------------------------------------------------------------------------------


def _blanks(text: str, at: int, layout: Layout) -> int:
    """Past white space that is no pair delimiter."""
    while at < len(text) and text[at].isspace() and not text.startswith(layout.pair, at):
        at += 1
    return at


def _find(text: str, part: str, at: int) -> int:
    found = text.find(part, at)
    return len(text) if found < 0 else found


def _delimited(text: str, layout: Layout) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        if text.startswith(layout.pair, at):
            at += len(layout.pair)
            continue
        at = _blanks(text, at, layout)
        key, at = _key(text, at, layout)
        if key is None:
            continue
        at = _blanks(text, at, layout)
        quoted = _quoted(text, at, layout)
        if quoted is not None:
            value, behind = quoted
            at = _find(text, layout.pair, behind)
        else:
            end = _greedy_end(text, at, layout) if layout.greedy else _find(text, layout.pair, at)
            value, at = text[at:end].strip(), end
        yield key, value


def _key(text: str, at: int, layout: Layout) -> tuple[str | None, int]:
    """The key that begins here and the place behind its delimiter; None and the next pair where there is no key."""
    quoted = _quoted(text, at, layout)
    if quoted is not None:
        behind = _blanks(text, quoted[1], layout)
        if text.startswith(layout.kv, behind):
            return quoted[0].strip(), behind + len(layout.kv)
    end, next_pair = _find(text, layout.kv, at), _find(text, layout.pair, at)
    if next_pair < end or end == len(text):
        return None, max(next_pair, at + 1)
    return text[at:end].strip(), end + len(layout.kv)


def _greedy_end(text: str, at: int, layout: Layout) -> int:
    """Where the value ends that begins here: before the next key, which is what stands between the last pair delimiter and a `=`."""
    sign = text.find(layout.kv, at)
    if sign < 0:
        return len(text)
    end = text.rfind(layout.pair, at, sign)
    if end < 0 or text[end + len(layout.pair) : sign].strip() not in layout.keys:
        raise ValueError("kql:'parse-kv' with greedy=true met a key that is not listed; where the value before it ends is not documented")
    return end


# --- without delimiters ---------------------------------------------------------------------------------------------


def _tokens(text: str, layout: Layout) -> Iterator[str]:
    at = 0
    while at < len(text):
        quoted = _quoted(text, at, layout)
        if quoted is not None:
            yield quoted[0].strip()
            at = quoted[1]
        elif not text[at].isalnum():
            at += 1
        else:
            end = at
            while end < len(text) and text[end].isalnum():
                end += 1
            yield text[at:end]
            at = end


def _loose(text: str, layout: Layout) -> Iterator[tuple[str, str]]:
    """A wanted key and the token behind it."""
    tokens = list(_tokens(text, layout))
    for position, token in enumerate(tokens[:-1]):
        if token not in layout.keys:
            continue
        if tokens[position + 1] in layout.keys:
            raise ValueError("kql:'parse-kv' met two keys one after the other; which of them is a value is not documented")
        yield token, tokens[position + 1]
