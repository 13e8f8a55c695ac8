"""Values beside values of another type: a string and a whole number, a string and the members of a table of dynamics.

The number's text decides (R-035, R-120). The service may just as well read the text as a number: both give the same
unless the text is another spelling of that number ("00", "1.0"). Then the query fails instead of guessing.
"""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.engine.errors import failing
from toolkit.engine.functions.registry import REGISTRY, Lowering
from toolkit.engine.sql import Form, Literal, Lowered
from toolkit.kql import plan

_OTHER_SPELLING = "TRY_CAST({0} AS DOUBLE) = {2} AND TRY_CAST({0} AS HUGEINT) = {2}"


@REGISTRY.builder("equals_number", "differs_from_number")
def _compare(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    number = call.args[1]
    assert isinstance(number, plan.Const)
    message = (
        f"A text that spells the number {number.value} in another way is compared with it; tolong(...) or a text literal settles it (R-036)"
    )
    hit, miss = ("TRUE", "FALSE") if call.name == "equals_number" else ("FALSE", "TRUE")
    template = f"CASE WHEN {{0}} = {{1}} THEN {hit} WHEN {_OTHER_SPELLING} THEN error({{3}}) ELSE {miss} END"
    texts = (Literal(str(number.value), "VARCHAR"), Literal(number.value, "BIGINT"), Literal(failing(message, call.span), "VARCHAR"))
    return Lowered(Form(template, (args[0].sql, *texts)), False)


@REGISTRY.builder("member_text")
def _member_text(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """The text of a value that is a text; the caller leaves out null and empty arrays."""
    message = (
        "A table with arrays, bags or numbers is compared with texts, which is not documented: toscalar(...) makes one list of an array"
    )
    template = (
        "CASE WHEN {0} IS NULL OR {0} IN ('[]', 'null') THEN '' WHEN json_type({0}) = 'VARCHAR' THEN json_extract_string({0}, '$') "
        "ELSE error({1}) END"
    )
    return Lowered(Form(template, (args[0].sql, Literal(failing(message, call.span), "VARCHAR"))), False)


@REGISTRY.builder("few_partitions")
def _few_partitions(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """R-275: fails beyond the number of keys that the legacy strategy takes."""
    message = "'partition' with the legacy strategy takes at most 64 keys; hint.strategy=native or shuffle takes more"
    template = "CASE WHEN {0} <= 64 THEN TRUE ELSE error({1}) END"
    return Lowered(Form(template, (args[0].sql, Literal(failing(message, call.span), "VARCHAR"))), False)
