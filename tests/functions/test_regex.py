"""Regular expressions: RE2, as the engine runs it, and Python agree on every pattern and text that the translation lets through."""

from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.engine.functions.registry import Refusal
from toolkit.engine.regex import RegexError, compile_regex, python_regex, translate

_CLASSES = st.sampled_from(
    [
        r"\d",
        r"\w",
        r"\s",
        r"\W",
        r"[^\w]",
        "[a-c]",
        "[^b]",
        r"[\s\S]",
        r"[\w&&[^b]]",
        "[a-d--b]",
        "[a-c~~b-d]",
        r"[^\W_]",
        ".",
        "[[:alpha:]]",
        r"[\W_]",
    ]
)
_ATOMS = st.one_of(st.sampled_from(["a", "b", "é", "_", " ", r"\.", r"\b", r"\B", "^", "$", r"\x{e9}", "(?i:A)", "(?i:É)"]), _CLASSES)


def _combine(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        inner.map(lambda text: f"({text})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "{1,2}", "{2}"])).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    )


_PATTERNS = st.recursive(_ATOMS, _combine, max_leaves=6)
_TEXTS = st.text(alphabet="ab_ .cdAé٣É\n", max_size=8)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pattern=_PATTERNS, text=_TEXTS)
def test_re2_and_python_find_the_same_first_match(connection: duckdb.DuckDBPyConnection, pattern: str, text: str) -> None:
    regex = compile_regex(pattern)
    match = python_regex(pattern).compiled.search(text)
    form = regex.ascii if text.isascii() else regex.unicode
    if form is None:  # only Python has it
        return
    row = connection.execute("SELECT regexp_matches(?, ?), regexp_extract(?, ?, 0)", [text, form, text, form]).fetchone()
    assert row == (match is not None, match[0] if match else "")


@pytest.mark.parametrize(
    ("pattern", "ascii_form"),
    [
        ("abc", "abc"),
        (r"\d+\.\d+", r"\d+\.\d+"),
        (r"(?P<user>\w+)@(?<host>\S+)", r"(\w+)@([^\x{9}-\x{d} ]+)"),
        ("(?i)powershell", "(?i)powershell"),
        (r"\bfoo\b", r"\bfoo\b"),
        (r"(?x) a  b # comment", "ab"),
        ("a**", "(?:a*)*"),
    ],
)
def test_plain_patterns_stay_plain(pattern: str, ascii_form: str) -> None:
    assert compile_regex(pattern).ascii == ascii_form


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("a(?=b)", "look-around"),
        (r"(a)\1", "back-references"),
        ("(a", "closing ')'"),
        ("a)", "opening '('"),
        ("[a", "closing ']'"),
        ("[]", "closing ']'"),
        ("*a", "nothing to repeat"),
        ("a{2", "closing '}'"),
        ("a{,2}", "missing"),
        ("a{3,2}", "counts down"),
        ("[z-a]", "counts down"),
        (r"[\w-a]", "both sides"),
        (r"\y", "does not exist"),
        (r"\é", "does not exist"),
        (r"\p{Klingon}", "not supported"),
        ("(?<a>x)(?<a>y)", "two groups"),
        ("(?<1>x)", "not a name"),
        ("(?z)a", "cannot stand"),
        ("(?i", "incomplete"),
        (r"(?-u:\W)", "part of a character"),
        (r"\x{110000}", "not a character"),
        ("\\", "backslash at the end"),
        ("(" * 300, "nested too deeply"),
        ("[" * 300, "nested too deeply"),
    ],
)
def test_what_the_service_rejects_is_refused_with_its_place(pattern: str, problem: str) -> None:
    with pytest.raises(RegexError, match=re.escape(problem)) as caught:
        compile_regex(pattern)
    assert "at character " in caught.value.reason


def test_one_pattern_for_every_text_exists_without_word_boundaries_only() -> None:
    assert translate(r"\d") == r"[\p{Nd}]"
    with pytest.raises(Refusal):
        translate(r"\bfoo")


def test_a_repetition_too_large_for_the_engine_is_left_to_python() -> None:
    regex = compile_regex("a{1001}")
    assert (regex.ascii, regex.unicode) == (None, None)
    assert python_regex("a{1001}").compiled.search("a" * 1001)


def test_groups_are_counted_and_named() -> None:
    assert compile_regex("(a)(?:b)(?<n>c)").groups == (None, "n")


@pytest.mark.parametrize(("pattern", "explosive"), [(r"(a+)+b", True), (r"(a|b)*", True), (r"a+b+", False), (r"(abc)+", False)])
def test_nested_repetitions_are_known(pattern: str, explosive: bool) -> None:
    assert python_regex(pattern).explosive is explosive
