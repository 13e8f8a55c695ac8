"""What graph operators compute besides joins and walks (R-319 to R-323)."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.engine.errors import failing
from toolkit.engine.functions import forms
from toolkit.engine.functions.registry import REGISTRY, Lowering
from toolkit.engine.sql import Form, Literal, Lowered
from toolkit.engine.udf import graphs
from toolkit.kql import plan

_TWO_TABLES = "a node is in both tables of nodes: which of its rows the service keeps differs from run to run"

# The lists that a walk leaves behind: the numbers of its edges, or the places of its nodes.
REGISTRY.template("trail_has", "list_contains({0}, {1})", total=True)
REGISTRY.template("trails_meet", "list_has_any({0}, {1})", total=True)


@REGISTRY.builder("one_node_table")
def _one_node_table(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """Documented as merged, measured as the row of either table: an id in both has no certain answer (R-319)."""
    message = Literal(failing(_TWO_TABLES, call.span), "VARCHAR")
    template = "(CASE WHEN {0} = {1} THEN TRUE ELSE CAST(error({2}) AS BOOLEAN) END)"
    return Lowered(Form(template, (args[0].sql, args[1].sql, message)), False)


_COMPONENTS = forms.register_python(
    "graph_components", graphs.components, ["BIGINT[]", "BIGINT[]", "BIGINT[]", "BOOLEAN"], "VARCHAR", strict=False
)

REGISTRY.template("place_array", "coalesce(CAST(to_json({0}) AS VARCHAR), '[]')", total=True)


@REGISTRY.aggregate("place_list")
def _place_list(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(Form("list({0} ORDER BY {1})", (args[0].sql, args[1].sql)), True)


@REGISTRY.builder("graph_components")
def _components(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(forms.python_call(lowering, _COMPONENTS, *(arg.sql for arg in args)), False)
