"""What may stand at a place of a query: tables, columns of the rows at that place, functions, operators, kinds of chart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.kql.functions import registry

if TYPE_CHECKING:
    from toolkit import Workspace

OPERATORS = tuple(
    """as consume count distinct evaluate extend externaldata facet find fork getschema graph-match invoke join lookup make-graph
    make-series mv-apply mv-expand order parse parse-kv parse-where partition project project-away project-keep project-rename
    project-reorder reduce render sample sample-distinct scan search serialize sort summarize take top top-hitters top-nested
    union where""".split()
)
CHARTS = tuple("anomalychart areachart barchart card columnchart linechart piechart scatterchart stackedareachart table timechart".split())
_JOINS = tuple("anti fullouter inner innerunique leftanti leftantisemi leftouter leftsemi rightanti rightouter rightsemi".split())
_WORD = re.compile(r"[A-Za-z_][\w-]*$|$")
_NAME = re.compile(r"^[A-Za-z_]\w*$")
_LET = re.compile(r"\blet\s+([A-Za-z_]\w*)\s*=")
_LET_TABLE = re.compile(r"\s*let\s+[A-Za-z_]\w*\s*=\s*")
_TABLES_AFTER = re.compile(r"(?:^|[(;,])\s*$|\b(?:union|join|lookup|in|invoke|from)\b[^|]*[(\s]\s*$")
_STRINGS = re.compile(r"""@?"(?:[^"\\\n]|\\.)*"?|@?'(?:[^'\\\n]|\\.)*'?|//[^\n]*""")


@dataclass(frozen=True)
class Choice:
    """A word and what it is: table, column, function, aggregate, plugin, operator, keyword, chart. `detail`: its type or parameters."""

    text: str
    kind: str
    detail: str = ""


def choices(before: str, workspace: Workspace) -> tuple[list[Choice], int]:
    """What may follow `before`, and how many characters of it are the word that is being written. Best first."""
    word = _word(before)
    head = before[: len(before) - len(word)]
    if _in_text(before):
        return [], 0
    found = [each for each in _candidates(head, workspace) if each.text.removeprefix("['").lower().startswith(word.lower())]
    return list({each.text: each for each in reversed(found)}.values())[::-1], len(word)


def _word(before: str) -> str:
    match = _WORD.search(before)
    return match[0] if match else ""


def _in_text(before: str) -> bool:
    """Whether the place is inside a string or a comment."""
    last = next(iter([*_STRINGS.finditer(before)][::-1]), None)
    if last is None or last.end() < len(before):
        return False
    text = last[0].lstrip("@")
    return text.startswith("//") or len(text) == 1 or text[-1] != text[0]


def _candidates(head: str, workspace: Workspace) -> Iterator[Choice]:
    plain = _STRINGS.sub(lambda match: " " * len(match[0]), head)
    pipe = plain[_inner_start(plain) :]
    step = pipe.rpartition("|")[2].strip() if "|" in pipe else None
    if "|" in pipe and step == "":
        yield from (Choice(name, "operator") for name in OPERATORS)
        return
    if step is not None and re.fullmatch(r"render", step):
        yield from (Choice(name, "chart") for name in CHARTS)
        return
    if step is not None and re.search(r"\bkind\s*=$", step):
        yield from (Choice(name, "keyword") for name in _JOINS)
        return
    if step is not None and re.fullmatch(r"evaluate", step):
        yield from (Choice(name, "plugin", "(") for name in sorted(registry.names("plugin")))
        return
    if step is not None and not (re.match(r"(union|join|lookup)\b", step) and _TABLES_AFTER.search(pipe)):
        yield from _columns(head, plain, workspace)
        yield from _lets(plain)
        yield from _functions(step, workspace)
        return
    yield from _lets(plain)
    yield from _tables(workspace)
    yield from _saved(workspace)
    if not plain.strip():
        yield from (Choice(name, "keyword") for name in ("let", "print", "range", "union", "search", "datatable", "find"))


def _inner_start(plain: str) -> int:
    """Where the innermost pipeline begins: behind an open parenthesis that holds one, or the last semicolon."""
    depth, starts = 0, [0]
    for at, char in enumerate(plain):
        if char in "({":
            depth += 1
            starts.append(at + 1)
        elif char in ")}" and depth:
            depth -= 1
            starts.pop()
        elif char == ";":
            starts[-1] = at + 1
    # A call's parenthesis holds no pipeline: its text has no bar and begins no table.
    while len(starts) > 1 and "|" not in plain[starts[-1] :] and not _opens_pipeline(plain[: starts[-1] - 1]):
        starts.pop()
    let = _LET_TABLE.match(plain, starts[-1])
    return let.end() if let else starts[-1]


def _opens_pipeline(before: str) -> bool:
    return (
        re.search(r"(?:\b(?:join|union|lookup|in|materialize|toscalar|fork|partition|facet)\b[^|()]*|[(,={]|\bin~?|\))\s*$", before)
        is not None
    )


def _columns(head: str, plain: str, workspace: Workspace) -> Iterator[Choice]:
    """The columns of the rows that arrive at the step."""
    start = _inner_start(plain)
    end = plain.rfind("|", start)
    statements = plain[:start].rfind(";") + 1
    query = head[:statements] + "\n" + head[start:end]
    for name, kind in workspace.analyze(query).columns:
        yield Choice(name if _NAME.match(name) else f"['{name}']", "column", kind)


def _lets(plain: str) -> Iterator[Choice]:
    return (Choice(name, "let") for name in _LET.findall(plain))


def _tables(workspace: Workspace) -> Iterator[Choice]:
    """Those with rows first."""
    at_hand = sorted(workspace.tables())
    yield from (Choice(name, "table", "rows") for name in at_hand)
    yield from (Choice(name, "table") for name in workspace.catalog.names() if name not in at_hand)


def _saved(workspace: Workspace) -> Iterator[Choice]:
    for function in workspace.functions():
        yield Choice(
            f"{function.name}()" if function.parameters or "(" in function.name else function.name, "function", function.parameters
        )


def _functions(step: str, workspace: Workspace) -> Iterator[Choice]:
    aggregates = re.match(r"(summarize|make-series|top-nested|mv-apply)\b", step) is not None
    if aggregates:
        yield from _called("aggregate")
        yield from (Choice(name, "keyword") for name in ("by", "on", "from", "to", "step"))
    yield from _called("function")
    if not aggregates:
        yield from (
            Choice(name, "keyword") for name in ("and", "or", "not", "in", "has", "contains", "startswith", "between", "asc", "desc", "by")
        )


def _called(kind: str) -> Iterable[Choice]:
    return (Choice(f"{name}(", kind) for name in sorted(registry.names(kind)))
