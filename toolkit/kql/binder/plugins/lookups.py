"""ipv4_lookup and ipv6_lookup (R-313): every row of the lookup table whose network holds the source's address.

A network is a number of leading bits. An address is looked up once per length that the networks have: its leading bits
of that length are joined with the networks, so that the work grows with the addresses, not with addresses times networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.kql import plan
from toolkit.kql.binder import typing as rules
from toolkit.kql.binder.compose import Common, call, grouped, joined, where, with_items
from toolkit.kql.binder.context import Binder, const
from toolkit.kql.binder.expressions import convert
from toolkit.kql.binder.names import suffixed
from toolkit.kql.binder.plugins.evaluate import PluginCall, plugin, refused
from toolkit.kql.types import ScalarType

Pair = tuple[plan.Column, plan.Column]
BOOL, LONG, STRING, UNKNOWN = ScalarType.BOOL, ScalarType.LONG, ScalarType.STRING, ScalarType.UNKNOWN


@dataclass(frozen=True)
class _Family:
    """`bits`: the type of an address's leading bits; the engine has functions `<name>_bits`, `_bits_length` and `_bits_first`."""

    name: str
    bits: ScalarType
    source: str
    network: str

    def call(self, function: str, *args: plan.Column) -> plan.Call:
        return call(f"{self.name}_{function}", LONG if function == "bits_length" else self.bits, *args)


_FAMILIES = {
    "ipv4_lookup": _Family("ipv4", LONG, "SourceIPv4Key", "IPv4LookupKey"),
    "ipv6_lookup": _Family("ipv6", STRING, "SourceIPv6Key", "IPv6LookupKey"),
}


@plugin(*_FAMILIES)
def _lookup(b: Binder, plugin_call: PluginCall) -> plan.Rel:
    """The source's columns, then the table's without the extra keys; the documentation prints them the other way round for ipv6_lookup."""
    family, source, table = _FAMILIES[plugin_call.name], plugin_call.rel, plugin_call.tables["LookupTable"]
    extra = _extra_keys(b, plugin_call)
    taken = {column.name for column in source.columns}
    kept: list[plan.Column] = []
    for column in table.columns:
        if column.id not in {other.id for _, other in extra}:
            kept.append(plan.Column(column.id, suffixed(column.name, taken), column.type))
            taken.add(kept[-1].name)
    columns = (*kept, *source.columns) if family.name == "ipv6" else (*source.columns, *kept)
    unmatched = plugin_call.value("return_unmatched")
    if not isinstance(unmatched, (plan.Const, type(None))):
        return refused(b, plugin_call, columns, "return_unmatched must be a literal")
    keys = [*plugin_call.columns(family.source), *plugin_call.columns(family.network)]
    wrong = next((key for key in keys if key.type not in (STRING, UNKNOWN)), None)
    if wrong is not None:
        return refused(b, plugin_call, columns, f"its keys are texts, and '{wrong.name}' is {wrong.type}")
    return _matched(b, plugin_call, (keys[0], keys[1]), extra, "leftouter" if unmatched and unmatched.value else "inner", columns)


def _extra_keys(b: Binder, plugin_call: PluginCall) -> list[tuple[plan.Column, plan.Column]]:
    """Pairs of columns of the same name; the arguments are bound to the lookup table's."""
    source = {column.name: column for column in plugin_call.rel.columns}
    found = []
    for other in plugin_call.columns("ExtraKey"):
        mine = source.get(other.name)
        if mine is None:
            b.unknown_name(other.name, plugin_call.span, source, "column of the source", "KS142")
        elif ScalarType.DYNAMIC in (mine.type, other.type) or not rules.joinable(mine.type, other.type):
            b.refuse(f"The extra key '{other.name}' is {mine.type} in the source and {other.type} in the lookup table.", plugin_call.span)
        else:
            found.append((mine, other))
    return found


def _matched(b: Binder, plugin_call: PluginCall, keys: Pair, extra: Sequence[Pair], kind: str, columns: Sequence[plan.Column]) -> plan.Rel:
    family, network = _FAMILIES[plugin_call.name], b.column("bits", _FAMILIES[plugin_call.name].bits)
    rows = Common(b, "addresses", plugin_call.rel)
    networks = Common(b, "networks", with_items(plugin_call.tables["LookupTable"], (network, family.call("bits", keys[1]))))
    source, mine = rows.again()
    # the bits of each different text once
    text, address = b.column("text", keys[0].type), b.column("address", family.bits)
    texts = with_items(grouped(source, [(text, plan.Ref(mine[keys[0].id]))]), (address, family.call("bits", text)))
    found, theirs = _networks_of(b, family, (texts, address), (networks, network))
    source, mine = rows.again()
    on = [(plan.Ref(mine[keys[0].id]), plan.Ref(text)), *(_key(mine[one.id], theirs[other.id]) for one, other in extra)]
    result = joined(kind, source, found, *on)
    now = {**mine, **theirs}
    return plan.Narrow(result, tuple(plan.Column(now[column.id].id, column.name, column.type) for column in columns))


def _key(left: plan.Column, right: plan.Column) -> tuple[plan.Expr, plan.Expr]:
    if left.type is not right.type and left.type.is_integer and right.type.is_integer:
        return convert(plan.Ref(left), LONG), convert(plan.Ref(right), LONG)
    return plan.Ref(left), plan.Ref(right)


def _networks_of(
    b: Binder, family: _Family, addresses: tuple[plan.Rel, plan.Column], networks: tuple[Common, plan.Column]
) -> tuple[plan.Rel, dict[int, plan.Column]]:
    """The addresses with each network that holds them, and the columns of the lookup table in it."""
    distinct, address = addresses
    length, first = b.column("length", LONG), b.column("first", family.bits)
    rows, other = networks[0].again()
    lengths = grouped(rows, [(length, family.call("bits_length", other[networks[1].id]))])
    lengths = where(lengths, call(">=", BOOL, length, const(0, LONG)))
    tried = where(joined("inner", distinct, lengths), call("<=", BOOL, length, family.call("bits_length", address)))
    tried = with_items(tried, (first, family.call("bits_first", address, length)))
    table, theirs = networks[0].again()
    return joined("inner", tried, table, (plan.Ref(first), plan.Ref(theirs[networks[1].id]))), theirs
