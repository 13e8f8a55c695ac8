"""Analysis of saved functions: the body is bound with its parameters as constants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from toolkit.content.findings import Finding
from toolkit.content.models.function import FunctionFile
from toolkit.content.template.render import Query
from toolkit.testing.runner import kql_findings

if TYPE_CHECKING:
    from toolkit import Workspace

_OPEN, _CLOSE = "([{", ")]}"


def analyze_function(workspace: Workspace, model: FunctionFile, query: Query) -> Iterator[Finding]:
    """What is wrong with the body of a function. One with a table as parameter is only checked where it is called."""
    prefix = constants(model.signature)
    if prefix is None:
        return
    found = workspace.analyze(prefix + query.text).diagnostics
    own = [diagnostic.shifted(-len(prefix)) for diagnostic in found if diagnostic.start >= len(prefix)]
    yield from kql_findings(own, query.text, query)


def constants(signature: str) -> str | None:
    """Statements that give the parameters of a function constant values; None for one that takes a table."""
    parameters = split_signature(signature)
    if any(kind.startswith("(") for _, kind, _ in parameters):
        return None
    return "".join(f"let {name}={_value(kind, default)};" for name, kind, default in parameters)


def split_signature(text: str) -> list[tuple[str, str, str | None]]:
    """`a:string, b:long=5` as (name, type, default) each."""
    parts: list[str] = []
    depth, quote, start = 0, "", 0
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote and text[at - 1] != "\\" else quote
        elif char in "'\"":
            quote = char
        elif char in _OPEN or char in _CLOSE:
            depth += 1 if char in _OPEN else -1
        elif char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [_parameter(part) for part in [*parts, text[start:]] if part.strip()]


def _parameter(text: str) -> tuple[str, str, str | None]:
    name, _, rest = text.partition(":")
    kind, equals, default = rest.partition("=")
    return name.strip(), kind.strip() or "string", default.strip() if equals else None


def _value(kind: str, default: str | None) -> str:
    if default is not None:
        return default
    return "''" if kind == "string" else f"{kind}(null)"
