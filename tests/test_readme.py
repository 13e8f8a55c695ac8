"""The examples of README.md and docs/ do what the pages say. The convention is in `tests/documents.py`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from scripts.size_gate import project_files
from tests.azure_server import AzureServer, Site
from tests.conftest import ROOT
from tests.documents import Block, Command, blocks, commands, matches
from toolkit import Workspace as Engine

PAGES = sorted(["README.md", *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))])
MARK = "--- end of command, status "
TIME_LIMIT = 900  # a hang, not slowness: one example validates and deploys all shipped detections

_RUN_PYTHON = """
import doctest, pathlib, sys, types
page, *starts = sys.argv[1:]
module = types.ModuleType("example")
for start in starts:
    text = pathlib.Path(f"{page}.{start}").read_text(encoding="utf-8")
    padded = "\\n" * (int(start) - 1) + text
    if ">>>" not in text:
        exec(compile(padded, page, "exec"), module.__dict__)
        continue
    test = doctest.DocTestParser().get_doctest(padded, module.__dict__, page, page, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(test, clear_globs=False)
    module.__dict__.update(test.globs)
    if runner.failures:
        sys.exit(1)
"""


@pytest.fixture
def azure() -> Iterator[AzureServer]:
    """A local Azure that has the workspace of the environment `dev`."""
    settings = yaml.safe_load((ROOT / "toolkit.yaml").read_text(encoding="utf-8"))
    workspace = settings["environments"]["dev"]["workspace"]
    site = Site(workspace["name"], Engine(), group=workspace["resourceGroup"], subscription=workspace["subscription"])
    with AzureServer(site) as server:
        yield server


@pytest.fixture
def copy(root: Path, tmp_path: Path, azure: AzureServer) -> Path:
    """A copy of the repository in which an example may change what it likes; its environment `dev` is the local Azure."""
    target = tmp_path / "toolkit"
    for name in project_files(root):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target / name)
    settings = (target / "toolkit.yaml").read_text(encoding="utf-8")
    cloud = f"  dev:\n    cloud: {{name: public, resourceManager: '{azure.url}', logs: '{azure.url}'}}\n"
    settings = settings.replace("  dev:\n", cloud, 1).replace("00000000-0000-0000-0000-0000000000b1", azure.site().customer_id)
    (target / "toolkit.yaml").write_text(settings, encoding="utf-8")
    return target


def environment() -> dict[str, str]:
    """A plain terminal, 120 columns wide, with this Python's commands in front."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb", "PYTHONUTF8": "1"}


def run_block(found: list[Command], folder: Path) -> list[tuple[str, int]]:
    """Run the commands of one block in one shell: what each printed (both streams) and its exit status."""
    steps = [f"{one.text}\n__status=$?; echo; echo '{MARK}'$__status; (exit $__status)" for one in found]
    done = subprocess.run(
        ["bash", "-c", "exec 2>&1\n" + "\n".join(steps)],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIME_LIMIT,
    )
    pieces = done.stdout.split(f"\n{MARK}")
    printed = [pieces[0], *(piece.partition("\n")[2] for piece in pieces[1:-1])]
    statuses = [int(piece.partition("\n")[0]) for piece in pieces[1:]]
    return list(zip(printed, statuses, strict=True))


def page_blocks(page: str, language: str) -> list[Block]:
    """The blocks of a page that are to be run; skips the test when there are none."""
    found = [block for block in blocks((ROOT / page).read_text(encoding="utf-8")) if block.language == language and not block.not_run]
    if not found:
        pytest.skip(f"{page} has no {language} examples that are run")
    return found


@pytest.mark.parametrize("page", PAGES)
def test_console_examples(page: str, copy: Path) -> None:
    for block in page_blocks(page, "console"):
        found = commands(block)
        following = [*(one.text for one in found[1:]), ""]
        for command, (printed, status), next_text in zip(found, run_block(found, copy), following, strict=True):
            place = f"{page}:{command.line}: $ {command.text}"
            assert status == 0 or next_text == "echo $?", f"{place}\nended with status {status} and printed:\n{printed}"
            shown = "\n".join(command.shown)
            assert matches(command.shown, printed), f"{place}\nthe page shows:\n{shown}\nthe command printed:\n{printed}"


@pytest.mark.parametrize("page", PAGES)
def test_python_examples(page: str, copy: Path) -> None:
    found = page_blocks(page, "python")
    name = Path(page).name
    for block in found:
        (copy / f"{name}.{block.line}").write_text(block.body, encoding="utf-8")
    arguments = [sys.executable, "-c", _RUN_PYTHON, name, *(str(block.line) for block in found)]
    done = subprocess.run(arguments, cwd=copy, env=environment(), capture_output=True, text=True, encoding="utf-8", timeout=TIME_LIMIT)
    assert done.returncode == 0, f"{page}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ((), "", True),
        ((), "something\n", False),
        (("a", "b"), "a\nb\n", True),
        (("a", "b"), "a  \nb", True),
        (("a",), "a\nb\n", False),
        (("a", "..."), "a\nb\nc\n", True),
        (("...", "c"), "a\nb\nc\n", True),
        (("a", "...", "c"), "a\nc\n", True),
        (("a", "...", "d"), "a\nb\nc\n", False),
        (("took ... ms",), "took 12.5 ms\n", True),
        (("took ... ms",), "took 12.5 s\n", False),
        (("1.5",), "1x5\n", False),
    ],
)
def test_matches(shown: tuple[str, ...], printed: str, expected: bool) -> None:
    assert matches(shown, printed) is expected


def test_blocks_and_commands() -> None:
    page = (
        "text\n\n```console\n$ echo a \\\n  b\na b\n$ false\n$ echo $?\n1\n```\n<!-- not run: needs a workspace -->\n```console\n$ x\n```\n"
    )
    first, second = blocks(page)
    assert (first.line, second.not_run) == (4, "needs a workspace")
    assert commands(first) == [Command("echo a \\\n  b", ("a b",), 4), Command("false", (), 7), Command("echo $?", ("1",), 8)]


def test_run_block(tmp_path: Path) -> None:
    found = [Command(text, (), 1) for text in ("printf one", "echo two >&2; false", "echo $?", "true")]
    assert [(printed.strip(), status) for printed, status in run_block(found, tmp_path)] == [("one", 0), ("two", 1), ("1", 0), ("", 0)]
