"""The built-in functions, aggregates and plugins of KQL: names, signatures, result types, naming of result columns.

`signatures.tsv` holds one row per function, taken from Microsoft's public analyzer by `scripts/signatures.js`: facts
only. A row is parsed when its function is first asked for, which keeps start-up free of 537 rows nobody uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from toolkit.kql.types import ScalarType

# spellings with the very same meaning. Obsolete names that mean something else (makeset, any, weekofyear) keep theirs,
# and so does replace(regex, rewrite, source), whose arguments stand in another order than those of replace_regex.
ALIASES: Mapping[str, str] = {
    "array_iif": "array_iff",
    "array_strcat": "strcat_array",
    "arraylength": "array_length",
    "base64_decodestring": "base64_decode_tostring",
    "base64_encodestring": "base64_encode_tostring",
    "columnifexists": "column_ifexists",
    "datepart": "datetime_part",
    "extractall": "extract_all",
    "extractjson": "extract_json",
    "hash_xxhash64": "hash",
    "iif": "iff",
    "make_dictionary": "make_bag",
    "make_string": "unicode_codepoints_to_string",
    "merge_tdigest": "tdigest_merge",
    "monthofyear": "getmonth",
    "notempty": "isnotempty",
    "notnull": "isnotnull",
    "pack": "bag_pack",
    "pack_dictionary": "bag_pack",
    "parsejson": "parse_json",
    "parseurl": "parse_url",
    "parseurlquery": "parse_urlquery",
    "toboolean": "tobool",
    "todynamic": "parse_json",
    "toobject": "parse_json",
    "toreal": "todouble",
    "totime": "totimespan",
    "uniqueid": "toguid",
}

# Names measured on the engine where the analyzer names the result otherwise.
_POSITIONAL = frozenset({"pow", "exp10"})

# Parameters that the documentation gives another kind than the analyzer: seconds with a fraction.
_DOCUMENTED = {("make_timespan", "seconds"): "Number"}

_PARAMETER = re.compile(r"(?P<name>\w+)(?P<occurs>\?|\{\d+-\d+\})?:(?P<kinds>[\w/]*)(?:@(?P<argument>\w+))?(?:=(?P<values>.*))?$")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `kinds`: type names or a kind word (Number, Scalar ...); `argument`: how it must be written."""

    name: str
    kinds: tuple[str, ...]
    minimum: int = 1
    maximum: int = 1
    argument: str = "Expression"
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """One overload. `layout`: "" fixed, "R" last-but-optional parameters repeat, "B" block repeats, "C" its own rules."""

    parameters: tuple[Parameter, ...]
    returns: str
    layout: str = ""

    @property
    def minimum(self) -> int:
        return sum(parameter.minimum for parameter in self.parameters)

    @property
    def maximum(self) -> int:
        return sum(parameter.maximum for parameter in self.parameters)

    def accepts(self, count: int) -> bool:
        return self.minimum <= count <= self.maximum

    def parameter_for(self, index: int, count: int) -> Parameter | None:
        """The parameter that takes argument `index` of `count`."""
        spread = self._spread(count)
        return spread[index] if index < len(spread) else None

    def _spread(self, count: int) -> list[Parameter]:
        """One parameter per argument: repeatable parameters take what the others leave over."""
        repeatable = [parameter for parameter in self.parameters if parameter.maximum > 1]
        if not repeatable:
            return list(self.parameters[:count])
        spare = count - sum(parameter.minimum for parameter in self.parameters if parameter.maximum == 1)
        first = self.parameters.index(repeatable[0])
        last = self.parameters.index(repeatable[-1])
        block = list(self.parameters[first : last + 1])
        repeated = [block[position % len(block)] for position in range(max(0, spare))]
        return [*self.parameters[:first], *repeated, *self.parameters[last + 1 :]][:count]


@dataclass(frozen=True, slots=True)
class Function:
    """A built-in. `kind`: function, aggregate or plugin. `naming` and `prefix` say what an unnamed result is called."""

    kind: str
    name: str
    naming: str
    prefix: str
    obsolete: bool
    alternative: str
    signatures: tuple[Signature, ...]

    @property
    def is_tabular(self) -> bool:
        """Whether it yields rows, or a thing that has tables, rather than a value."""
        return self.signatures[0].returns.endswith(("Table", "Cluster", "Database", "EntityGroup", "Result", "Graph", "View"))

    @property
    def canonical(self) -> str:
        return ALIASES.get(self.name, self.name)

    @property
    def minimum(self) -> int:
        return min(signature.minimum for signature in self.signatures)

    @property
    def maximum(self) -> int:
        return max(signature.maximum for signature in self.signatures)


# Plugins that the documentation has and the analyzer does not know, in the form of signatures.tsv.
_UNLISTED = (
    (
        "plugin\tdiffpatterns_text\tDefault\t\t\t"
        "(TextColumn:string@Column, Condition:bool, MinTokens?:Integer, Threshold?:real, MaxTokens?:Integer)"
        ">(Count_of_True:long/Count_of_False:long/Percent_of_True:real/Percent_of_False:real/Pattern:string)"
    ),
    "plugin\tschema_merge\tDefault\t\t\t(PreserveOrder?:bool@Literal)>Custom",
)


@cache
def _lines() -> Mapping[tuple[str, str], str]:
    text = files("toolkit.kql.functions").joinpath("signatures.tsv").read_text(encoding="utf-8")
    rows: dict[tuple[str, str], str] = {}
    for line in (*text.splitlines(), *_UNLISTED):
        kind, name, _ = line.split("\t", 2)
        rows[(kind, name)] = line
    return rows


@cache
def find(kind: str, name: str) -> Function | None:
    """A built-in by its kind ("function", "aggregate" or "plugin") and the name that was written."""
    line = _lines().get((kind, name))
    if line is None:
        return None
    _, _, naming, flags, alternative, signatures = line.split("\t")
    kind_of_name, _, prefix = naming.partition(":")
    if name in _POSITIONAL:
        kind_of_name = "Default"
    return Function(
        kind=kind,
        name=name,
        naming=kind_of_name,
        prefix=prefix,
        obsolete="obsolete" in flags,
        alternative=alternative,
        signatures=tuple(variant for text in signatures.split(" ; ") for variant in _variants(_signature(text, name))),
    )


def _variants(signature: Signature) -> tuple[Signature, ...]:
    """A signature with an optional parameter behind a repeated one is two: without it, and with it required."""
    if not signature.parameters:
        return (signature,)
    *front, last = signature.parameters
    if last.minimum or last.maximum != 1 or all(other.maximum == 1 for other in front):
        return (signature,)
    required = Parameter(last.name, last.kinds, 1, 1, last.argument, last.values)
    return tuple(Signature(tuple(parameters), signature.returns, signature.layout) for parameters in (front, [*front, required]))


def _signature(text: str, name: str) -> Signature:
    head, _, returns = text.rpartition(")>") if ")>" in text else (text, "", "")
    if "(" in returns or not head:  # a tabular result: ...)>(a:string/b:long)
        head, _, returns = text.partition(")>")
    layout, _, inside = head.partition("(")
    parameters = tuple(_documented(name, _parameter(part)) for part in inside.split(", ") if part)
    return Signature(parameters, returns, layout)


def _documented(name: str, parameter: Parameter) -> Parameter:
    kind = _DOCUMENTED.get((name, parameter.name))
    return parameter if kind is None else replace(parameter, kinds=(kind,))


def _parameter(text: str) -> Parameter:
    match = _PARAMETER.match(text)
    if match is None:
        raise ValueError(f"signatures.tsv holds a parameter that cannot be read: {text!r}")
    occurs = match["occurs"] or ""
    low, high = (0, 1) if occurs == "?" else map(int, occurs[1:-1].split("-")) if occurs else (1, 1)
    values = tuple(match["values"].split("/")) if match["values"] else ()
    return Parameter(match["name"], tuple(match["kinds"].split("/")), low, high, match["argument"] or "Expression", values)


def find_function(name: str) -> Function | None:
    """A scalar (or tabular built-in) function by the name that was written."""
    return find("function", name)


def find_aggregate(name: str) -> Function | None:
    return find("aggregate", name)


def find_plugin(name: str) -> Function | None:
    return find("plugin", name)


def names(kind: str) -> Iterable[str]:
    """All names of one kind, for suggestions and for generated documentation."""
    return (name for of_kind, name in _lines() if of_kind == kind)


_BY_KIND: Mapping[str, frozenset[ScalarType]] = {
    "Number": frozenset({ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL}),
    "NumberOrBool": frozenset({ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL, ScalarType.BOOL}),
    "Integer": frozenset({ScalarType.INT, ScalarType.LONG}),
    "IntegerOrArray": frozenset({ScalarType.INT, ScalarType.LONG, ScalarType.DYNAMIC}),
    "StringOrDynamic": frozenset({ScalarType.STRING, ScalarType.DYNAMIC}),
    "StringOrArray": frozenset({ScalarType.STRING, ScalarType.DYNAMIC}),
    "DynamicArray": frozenset({ScalarType.DYNAMIC}),
    "DynamicBag": frozenset({ScalarType.DYNAMIC}),
    "Summable": frozenset({ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL, ScalarType.TIMESPAN, ScalarType.DATETIME}),
    "Orderable": frozenset(set(ScalarType) - {ScalarType.GUID, ScalarType.DYNAMIC}),
    "CommonOrderable": frozenset(set(ScalarType) - {ScalarType.GUID, ScalarType.DYNAMIC}),
    "NotDynamic": frozenset(set(ScalarType) - {ScalarType.DYNAMIC}),
    "NotRealOrBool": frozenset(set(ScalarType) - {ScalarType.REAL, ScalarType.BOOL}),
    "NotBool": frozenset(set(ScalarType) - {ScalarType.BOOL}),
}

# What a value may become without being asked: promotions of numbers, and the text of a dynamic.
_PROMOTIONS: Mapping[ScalarType, tuple[ScalarType, ...]] = {
    ScalarType.INT: (ScalarType.LONG, ScalarType.REAL),
    ScalarType.LONG: (ScalarType.INT, ScalarType.REAL),
    ScalarType.DYNAMIC: (ScalarType.STRING,),
    # the engine takes a bool as 0 or 1 where a number is expected
    ScalarType.BOOL: (ScalarType.LONG, ScalarType.INT, ScalarType.REAL),
}

EXACT, KIND, PROMOTED, LENIENT, NO = 4, 3, 2, 1, 0


def fit(parameter: Parameter, found: ScalarType) -> int:
    """How well an argument's type fits a parameter: EXACT > KIND > PROMOTED > LENIENT > NO."""
    if found is ScalarType.UNKNOWN:
        return KIND
    if parameter.kinds == ("type",):
        return EXACT if found is ScalarType.STRING else NO
    best = NO
    for kind in parameter.kinds:
        if kind == found.value:
            return EXACT
        allowed = _BY_KIND.get(kind)
        if allowed is not None:
            score = KIND if found in allowed else LENIENT if kind in ("Number", "Integer") and found is ScalarType.BOOL else NO
        elif kind[:1].isupper():  # Scalar, CommonScalar, CommonScalarOrDynamic, Any
            score = NO if kind == "Tabular" else KIND
        else:
            promoted = _PROMOTIONS.get(found, ())
            names_of = [kind_of.value for kind_of in promoted]
            score = (LENIENT if found is ScalarType.BOOL else PROMOTED) if kind in names_of else NO
        best = max(best, score)
    return best
