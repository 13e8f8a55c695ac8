"""Expressions as documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from toolkit.kql import syntax
from toolkit.kql.printer import names
from toolkit.kql.printer.layout import HARD, LINE, SOFT, Doc, Group, Nest, join

_LOGICAL = frozenset({"and", "or"})


class Printer:
    """Turns nodes into documents. `rules` say how, by the type of the node."""

    def __init__(self, rules: dict[type[syntax.Node], Callable[[Printer, Any], Doc]]) -> None:
        self.rules = rules
        self.avoid: frozenset[str] = frozenset()

    def doc(self, node: syntax.Node) -> Doc:
        return self.rules[type(node)](self, node)

    def docs(self, nodes: Sequence[syntax.Node]) -> list[Doc]:
        return [self.doc(node) for node in nodes]

    def clause_items(self, nodes: Sequence[syntax.Node], *words: str) -> Doc:
        """A list that the words of the next clause would end: names that are such a word are put in brackets."""
        before, self.avoid = self.avoid, frozenset(words)
        found = comma_list(self.docs(nodes))
        self.avoid = before
        return found

    def options(self, parameters: Sequence[syntax.Parameter]) -> Doc:
        """`name=value ` for each, with the blank behind."""
        return tuple((self.doc(parameter), " ") for parameter in parameters)

    def word(self, word: str, parameters: Sequence[syntax.Parameter] = ()) -> Doc:
        """An operator's word and its options, with a blank behind: something always follows."""
        return (word, " ", self.options(parameters))


def comma_list(parts: list[Doc]) -> Doc:
    return join((",", LINE), parts)


def listed(word: Doc, parts: list[Doc]) -> Doc:
    """`word a, b, c` on one line, or one element per line below the word."""
    if not parts:
        return word
    return Group((word, Nest((LINE, comma_list(parts)))))


def bracketed(opening: str, inner: Doc, closing: str) -> Doc:
    return Group((opening, Nest((SOFT, inner)), SOFT, closing))


# --- names and literals


def _name(p: Printer, node: syntax.Name) -> Doc:
    return names.bare(node.text)


def _wildcard(p: Printer, node: syntax.Wildcard) -> Doc:
    return node.pattern


def _missing(p: Printer, node: syntax.Missing) -> Doc:
    return ""


def _input(p: Printer, node: syntax.Input) -> Doc:
    return ""


def _literal(p: Printer, node: syntax.Literal) -> Doc:
    return node.text


def _name_ref(p: Printer, node: syntax.NameRef) -> Doc:
    return names.reference(node.name, p.avoid)


def _star(p: Printer, node: syntax.Star) -> Doc:
    return "*"


# --- operations


def _paren(p: Printer, node: syntax.Paren) -> Doc:
    return bracketed("(", p.doc(node.inner), ")")


def _path(p: Printer, node: syntax.Path) -> Doc:
    """`a.b.c` from the left, without recursion per member."""
    tail: list[Doc] = []
    base: syntax.Node = node
    while isinstance(base, (syntax.Path, syntax.Index)):
        if isinstance(base, syntax.Index):
            tail.append(("[", p.doc(base.index), "]"))
        elif isinstance(base.member, syntax.Name):
            tail.append((".", names.member(base.member.text)))
        else:
            tail.append((".", p.doc(base.member)))
        base = base.base
    return (p.doc(base), *reversed(tail))


def _unary(p: Printer, node: syntax.Unary) -> Doc:
    return (node.operator, p.doc(node.operand))


def _binary(p: Printer, node: syntax.Binary) -> Doc:
    """A chain from its leftmost operand, without recursion per operand."""
    tail: list[Doc] = []
    left: syntax.Node = node
    breaks = node.operator in _LOGICAL
    while isinstance(left, syntax.Binary) and (left.operator in _LOGICAL) == breaks:
        if left.operator == ":":
            tail.append((":", p.doc(left.right)))
        else:
            tail.append((LINE if breaks else " ", f"{left.operator} ", p.doc(left.right)))
        left = left.left
    first = p.doc(left)
    return Group((first, Nest(tuple(reversed(tail))))) if breaks else (first, *reversed(tail))


def _between(p: Printer, node: syntax.Between) -> Doc:
    word = "!between" if node.negated else "between"
    return (p.doc(node.value), f" {word} (", p.doc(node.low), " .. ", p.doc(node.high), ")")


def _in(p: Printer, node: syntax.In) -> Doc:
    return (p.doc(node.value), f" {node.operator} ", bracketed("(", comma_list(p.docs(node.items)), ")"))


# --- calls


def _named_argument(p: Printer, node: syntax.NamedArgument) -> Doc:
    return (f"{names.declared(node.name.text)}=", p.doc(node.value))


def _call(p: Printer, node: syntax.Call) -> Doc:
    name = names.callee(node.name.text, p.avoid - {"bin"})
    return (name, bracketed("(", comma_list(p.docs(node.arguments)), ")")) if node.arguments else f"{name}()"


def _to_scalar(p: Printer, node: syntax.ToScalar) -> Doc:
    return _subquery_call(p, "toscalar", node.parameters, node.body)


def _to_table(p: Printer, node: syntax.ToTable) -> Doc:
    return _subquery_call(p, "totable", node.parameters, node.body)


def _subquery_call(p: Printer, word: str, parameters: Sequence[syntax.Parameter], body: syntax.Node) -> Doc:
    head: Doc = (word, " ", p.options(parameters)) if parameters else word
    return (head, bracketed("(", p.doc(body), ")"))


def _named(p: Printer, node: syntax.Named) -> Doc:
    if not node.names:
        return p.doc(node.value)
    written = [names.declared(name.text) for name in node.names]
    target = f"({', '.join(written)})" if node.tuple_form else written[0]
    return (f"{target} = ", p.doc(node.value))


# --- schemas and sources


def _column_decl(p: Printer, node: syntax.ColumnDecl) -> Doc:
    name = names.declared(node.name.text)
    return name if node.type is None else f"{name}: {node.type}"


def _schema(p: Printer, node: syntax.Schema) -> Doc:
    star: list[Doc] = ["*"] if node.open else []
    return bracketed("(", comma_list(star + p.docs(node.columns)), ")")


def _parameter(p: Printer, node: syntax.Parameter) -> Doc:
    return (f"{node.name}=", p.doc(node.value))


def _column_list(p: Printer, node: syntax.ColumnList) -> Doc:
    return ", ".join(names.declared(column.name) for column in node.columns)


def _data_table(p: Printer, node: syntax.DataTable) -> Doc:
    """One row per line."""
    width = max(1, len(node.schema.columns))
    rows = [join((", "), p.docs(node.values[at : at + width])) for at in range(0, len(node.values), width)]
    values: Doc = Group(("[", Nest((SOFT, join((",", LINE), rows))), SOFT, "]"))
    return ("datatable", p.doc(node.schema), " ", values)


def _external_data(p: Printer, node: syntax.ExternalData) -> Doc:
    head: Doc = ("externaldata ", p.options(node.parameters), p.doc(node.schema), " ")
    uris = bracketed("[", comma_list(p.docs(node.uris)), "]")
    return (head, uris, property_clause(p, node.properties))


def property_clause(p: Printer, properties: Sequence[syntax.Parameter]) -> Doc:
    """` with (a=1, b=2)`, or nothing."""
    return (" with ", bracketed("(", comma_list(p.docs(properties)), ")")) if properties else ""


def _inline_table(p: Printer, node: syntax.InlineExternalTable) -> Doc:
    schema: Doc = (p.doc(node.schema), " ") if node.schema is not None else ""
    return ("inline_external_table ", schema, node.text)


def _contextual_table(p: Printer, node: syntax.ContextualDataTable) -> Doc:
    return ("__contextual_datatable ", p.doc(node.id), " ", p.doc(node.schema))


def _view_combine(p: Printer, node: syntax.MaterializedViewCombine) -> Doc:
    parts: list[Doc] = []
    for word, part in (("base", node.base), ("delta", node.delta), ("aggregations", node.aggregations)):
        parts.append((LINE, f"{word} ", bracketed("(", p.doc(part), ")")))
    return Group(("materialized-view-combine (", p.doc(node.name), ")", Nest(tuple(parts))))


def _entity_group(p: Printer, node: syntax.EntityGroup) -> Doc:
    return ("entity_group ", bracketed("[", comma_list(p.docs(node.entities)), "]"))


# --- pipelines


def pipeline(p: Printer, node: syntax.Pipeline, *, broken: bool = False) -> Doc:
    """One operator per line; with at most one operator it may stay on one line, unless `broken`."""
    avoid, p.avoid = p.avoid, frozenset()
    subquery = isinstance(node.source, syntax.Input)
    parts: list[Doc] = [] if subquery else [p.doc(node.source)]
    parts.extend(p.docs(node.operators))
    p.avoid = avoid
    short = not broken and len(node.operators) <= (2 if subquery else 1)
    body: Doc = join((LINE if short else HARD, "| "), parts)
    if not node.parenthesised:
        return Group(body) if short else body
    return bracketed("(", body, ")")


def _pipeline(p: Printer, node: syntax.Pipeline) -> Doc:
    return pipeline(p, node)


RULES: dict[type[syntax.Node], Callable[[Printer, Any], Doc]] = {
    syntax.Name: _name,
    syntax.Wildcard: _wildcard,
    syntax.Missing: _missing,
    syntax.Input: _input,
    syntax.Literal: _literal,
    syntax.NameRef: _name_ref,
    syntax.Star: _star,
    syntax.Paren: _paren,
    syntax.Path: _path,
    syntax.Index: _path,
    syntax.Unary: _unary,
    syntax.Binary: _binary,
    syntax.Between: _between,
    syntax.In: _in,
    syntax.NamedArgument: _named_argument,
    syntax.Call: _call,
    syntax.ToScalar: _to_scalar,
    syntax.ToTable: _to_table,
    syntax.Named: _named,
    syntax.ColumnDecl: _column_decl,
    syntax.Schema: _schema,
    syntax.Parameter: _parameter,
    syntax.ColumnList: _column_list,
    syntax.DataTable: _data_table,
    syntax.ExternalData: _external_data,
    syntax.InlineExternalTable: _inline_table,
    syntax.ContextualDataTable: _contextual_table,
    syntax.MaterializedViewCombine: _view_combine,
    syntax.EntityGroup: _entity_group,
    syntax.Pipeline: _pipeline,
}
