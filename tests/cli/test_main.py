"""The command itself: help, exit codes, and what it does not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.conftest import Toolkit


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_every_command(toolkit: Toolkit, flag: str) -> None:
    ran = toolkit(flag)
    assert ran.code == 0
    assert all(f"\n  {verb} " in ran.out for verb in ("init", "new", "query", "render", "validate"))


@pytest.mark.parametrize("verb", ["init", "new", "query", "render", "validate"])
def test_every_command_has_help(toolkit: Toolkit, verb: str) -> None:
    ran = toolkit(verb, "--help")
    assert ran.code == 0
    assert f"toolkit {verb}" in ran.out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("valdate",), "Did you mean 'validate'?"),
        (("xyz",), "init, new"),
        (("validate", "--nosuch"), "No such option"),
        (("validate", "--time-limit", "0"), "not in the range"),
        (("render",), "Missing argument"),
        (("query", "T", "--data", ".", "--now", "monday"), "Expected a time such as 2026-03-02T10:00:00Z, found 'monday'"),
        (("new", "rule", "x", "--table", "SigninLog"), "Did you mean 'SigninLogs'"),
    ],
)
def test_wrong_usage_is_exit_code_two(toolkit: Toolkit, args: tuple[str, ...], words: str) -> None:
    ran = toolkit(*args)
    assert ran.code == 2
    assert words in ran.err


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys, toolkit.cli.main as m; m.run(['--help']); "
        "heavy = {'pydantic', 'yaml', 'jinja2', 'duckdb', 'pyarrow', 'pandas', 'rich', 'toolkit.content', 'toolkit.engine'}; "
        "print('heavy:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("heavy: []\n")
