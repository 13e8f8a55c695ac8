"""What sequence_detect and the funnel plugins are composed of (R-315, R-317)."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.engine.errors import failing
from toolkit.engine.functions.forms import constant_integer, form, number, python_call, register_python, text
from toolkit.engine.functions.registry import REGISTRY, Lowering, constant
from toolkit.engine.sql import Lowered
from toolkit.engine.udf.funnels import fastest_steps
from toolkit.kql import plan

_FASTEST = register_python("fastest_steps", fastest_steps, ["BIGINT[]", "BIGINT[]", "BIGINT"], "BIGINT[]")


@REGISTRY.builder("undecided")
def _undecided(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """True; where the condition holds the query fails with the message, because the service's answer is not documented."""
    message = failing(str(constant(call.args[1], "the message")), call.span)
    return Lowered(form("(CASE WHEN {0} THEN error({1}) IS NULL ELSE TRUE END)", lowering.condition(call.args[0]), text(message)), False)


@REGISTRY.aggregate("fastest_steps")
def _fastest_steps(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """The least ticks from a first step to each of them, as a JSON array; null for a step that is never reached."""
    steps = python_call(
        lowering,
        _FASTEST,
        form("list({0})", args[0].sql),
        form("list({0})", args[1].sql),
        number(constant_integer(call.args[2], "the number of steps")),
    )
    return Lowered(form("CAST(to_json({0}) AS VARCHAR)", steps), False)
