"""What unnamed results are called (R-196..R-208): the name an expression carries, and how clashes are settled.

Where Microsoft's analyzer and the service differ, the names are the service's (R-345).
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

from toolkit.kql import syntax
from toolkit.kql.binder.context import FunctionBinding, ScalarBinding, Scope, TableBinding
from toolkit.kql.functions.registry import Function, find_aggregate, find_function

_PERCENTILES = frozenset({"percentile", "percentilew", "percentiles_array", "percentilesw_array"})


def carried_name(expr: syntax.Node, scope: Scope) -> str | None:
    """The name that an unnamed expression carries, None when it carries none and is numbered."""
    match expr:
        case syntax.Paren(inner=inner):
            return carried_name(inner, scope)
        case syntax.NameRef(name=name):
            return _name_of_reference(name, scope)
        case syntax.Path(base=syntax.NameRef(name="$left" | "$right"), member=syntax.Name(text=text)):
            return text
        case syntax.Path(base=base, member=syntax.Name(text=text)):
            return _joined(carried_name(base, scope), text)
        case syntax.Index(base=base, index=index):
            return _indexed(base, index, scope)
        case syntax.Call():
            return _name_of_call(expr, scope)
        case syntax.NamedArgument(name=syntax.Name(text=text)):
            return text
        case _:
            return None


def _name_of_reference(name: str, scope: Scope) -> str | None:
    if scope.open or (scope.columns is not None and name in scope.columns):
        return name
    binding = scope.binding(name)
    if isinstance(binding, ScalarBinding):
        return name
    return None if isinstance(binding, (TableBinding, FunctionBinding)) else name


def is_column(expr: syntax.Node, scope: Scope) -> bool:
    """Whether an expression is a bare reference to a column of the current rows."""
    while isinstance(expr, syntax.Paren):
        expr = expr.inner
    return isinstance(expr, syntax.NameRef) and scope.columns is not None and (scope.open or expr.name in scope.columns)


def _joined(base: str | None, member: str) -> str:
    return f"{base}_{member}" if base else member


def _indexed(base: syntax.Node, index: syntax.Node, scope: Scope) -> str | None:
    negative = isinstance(index, syntax.Unary) and index.operator == "-"
    literal = index.operand if isinstance(index, syntax.Unary) else index
    if not isinstance(literal, syntax.Literal) or literal.value is None:
        return None
    return _joined(carried_name(base, scope), ("_" if negative else "") + str(literal.value))


def _name_of_call(call: syntax.Call, scope: Scope) -> str | None:
    if isinstance(scope.binding(call.name.text), FunctionBinding):
        return None
    function = find_aggregate(call.name.text) or find_function(call.name.text)
    return None if function is None else built_in_name(function, call, scope)


def built_in_name(function: Function, call: syntax.Call, scope: Scope) -> str | None:
    """The name of a built-in's result by its naming rule (R-196, R-199, R-200)."""
    first = call.arguments[0] if call.arguments else None
    if function.name == "take_any":
        return carried_name(first, scope) if first is not None else None
    if function.name in _PERCENTILES and len(call.arguments) > 1:
        return percentile_name(function.name, call, scope)
    match function.naming:
        case "FirstArgument":
            return carried_name(first, scope) if first is not None and _chains(first) else None
        case "OnlyArgument":
            return carried_name(first, scope) if first is not None and len(call.arguments) == 1 else None
        case "NameAndFirstArgument":
            return f"{function.name}_{_argument_name(first, scope)}"
        case "PrefixAndFirstArgument":
            return f"{function.prefix}_{_argument_name(first, scope)}"
        case "PrefixOnly":
            return function.prefix
        case "FirstArgumentValueIfColumn":
            value = first.value if isinstance(first, syntax.Literal) else None
            return str(value) if value and scope.columns is not None and value in scope.columns else None
        case _:
            return None


def percentile_name(name: str, call: syntax.Call, scope: Scope) -> str:
    """percentile(x, 99.9) is percentile_x_99_9; the array forms are percentiles_x."""
    base = carried_name(call.arguments[0], scope) or ""
    if name.endswith("_array"):
        return f"percentiles_{base}"
    value = call.arguments[-1]
    number = value.value if isinstance(value, syntax.Literal) else ""
    return f"percentile_{base}_{percent_text(number)}"


def percent_text(number: object) -> str:
    """A percentile as part of a name: 50, 99_9."""
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    return str(number).replace(".", "_")


def _argument_name(first: syntax.Node | None, scope: Scope) -> str:
    return (carried_name(first, scope) or "") if first is not None else ""


def _chains(argument: syntax.Node) -> bool:
    """Whether a name-keeping function passes the name of this argument on; anything else breaks the chain (R-199)."""
    while isinstance(argument, syntax.Paren):
        argument = argument.inner
    return isinstance(argument, (syntax.NameRef, syntax.Path, syntax.Index, syntax.Call, syntax.NamedArgument))


@dataclass
class Namer:
    """Gives out result names in one list of items.

    `taken`: names that exist already. `explicit`: names written in the list, which derived names step over.
    """

    explicit: frozenset[str] = frozenset()
    taken: set[str] = field(default_factory=set)
    skip: frozenset[str] = frozenset()
    _positional: int = 0

    def claim(self, name: str) -> str:
        """An explicit name; one that a generated name took before gets a number (R-201)."""
        return self._free(name)

    def derive(self, name: str) -> str:
        """A name derived from the expression: numbered from 1 on a clash, stepping over explicit names."""
        return self._free(name)

    def position(self) -> str:
        """The next ColumnN. In extend and summarize N steps over input columns (`skip`), in project a clash is numbered."""
        self._positional += 1
        while f"Column{self._positional}" in self.skip:
            self._positional += 1
        return self._free(f"Column{self._positional}")

    def _free(self, name: str) -> str:
        found = suffixed(name, self.taken, self.explicit)
        self.taken.add(found)
        return found


def suffixed(name: str, taken: Set[str], stepped_over: Set[str] = frozenset()) -> str:
    """The name itself, or the first of `k1`, `k2` ... that is free (R-222); numbered ones also keep off `stepped_over`."""
    candidate, number = name, 0
    while candidate in taken or (number and candidate in stepped_over):
        number += 1
        candidate = f"{name}{number}"
    return candidate
