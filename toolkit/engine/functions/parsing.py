"""Functions that parse texts: URLs, paths, records, command lines, XML, JSON by path, versions (R-136, R-157 to R-163).

parse_user_agent has no row: its answers come from a database that is not here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from toolkit.engine.errors import failing
from toolkit.engine.functions import forms
from toolkit.engine.functions.conversion import CONVERTERS, dynamic_text
from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.functions.strings import strict_text
from toolkit.engine.sql import Form, Lowered, Sql
from toolkit.engine.udf import key_values
from toolkit.engine.udf import parsing as udf
from toolkit.kql import plan
from toolkit.kql.types import ScalarType


def _parser(name: str, function: Callable[[str], str | None]) -> None:
    sql_name = forms.register_python(name, function, ["VARCHAR"], "VARCHAR")

    def build(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
        return Lowered(forms.python_call(lowering, sql_name, strict_text(call, args, 0)), True)

    REGISTRY.builder(name)(build)


REGISTRY.udf("parse_kv", key_values.parse_kv, [ScalarType.STRING, ScalarType.STRING], ScalarType.DYNAMIC)
REGISTRY.udf("parse_kv_pairs", key_values.pick_pairs, [ScalarType.DYNAMIC, ScalarType.STRING], ScalarType.DYNAMIC)
_parser("parse_url", udf.parse_url)
_parser("parse_urlquery", udf.parse_urlquery)
_parser("parse_path", udf.parse_path)
_parser("parse_csv", udf.parse_csv)
_parser("parse_xml", udf.parse_xml)
_VERSION = forms.register_python("parse_version", udf.parse_version, ["VARCHAR"], "VARCHAR")
_COMMAND_LINE = forms.register_python("parse_command_line", udf.parse_command_line, ["VARCHAR"], "VARCHAR")


@REGISTRY.builder("parse_command_line")
def _parse_command_line(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    kind = forms.constant_text(call.args[1], "the parser of parse_command_line()")
    if kind != "windows":
        raise Refusal(f"parse_command_line() knows the parser 'windows' only, found {kind!r}", call.args[1].span)
    return Lowered(forms.python_call(lowering, _COMMAND_LINE, strict_text(call, args, 0)), True)


@REGISTRY.builder("extract_json")
def _extract_json(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """The value at a path as text, converted when a type is given; '' or null for what is missing or is no JSON."""
    path = forms.constant_text(call.args[0], "the path of extract_json()")
    steps = udf.json_path_steps(path)
    source = args[1].sql if call.args[1].type is ScalarType.DYNAMIC else strict_text(call, args, 1)
    value: Sql = Form("(CASE WHEN json_valid({0}) THEN TRY_CAST({0} AS JSON) END)", (source,))
    if steps is None:
        message = failing(f"what the service reads at the JSON path {path!r} is not documented", call.args[0].span)
        value = Form("(CASE WHEN json_valid({0}) THEN CAST(error({1}) AS JSON) END)", (source, forms.text(message)))
    elif steps:
        value = Form("json_extract({0}, {1})", (value, forms.text(duckdb_path(steps))))
    dynamic: Sql = Form("nullif(CAST({0} AS VARCHAR), 'null')", (value,))
    if len(args) < 3 or call.type is ScalarType.STRING:
        return Lowered(Form("coalesce({0}, '')", (dynamic_text(dynamic),)), False)
    if call.type is ScalarType.DYNAMIC:
        return Lowered(dynamic, True)
    return Lowered(CONVERTERS[call.type](ScalarType.DYNAMIC, dynamic, lowering), True)


def duckdb_path(steps: Sequence[str | int]) -> str:
    """DuckDB's JSON path of member names and indices; a negative index counts from the end."""
    return "$" + "".join(_member(step) if isinstance(step, str) else f"[{step}]" if step >= 0 else f"[#{step}]" for step in steps)


def _member(name: str) -> str:
    if '"' in name:
        raise Refusal(f"a member name with a quotation mark ({name!r}) is not supported in a path")
    return f'."{name}"'


@REGISTRY.builder("parse_version")
def _parse_version(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-163. Up to 32 digits: a decimal without a fraction, beside the engine's usual ones."""
    number = forms.python_call(lowering, _VERSION, strict_text(call, args, 0))
    return Lowered(forms.form("CAST({0} AS DECIMAL(38,0))", number), True)
