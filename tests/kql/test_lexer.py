"""Tokens: kinds, places, and that no character is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kql.corpus import queries, query_files
from toolkit.kql.lexer import END, tokenize

CASES = [
    ("T | where a == 1", "IDENTIFIER | where IDENTIFIER == LONG"),
    ("project-away mv-expand top-nested", "project-away mv-expand top-nested"),
    ("a-b project - away", "IDENTIFIER - IDENTIFIER project - IDENTIFIER"),
    ("hint.strategy=shuffle hint.x", "hint.strategy = IDENTIFIER IDENTIFIER . IDENTIFIER"),
    ("in~ !in !in~ !has_cs != !~ !", "in~ !in !in~ !has_cs != !~ BAD"),
    ("matches regex matches  regex", "matches regex IDENTIFIER regex"),
    ("1 1.5 1. 1e3 1.5e-3 0x1F 007", "LONG REAL REAL REAL REAL LONG LONG"),
    ("1..5 1.. 1...", "LONG .. LONG LONG .. REAL .."),
    ("1d 1.5h 90minutes 10ticks 2w 1abc 1_000", "TIMESPAN TIMESPAN TIMESPAN TIMESPAN IDENTIFIER IDENTIFIER IDENTIFIER"),
    ("datetime(2020-01-01 10:00) int(5) long (5)", "TYPED TYPED long ( LONG )"),
    ("int(5\n)", "TYPED )"),
    ("true True TRUE tRUE", "BOOL BOOL BOOL IDENTIFIER"),
    ("6e31a1d4-38ba-4f92-b66a-2d4e4a2f4a59", "GUID"),
    ("'a' \"b\" h'c' H@'d' @\"e\" ```f``` ~~~g~~~ h```i```", "STRING STRING STRING STRING STRING STRING STRING STRING"),
    ("h hh has'x'", "IDENTIFIER IDENTIFIER has STRING"),
    ("@'a''b' 'a''b'", "STRING STRING STRING"),
    ("'\\W' 'open", "BAD_STRING OPEN_STRING"),
    ("“a” ‘b’ “c", "CURLY_STRING CURLY_STRING BAD IDENTIFIER"),
    ("a//b\nc // d", "IDENTIFIER IDENTIFIER"),
    ("a /* b */ c", "IDENTIFIER IDENTIFIER"),
    ("a\u00a0b\ufeff\u200bc", "IDENTIFIER IDENTIFIER IDENTIFIER"),
    ("#connect x\nT", "DIRECTIVE IDENTIFIER"),
    ("a && b || c | | d", "IDENTIFIER && IDENTIFIER || IDENTIFIER | | IDENTIFIER"),
    ("<= <> <| < >= > => == =~ =", "<= <> <| < >= > => == =~ ="),
    ("", ""),
]


@pytest.mark.parametrize(("text", "kinds"), CASES)
def test_kinds(text: str, kinds: str) -> None:
    found = [kind for kind in tokenize(text).kinds if kind != END]
    assert " ".join(found) == kinds


@pytest.mark.parametrize("file", query_files(), ids=lambda file: file.stem)
def test_between_tokens_is_only_space_and_comment(file: Path) -> None:
    for query in queries(file):
        assert_nothing_lost(query)


@given(st.text(alphabet="aAhH1.e0x'\"@`~/*\\ \n|-!=<>()[]{}#&“”‘_$\u00e9\u2028", max_size=40))
def test_no_character_is_lost(text: str) -> None:
    assert_nothing_lost(text)


def assert_nothing_lost(text: str) -> None:
    tokens = tokenize(text)
    places = sorted([*zip(tokens.starts, tokens.ends, strict=True), *tokens.block_comments])
    at = 0
    for start, end in places:
        between = text[at:start]
        for line in between.splitlines():
            assert not line.split("//")[0].strip().strip("\x00\u180e\u200b\ufeff"), (text, between)
        assert at <= start <= end
        at = end
    assert at == len(text)
