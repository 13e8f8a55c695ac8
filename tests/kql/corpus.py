"""The queries of tests/kql/queries, and their golden trees.

`python -m tests.kql.corpus` writes the golden files anew; the difference is then for a person to judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from toolkit.kql.diagnostics import Diagnostic
from toolkit.kql.parser import parse
from toolkit.kql.source import Source
from toolkit.kql.syntax import Node

HERE = Path(__file__).parent
QUERIES = HERE / "queries"
MESSAGES = HERE / "messages"
SEPARATOR = "//==\n"


def queries(file: Path) -> list[str]:
    """The queries of a file, without the line break that ends each of them."""
    return [part.removesuffix("\n") for part in file.read_text(encoding="utf-8").split(SEPARATOR)]


def query_files() -> list[Path]:
    return sorted(QUERIES.glob("*.kql"))


def message_files() -> list[Path]:
    return sorted(MESSAGES.glob("*.kql"))


def nodes(root: Node) -> Iterator[Node]:
    """A node and everything below it."""
    todo = [root]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(reversed(list(node.children())))


def dump(value: object, indent: int = 0) -> str:
    """A tree as indented text: type, span, and the fields that are not left at their default."""
    pad = "  " * indent
    if isinstance(value, Node):
        parts = []
        for part in fields(value):
            content = getattr(value, part.name)
            if not part.compare or content in (None, (), False):
                continue
            parts.append(f"\n{pad}  {part.name}: {dump(content, indent + 1)}")
        return f"{type(value).__name__} [{value.span.start}, {value.span.end})" + "".join(parts)
    if isinstance(value, tuple):
        return "".join(f"\n{pad}  - {dump(item, indent + 1)}" for item in value)
    return repr(value)


def golden_tree(query: str) -> str:
    """What the golden file says about one query."""
    result = parse(query)
    return dump(result.query) + "\n" + messages(query, result.diagnostics)


def messages(query: str, diagnostics: tuple[Diagnostic, ...]) -> str:
    """The rendered findings of one query."""
    source = Source(query)
    return "".join(found.render(source) + "\n" for found in diagnostics)


def golden_file(file: Path) -> str:
    """The content of the golden file beside a file of queries."""
    if file.parent == QUERIES:
        return SEPARATOR.join(golden_tree(query) for query in queries(file))
    return SEPARATOR.join(f"{query}\n\n{messages(query, parse(query).diagnostics)}" for query in queries(file))


def golden_path(file: Path) -> Path:
    return file.with_suffix(".tree" if file.parent == QUERIES else ".txt")


def main() -> None:
    for file in (*query_files(), *message_files()):
        golden_path(file).write_text(golden_file(file), encoding="utf-8")


if __name__ == "__main__":
    main()
