"""YAML with positions: what is refused and where, and the way from a query's character back to the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.content.sections import Section, check, parameters
from toolkit.content.files import MAX_BYTES
from toolkit.content.findings import ContentError
from toolkit.content.yaml import Scalar, load_yaml, parse_yaml, plain
from toolkit.content.yaml.loader import MAX_DEPTH, load_mapping


@pytest.mark.parametrize("section", parameters("yaml.txt"))
def test_findings(section: Section) -> None:
    text = "" if section.title == "an empty file" else section.text
    _, findings = parse_yaml(text, "x.yaml")
    check(findings.found, section.expected)


def test_values_have_the_types_of_yaml() -> None:
    document, _ = parse_yaml("a: 1\nb: [x, 'y', 1.5, yes, null, 2026-03-02, 0x1F, .inf]\nc: '1'\n", "x")
    assert plain(document.root) == {"a": 1, "b": ["x", "y", 1.5, True, None, "2026-03-02", 31, float("inf")], "c": "1"}


def test_merged_keys_do_not_override_their_own() -> None:
    document, _ = parse_yaml("base: &b {a: 1, b: 2}\nother:\n  <<: *b\n  b: 3\n", "x")
    assert plain(document.mapping.get("other")) == {"a": 1, "b": 3}


@pytest.mark.parametrize("opener", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_and_does_not_crash(opener: str) -> None:
    _, findings = parse_yaml(opener * 100_000, "x")
    assert [finding.code for finding in findings.found] in (["yaml-depth"], ["yaml-syntax"])


def test_nesting_up_to_the_limit_is_read() -> None:
    document, findings = parse_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH, "x")
    assert document.root is not None
    assert not findings.found


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"name: a\0b\n", "binary-file"),
        (b"\x89PNG\r\n\x1a\n\0\0", "binary-file"),
        (b"name: caf\xe9\n", "not-utf8"),
        ("name: a".encode("utf-16"), "not-utf8"),
        (b"a: b\n" * (MAX_BYTES // 5 + 1), "file-too-large"),
        (b"- a\n", "wrong-type"),
        (b"text\n", "wrong-type"),
    ],
)
def test_files_that_are_no_content(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(data)
    with pytest.raises(ContentError) as refused:
        load_mapping(path)
    assert [finding.code for finding in refused.value.findings] == [code]
    assert str(path) in str(refused.value)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: a\n")
    document, findings = load_yaml(path)
    assert plain(document.root) == {"name": "a"}
    assert not findings.found


def test_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="cannot be read: No such file"):
        load_yaml(tmp_path / "none.yaml")


_TEXT = st.characters(exclude_categories=["C"], exclude_characters="\u2028\u2029\x85\ufeff")
_LINES = st.lists(st.text(_TEXT, max_size=12), min_size=1, max_size=6)


@given(_LINES, st.sampled_from(["|", "|-", "|+", "|2"]), st.sampled_from(["\n", "\r\n"]))
def test_every_character_of_a_literal_block_is_found_again(lines: list[str], header: str, newline: str) -> None:
    lines = ["x" + lines[0], *lines[1:]]
    text = newline.join([f"query: {header}", *("  " + line for line in lines), "after: 1", ""])
    document, findings = parse_yaml(text, "x")
    assert not findings.found
    scalar = document.mapping.get("query")
    assert isinstance(scalar, Scalar)
    for offset, char in enumerate(scalar.text):
        at = document.text_offset(scalar, offset)
        assert text[at] == char or ((char == "\n" and text[at] in "\r\n") or at == len(text) or text[at:].lstrip()[:1] == "a")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("q: plain text\n  on two lines\n", "plain text on two lines"),
        ("q: 'it''s ''quoted'''\n", "it's 'quoted'"),
        ('q: "a\\"b\\tc \\u00e9x"\n', 'a"b\tc éx'),
        ("q: >-\n  ab cd\n  ef\n\n  gh\n", "ab cd ef\ngh"),
        ("q: &anchor |\n  ab\n   cd\n", "ab\n cd\n"),
        ("q: !!str 'abc'\n", "abc"),
    ],
)
def test_visible_characters_of_other_styles_are_found_again(text: str, value: str) -> None:
    document, _ = parse_yaml(text, "x")
    scalar = document.mapping.get("q")
    assert isinstance(scalar, Scalar)
    assert scalar.text == value
    for offset, char in enumerate(value):
        if not char.isspace():
            at = document.text_offset(scalar, offset)
            assert text[at] == char or text[at] == "\\"
