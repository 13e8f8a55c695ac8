"""Fail on Python files, functions and parameter lists that are larger than the project's limits.

Usage: python scripts/size_gate.py [FILE ...]      (default: every Python file that git knows or would add)

Exceptions stand in `scripts/size_gate.toml`, each with its reason; one that is no longer needed fails too.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 80
MAX_PARAMETERS = 6

EXCEPTIONS = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class Excess:
    """Something too large. `name` is what an exception quotes: `path` for a file, `path::Class.function` otherwise."""

    name: str
    line: int
    found: int
    limit: int
    unit: str

    def __str__(self) -> str:
        path = self.name.partition("::")[0]
        return f"{path}:{self.line}: {self.name.rpartition('::')[2]} has {self.found} {self.unit}, the limit is {self.limit}"


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST, scope: str = "") -> Iterator[tuple[str, Function, bool]]:
    """Every function below a node: its dotted name, the node, and whether it is a method."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            yield f"{scope}{node.name}", node, isinstance(tree, ast.ClassDef)
        inner = f"{scope}{node.name}." if isinstance(node, Function | ast.ClassDef) else scope
        yield from functions(node, inner)


def parameters(node: Function, method: bool) -> int:
    """How many parameters a caller has to think about: `self` and `cls` do not count."""
    names = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    bound = method and bool(names) and names[0] in {"self", "cls", "mcs"}
    return len(names) - bound + (node.args.vararg is not None) + (node.args.kwarg is not None)


def measure(path: str, text: str) -> Iterator[Excess]:
    """What is too large in one file."""
    lines = len(text.splitlines())
    if lines > MAX_FILE_LINES:
        yield Excess(path, 1, lines, MAX_FILE_LINES, "lines")
    for name, node, method in functions(ast.parse(text, path)):
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        length = (node.end_lineno or node.lineno) - first + 1
        if length > MAX_FUNCTION_LINES:
            yield Excess(f"{path}::{name}", node.lineno, length, MAX_FUNCTION_LINES, "lines")
        count = parameters(node, method)
        if count > MAX_PARAMETERS:
            yield Excess(f"{path}::{name}", node.lineno, count, MAX_PARAMETERS, "parameters")


def project_files(root: Path, pattern: str = "*") -> list[str]:
    """The files that git knows or would add, as far as they are on disk, by their path from `root`.

    Containers often check a repository out as another user than the one that runs in them; git refuses to work there
    unless it is told, for this one command, that the directory is safe.
    """
    command = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", pattern]
    listing = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return sorted(name for name in set(listing.stdout.split("\0")) if name and (root / name).is_file())


def read_exceptions(path: Path = EXCEPTIONS) -> dict[str, str]:
    """Name -> reason. An exception without a reason is an error."""
    table: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8")).get("exceptions", {})
    bare = [name for name, reason in table.items() if not str(reason).strip()]
    if bare:
        raise SystemExit(f"{path}: an exception needs a reason: {', '.join(bare)}")
    return table


def main(arguments: list[str]) -> int:
    paths = arguments or project_files(Path(), "*.py")
    allowed = read_exceptions()
    found = [excess for path in paths for excess in measure(path, Path(path).read_text(encoding="utf-8"))]
    problems = [str(excess) for excess in found if excess.name not in allowed]
    if not arguments:
        names = {excess.name for excess in found}
        problems += [f"{EXCEPTIONS.name}: {name} is within the limits now, remove the exception" for name in allowed if name not in names]
    print("\n".join(problems) or f"sizes: {len(paths)} files within the limits")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
