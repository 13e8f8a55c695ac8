"""`toolkit render`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.conftest import Toolkit

_RULE = """\
id: 00000000-0000-0000-0000-000000000001
name: A rule
severity: Low
kind: NRT
query: |
  T
  | where a in ({{ names }})
parameters:
  names: {type: list, default: [a]}
"""


def test_the_query_for_an_environment(toolkit: Toolkit, write: Callable[..., object]) -> None:
    write("toolkit.yaml", "environments: {prod: {parameters: {names: ['x\"']}}}\n")
    write("rule.yaml", _RULE)
    assert toolkit("render", "rule.yaml").out == 'T\n| where a in (dynamic(["a"]))\n'
    assert toolkit("render", "rule.yaml", "--env", "prod").out == 'T\n| where a in (dynamic(["x\\""]))\n'


def test_a_function_and_a_rule_without_template(toolkit: Toolkit, write: Callable[..., object]) -> None:
    write("f.yaml", "FunctionAlias: F\nFunctionQuery: |\n  T\n\n  | take 1\n")
    assert toolkit("render", "f.yaml").out == "T\n\n| take 1\n"


@pytest.mark.parametrize(
    ("rule", "args", "code", "words"),
    [
        (_RULE.replace("names }}", "nams }}"), (), 1, "rule.yaml:7:20: error: The parameter 'nams' has no value."),
        (_RULE.replace("names }}", "names"), (), 1, "The template cannot be read"),
        (_RULE.replace("[a]", "5"), (), 1, "The default of 'names' (list) is not of its type: expected a list, found '5'."),
        (_RULE, ("--env", "prod"), 3, "There is no environment 'prod'."),
        ("a: [\n", (), 1, "The YAML cannot be read"),
        ("on: push\n", (), 3, "is no detection content"),
    ],
)
def test_what_cannot_be_rendered(
    toolkit: Toolkit, write: Callable[..., object], rule: str, args: tuple[str, ...], code: int, words: str
) -> None:
    write("rule.yaml", rule)
    ran = toolkit("render", "rule.yaml", *args)
    assert ran.code == code, ran.out
    assert words in ran.out


def test_a_missing_file(toolkit: Toolkit) -> None:
    ran = toolkit("render", "none.yaml")
    assert ran.code == 3
    assert "none.yaml:1:1: error: There is no such file or folder." in ran.out
