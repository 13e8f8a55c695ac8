"""parse-kv (R-288), written out as one function that finds the texts and a conversion per key."""

from __future__ import annotations

import json

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Scope
from toolkit.kql.binder.expressions import access, bind_scalar, convert
from toolkit.kql.binder.operators.items import duplicate
from toolkit.kql.binder.pipeline import handles
from toolkit.kql.types import DECLARABLE, ScalarType

STRING, DYNAMIC = ScalarType.STRING, ScalarType.DYNAMIC


@handles(syntax.ParseKv)
def _parse_kv(b: Binder, operator: syntax.ParseKv, rel: plan.Rel, scope: Scope) -> plan.Rel:
    text = bind_scalar(b, operator.value, scope.with_rows(rel.columns))
    if text.type not in (STRING, DYNAMIC, ScalarType.UNKNOWN):
        b.report("string-expected", f"parse-kv expects a string, found {text.type}.", operator.value.span, alias="KS141")
    found = b.column("", DYNAMIC)
    made = [_column(b, declared) for declared in operator.schema.columns]
    names = [column.name for column in made]
    for name, declared in zip(names, operator.schema.columns, strict=True):
        if names.count(name) > 1 and names.index(name) == operator.schema.columns.index(declared):
            duplicate(b, name, declared)
    call = _call(b, operator, convert(text, STRING), names, scope)
    below = plan.Extend(rel, ((found, call),), rel.columns)
    items = tuple((column, _typed(found, position, column, operator)) for position, column in enumerate(made))
    replaced = {column.name: column for column in made}
    columns = [replaced.pop(column.name, column) for column in rel.columns]
    return plan.Extend(below, items, (*columns, *replaced.values()))


def _column(b: Binder, declared: syntax.ColumnDecl) -> plan.Column:
    return b.column(declared.name.text, DECLARABLE.get(declared.type or "string", STRING))


def _typed(found: plan.Column, position: int, column: plan.Column, operator: syntax.ParseKv) -> plan.Expr:
    text = plan.Call("tostring", (access(plan.Ref(found), position, operator.span),), STRING, operator.span)
    if column.type is DYNAMIC:
        return plan.Call("parse_json", (text,), DYNAMIC, operator.span)
    return convert(text, column.type)


def _call(b: Binder, operator: syntax.ParseKv, text: plan.Expr, keys: list[str], scope: Scope) -> plan.Expr:
    """An array with a text per key, null where the key is missing."""
    options: dict[str, list[object]] = {}
    for option in operator.properties:
        value = bind_scalar(b, option.value, scope.without_rows())
        if not isinstance(value, plan.Const) or value.value is None:
            b.report("constant-expected", f"'{option.name}' must be a constant.", option.value.span, alias="KS129")
            continue
        options.setdefault(option.name, []).append(value.value)
    _check(b, operator, options)
    layout = {
        "keys": keys,
        "pair": _one(options, "pair_delimiter"),
        "kv": _one(options, "kv_delimiter"),
        "quotes": options.get("quote", []),
        "escapes": options.get("escape", []),
        "greedy": options.get("greedy", [False])[-1],
    }
    written = plan.Const(json.dumps(layout, ensure_ascii=False), STRING, operator.span)
    pattern = _one(options, "regex")
    if not pattern:
        return plan.Call("parse_kv", (text, written), DYNAMIC, operator.span)
    pairs = plan.Call("extract_all", (plan.Const(pattern, STRING, operator.span), text), DYNAMIC, operator.span)
    return plan.Call("parse_kv_pairs", (pairs, written), DYNAMIC, operator.span)


def _one(options: dict[str, list[object]], name: str) -> str:
    return str(options.get(name, [""])[-1])


def _check(b: Binder, operator: syntax.ParseKv, options: dict[str, list[object]]) -> None:
    """Which options go together (R-288), and how long they are."""
    names = set(options)
    if "regex" in names and len(names) > 1:
        b.refuse("parse-kv with a regex takes no other option (R-288).", operator.span)
    if ("pair_delimiter" in names) != ("kv_delimiter" in names):
        b.refuse("parse-kv takes both delimiters or none (R-288).", operator.span)
    if "greedy" in names and "pair_delimiter" not in names:
        b.refuse("parse-kv takes greedy only with delimiters (R-288).", operator.span)
    for name, lengths in (("quote", (1, 2)), ("escape", (1,))):
        if any(len(str(value)) not in lengths for value in options.get(name, [])):
            b.refuse(f"'{name}' of parse-kv takes {' or '.join(map(str, lengths))} characters (R-288).", operator.span)
    if any(options.get(name) == [""] for name in ("pair_delimiter", "kv_delimiter", "regex")):
        b.refuse("An empty delimiter or regex of parse-kv is not documented.", operator.span)
