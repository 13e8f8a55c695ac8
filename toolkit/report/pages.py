"""Results as HTML for notebooks and reports: paged tables with types, charts with their notes, errors as code frames.

There is no script and nothing from elsewhere: pages are turned by radio buttons and a style sheet. All text is escaped, and
characters that steer a terminal or the direction of text are replaced.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolkit.report.charts.theme import FONT, variables
from toolkit.report.text import visible

if TYPE_CHECKING:
    from toolkit.engine.result import Result
    from toolkit.report.charts import Chart

PAGE_ROWS = 25
MOST_ROWS = 500
_CELL = 240
_HINT = 1_000
_NUMERIC = frozenset({"int", "long", "real", "decimal", "timespan"})
_CODE = frozenset({"dynamic", "guid"})

_STYLE = (
    f".tk-out{{font:13px/1.45 {FONT};color:var(--tk-ink);max-width:100%;margin:4px 0 10px}}"
    ".tk-out .tk-scroll{display:inline-block;vertical-align:top;max-width:100%;overflow:auto;max-height:560px;"
    "border:1px solid var(--tk-grid);border-radius:6px;background:var(--tk-bg)}"
    ".tk-out table.tk-table{border-collapse:separate;border-spacing:0;margin:0;font-size:12.5px;color:var(--tk-ink);border:0}"
    ".tk-out .tk-table th{position:sticky;top:0;background:var(--tk-soft);text-align:left;padding:6px 12px;font-weight:600;"
    "border:0;border-bottom:1px solid var(--tk-axis);white-space:nowrap;vertical-align:bottom}"
    ".tk-out .tk-table th small{display:block;font-weight:400;color:var(--tk-muted);font-size:10.5px}"
    ".tk-out .tk-table td{padding:4px 12px;border:0;border-bottom:1px solid var(--tk-grid);text-align:left;vertical-align:top;"
    "max-width:520px;overflow-wrap:break-word;background:var(--tk-bg)}"
    ".tk-out .tk-table tr:hover td{background:var(--tk-soft)}"
    ".tk-out .tk-table .tk-n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    ".tk-out .tk-table .tk-t{white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".tk-out .tk-table .tk-c{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:11.5px}"
    ".tk-out .tk-foot{color:var(--tk-muted);font-size:12px;margin:5px 2px 0}"
    ".tk-out .tk-note{color:var(--tk-muted);font-size:12px;margin:4px 2px;padding-left:8px;border-left:3px solid var(--tk-axis)}"
    ".tk-out .tk-name{font-weight:600;margin:8px 2px 4px}"
    ".tk-out .tk-pager input{position:absolute;opacity:0;width:1px;height:1px}"
    ".tk-out .tk-pager .tk-bar label{display:inline-block;min-width:16px;text-align:center;padding:1px 6px;margin:5px 3px 0 0;"
    "border:1px solid var(--tk-grid);border-radius:4px;cursor:pointer;font-size:12px;color:var(--tk-muted);background:var(--tk-bg)}"
    ".tk-out details{margin-top:4px}.tk-out summary{cursor:pointer;color:var(--tk-muted);font-size:12px}"
    ".tk-out pre.tk-error{background:var(--tk-bg);color:var(--tk-ink);border:1px solid var(--tk-grid);border-left:4px solid var(--tk-mark);"
    "border-radius:6px;padding:10px 14px;margin:4px 0;overflow:auto;font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}"
    ".tk-out .tk-error b{color:var(--tk-mark);font-weight:600}"
)


def result_html(result: Result, *, rows: int = MOST_ROWS) -> str:
    """A result as its query asks for it: a chart with the data behind it, or a table with a note why it is no chart."""
    from toolkit.report.charts import Chart, NotDrawn, chart_of

    drawn = chart_of(result)
    if isinstance(drawn, NotDrawn):
        parts = [f'<div class="tk-name">{_text(drawn.title)}</div>'] if drawn.title else []
        parts += [_note(drawn.reason)] if drawn.reason else []
        parts.append(_table(result, rows))
    else:
        assert isinstance(drawn, Chart)
        count = f"{len(result):,} row{'' if len(result) == 1 else 's'}"
        parts = [drawn.svg, *map(_note, drawn.notes), f"<details><summary>Data: {count}</summary>{_table(result, rows)}</details>"]
    for other in result.others:
        parts.append(f'<div class="tk-name">{_text(other.name)}</div>' if other.name else "<br>")
        parts.append(_table(other, rows))
    return page("".join(parts))


def chart_html(chart: Chart) -> str:
    return page(chart.svg + "".join(map(_note, chart.notes)))


def error_html(text: str) -> str:
    """An error's text with its code frames; the first words of each finding stand out."""
    lines = []
    for line in visible(text).split("\n"):
        escaped = html.escape(line)
        head, mark, rest = escaped.partition(" error: ")
        lines.append(f"{head} <b>error:</b> {rest}" if mark and not line.startswith(" ") else escaped)
    return page(f'<pre class="tk-error">{"<br>".join(lines)}</pre>')


def page(body: str) -> str:
    """Markup with the style sheet that it needs, and nothing that it does to the rest of the page."""
    return f'<div class="tk tk-out"><style>{variables()}{_STYLE}</style>{body}</div>'


def note_html(text: str) -> str:
    return page(_note(text))


def _note(text: str) -> str:
    """The first line; further ones unfold."""
    first, _, more = text.partition("\n")
    lines = more.count("\n") + 1
    label = f"{lines} remark{'' if lines == 1 else 's'}"
    rest = f"<details><summary>{label}</summary>{_text(more).replace(chr(10), '<br>')}</details>" if more else ""
    return f'<div class="tk-note">{_text(first)}{rest}</div>'


def _text(text: str) -> str:
    return html.escape(visible(text), quote=True)


# --- tables -----------------------------------------------------------------------------------------------------------


def _table(result: Result, most: int) -> str:
    shown = min(len(result), most)
    texts = _cells(result, shown)
    head = "".join(
        f'<th scope="col" class="{_class(kind)}">{_text(name)}<small>{_text(kind)}</small></th>' for name, kind in result.columns
    )
    kinds = [_class(kind) for _, kind in result.columns]
    pages = [texts[start : start + PAGE_ROWS] for start in range(0, shown, PAGE_ROWS)] or [[]]
    tables = [_page_table(head, kinds, rows) for rows in pages]
    foot = f"{len(result):,} row{'' if len(result) == 1 else 's'}"
    if shown < len(result):
        foot += f"; the first {shown:,} are shown, to_pandas() has all"
    foot = f'<div class="tk-foot">{foot}</div>'
    if not result.columns:
        return foot
    return (_pager(tables, texts) if len(tables) > 1 else tables[0]) + foot


def _page_table(head: str, kinds: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    body = "".join("<tr>" + "".join(_cell(text, kind) for text, kind in zip(row, kinds, strict=True)) + "</tr>" for row in rows)
    return f'<div class="tk-scroll"><table class="tk-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(text: str, kind: str) -> str:
    if len(text) <= _CELL:
        return f'<td class="{kind}">{_text(text)}</td>'
    return f'<td class="{kind}" title="{_text(text[:_HINT])}">{_text(text[: _CELL - 1])}\N{HORIZONTAL ELLIPSIS}</td>'


def _pager(tables: Sequence[str], texts: Sequence[Sequence[str]]) -> str:
    """Pages behind each other; the button that is chosen shows one. Its arrow keys turn them."""
    mark = "tk" + hashlib.sha256(json.dumps(texts[:50]).encode()).hexdigest()[:10] + f"n{len(texts)}"
    numbers = range(len(tables))
    rules = "".join(
        f"#{mark}-{n}:checked~.{mark}-p{n}{{display:block}}"
        f"#{mark}-{n}:checked~.tk-bar label[for={mark}-{n}]{{color:var(--tk-ink);border-color:var(--tk-muted);font-weight:600}}"
        f"#{mark}-{n}:focus-visible~.tk-bar label[for={mark}-{n}]{{outline:2px solid var(--tk-s0)}}"
        for n in numbers
    )
    style = f"<style>.{mark}-p{{display:none}}{rules}</style>"
    inputs = "".join(
        f'<input type="radio" name="{mark}" id="{mark}-{n}" aria-label="page {n + 1}"{" checked" if n == 0 else ""}>' for n in numbers
    )
    pages = "".join(f'<div class="{mark}-p {mark}-p{n}">{table}</div>' for n, table in zip(numbers, tables, strict=True))
    labels = "".join(f'<label for="{mark}-{n}">{n + 1}</label>' for n in numbers)
    return f'<div class="tk-pager">{style}{inputs}{pages}<div class="tk-bar">{labels}</div></div>'


def _class(kind: str) -> str:
    if kind in _NUMERIC:
        return "tk-n"
    return "tk-t" if kind == "datetime" else "tk-c" if kind in _CODE else "tk-s"


def _cells(result: Result, rows: int) -> list[list[str]]:
    """The first rows as texts: times with as many digits as they need, dynamics as JSON, null as nothing."""
    from toolkit.engine.values import to_json
    from toolkit.kql.types import ScalarType

    columns = []
    for index, (_, kind) in enumerate(result.columns):
        values = to_json(ScalarType(kind), result.values(index)[:rows])
        columns.append([_shown(value, kind) for value in values])
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(rows)]


def _shown(value: Any, kind: str) -> str:
    if value is None:
        return ""
    if kind == "datetime" and isinstance(value, str):
        head, _, fraction = value.rstrip("Z").partition(".")
        fraction = fraction.rstrip("0")
        return head.replace("T", " ") + (f".{fraction}" if fraction else "") + "Z"
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
