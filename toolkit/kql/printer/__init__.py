"""Syntax tree -> KQL text in one canonical layout: parse(print_query(tree)).query == tree.

Comments are no part of the tree and are not printed.
"""

from __future__ import annotations

from toolkit.kql.printer import expressions, operators, statements
from toolkit.kql.printer.expressions import Printer
from toolkit.kql.printer.layout import render
from toolkit.kql.syntax import Node, Query

__all__ = ["print_node", "print_query"]

_RULES = {**expressions.RULES, **operators.RULES, **statements.RULES}


def print_query(query: Query) -> str:
    """A whole query: one statement after the other, one operator per line."""
    return print_node(query)


def print_node(node: Node) -> str:
    """Any part of a tree, as it stands in the text of a whole query."""
    return render(Printer(_RULES).doc(node))
