"""Several paths into one JSON text: parsed once per row instead of once per path.

DuckDB evaluates `json_extract_string(text, ['$.a', '$.b'])` once for all the columns that take an element of it (its
common-subexpression pass), which is five times as fast for six paths of an audit event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from toolkit.engine.sql import ColumnName, Form, Literal, Sql

_TEMPLATES = {"json_extract({0}, {1})": "json_extract", "json_extract_string({0}, {1})": "json_extract_string"}
_TRY = "TRY({0})"
_MOST_PATHS = 12


class _Parse(NamedTuple):
    """One parse of a text: what may be shared among paths."""

    function: str
    text: Sql
    guarded: bool


def share_extractions(items: Sequence[Sql]) -> list[Sql]:
    """The same expressions, paths into the same column gathered in one call where every row needs more than one."""
    paths: dict[_Parse, dict[str, None]] = {}
    for item in items:
        for parse, path in _always_evaluated(item):
            paths.setdefault(parse, {})[path] = None
    shared = {parse: _chunks(list(found)) for parse, found in paths.items() if len(found) > 1}
    return [_rewritten(item, shared) for item in items] if shared else list(items)


def _chunks(paths: list[str]) -> dict[str, list[str]]:
    """Each path with those it is extracted with: every use names all of them, so they are not too many."""
    count = -(-len(paths) // _MOST_PATHS)
    size = -(-len(paths) // count)
    return {path: paths[index // size * size :][:size] for index, path in enumerate(paths)}


def _extraction(node: Sql) -> tuple[_Parse, str] | None:
    guarded = isinstance(node, Form) and node.template == _TRY
    inner = node.args[0] if guarded and isinstance(node, Form) else node
    if not isinstance(inner, Form) or inner.template not in _TEMPLATES:
        return None
    text, path = inner.args
    if not _is_column(text) or not isinstance(path, Literal) or not isinstance(path.value, str):
        return None
    return _Parse(_TEMPLATES[inner.template], text, guarded), path.value


def _is_column(text: Sql) -> bool:
    return isinstance(text, ColumnName) or (isinstance(text, Form) and not text.args and text.template.isidentifier())


def _always_evaluated(node: Sql) -> Iterator[tuple[_Parse, str]]:
    """The extractions that no condition and no earlier argument of coalesce can skip."""
    found = _extraction(node)
    if found is not None:
        yield found
        return
    if not isinstance(node, Form) or "CASE" in node.template:
        return
    first_only = node.template.startswith("coalesce(") or "lambda" in node.template
    for child in node.args[:1] if first_only else node.args:
        yield from _always_evaluated(child)


def _rewritten(node: Sql, shared: dict[_Parse, dict[str, list[str]]]) -> Sql:
    found = _extraction(node)
    if found is not None:
        parse, path = found
        paths = shared.get(parse, {}).get(path)
        return node if paths is None else _element(parse, paths, path)
    if not isinstance(node, Form) or not node.args:
        return node
    return replace(node, args=tuple(_rewritten(child, shared) for child in node.args))


def _element(parse: _Parse, paths: list[str], path: str) -> Sql:
    places = ", ".join(f"{{{index}}}" for index in range(1, len(paths) + 1))
    call = f"{parse.function}({{0}}, [{places}])"
    # the element is taken outside of TRY: what is evaluated once must be what cannot fail
    template = f"TRY({call})" if parse.guarded else call
    return Form(f"{template}[{paths.index(path) + 1}]", (parse.text, *(Literal(text, "VARCHAR") for text in paths)))
