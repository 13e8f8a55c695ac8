"""Random queries over one small table, for laws that hold of every query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

COLUMNS = {
    "Id": "long",
    "Time": "datetime",
    "Name": "string",
    "Kind": "string",
    "Num": "long",
    "Small": "int",
    "Ratio": "real",
    "Flag": "bool",
    "Bag": "dynamic",
    "List": "dynamic",
    "Text": "string",
    "Span": "timespan",
}

_NAMES = ["alice", "Bob", "bob smith", "", "eve@contoso.com", "Zoë", "admin-1"]
_TEXTS = [
    '{"verb":"create","user":{"name":"alice"},"n":[1,2]}',
    '{"verb":"Delete","user":{"name":"Bob"}}',
    '{"verb":null}',
    "[1,2,3]",
    "not json",
    "",
    "Failed password for alice from 192.0.2.7 port 22 ssh2",
]


def rows(count: int = 60) -> list[dict[str, Any]]:
    """Rows with every kind of null and a few repeated values; each a function of its number."""
    made = []
    for index in range(count):
        row: dict[str, Any] = {
            "Id": index,
            "Time": f"2026-03-0{1 + index % 3}T{index % 24:02d}:{index * 7 % 60:02d}:00.1234567Z",
            "Name": _NAMES[index % 7],
            "Kind": "abc"[index % 3],
            "Text": _TEXTS[index * 5 % 7],
            "List": [[], [1, 2], ["x", None, {"k": 1}], None, [index]][index % 5],
            "Bag": [{"k": index % 4, "deep": {"name": _NAMES[index % 7]}}, {"k": "1"}, {}, None][index % 4],
        }
        row |= {"Num": index % 9 - 4} if index % 5 else {}
        row |= {"Small": index % 4} if index % 6 else {}
        row |= {"Ratio": index / 8} if index % 7 else {}
        row |= {"Flag": index % 2 == 0} if index % 4 else {}
        row |= {"Span": f"0{index % 10}:30:00"} if index % 3 else {}
        made.append(row)
    return made


class Writer:
    """Writes expressions and pipelines over the columns in scope. Only what has one answer is written: rows are taken by `Id` alone."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw
        self.scope = dict(COLUMNS)
        self._made = 0

    def one_of(self, *options: str) -> str:
        return str(self._draw(st.sampled_from(options)))

    def number(self, low: int, high: int) -> int:
        return int(self._draw(st.integers(low, high)))

    def fresh(self) -> str:
        self._made += 1
        return f"x{self._made}"

    # --- expressions ------------------------------------------------------------------------------------------------------

    def column(self, kind: str, otherwise: str) -> str:
        known = [name for name, type_ in self.scope.items() if type_ == kind]
        return self.one_of(*known) if known else otherwise

    def value(self, kind: str, depth: int = 2) -> str:
        """An expression of a type."""
        writers = {"long": self.long, "real": self.real, "string": self.string, "bool": self.bool}
        if kind in writers:
            return writers[kind](depth)
        if kind == "datetime":
            return self.datetime(depth)
        return self.timespan(depth) if kind == "timespan" else self.dynamic(depth)

    def long(self, depth: int) -> str:
        plain = self.column("long", "3")
        if depth <= 0:
            return self.one_of(plain, "0", "-2", "7", "long(null)")
        inner = depth - 1
        return self.one_of(
            plain,
            f"({self.long(inner)} + {self.long(0)})",
            f"({self.long(inner)} % 5)",
            f"strlen({self.string(inner)})",
            f"tolong({self.dynamic(inner)})",
            f"array_length({self.dynamic(inner)})",
            f"iff({self.bool(inner)}, {self.long(0)}, {self.long(0)})",
            f"coalesce({self.long(inner)}, 11)",
            f"hourofday({self.datetime(inner)})",
        )

    def real(self, depth: int) -> str:
        plain = self.column("real", "2.5")
        return (
            plain
            if depth <= 0
            else self.one_of(plain, f"({plain} / 4)", f"todouble({self.long(depth - 1)})", f"({plain} * {self.real(0)})")
        )

    def string(self, depth: int) -> str:
        plain = self.column("string", "'lit'")
        if depth <= 0:
            return self.one_of(plain, plain, "'alice'", "''", "'create'")
        inner = depth - 1
        return self.one_of(
            plain,
            f"strcat({self.string(inner)}, '-', {self.long(0)})",
            f"tostring({self.dynamic(inner)})",
            f"tolower({self.string(inner)})",
            f"substring({self.string(inner)}, 1, 3)",
            f"extract(@'([a-z]+)', 1, {self.string(inner)})",
            f"tostring({self.long(inner)})",
            f"iff({self.bool(inner)}, {self.string(0)}, 'other')",
            f"case({self.bool(0)}, 'one', {self.bool(0)}, {self.string(0)}, 'none')",
        )

    def bool(self, depth: int) -> str:
        plain = self.column("bool", "true")
        if depth <= 0:
            return self.one_of(plain, f"isnotempty({self.string(0)})", f"{self.long(0)} > 1", f"{self.string(0)} == 'alice'")
        inner = depth - 1
        text = self.string(inner)
        return self.one_of(
            plain,
            f"{text} == {self.string(0)}",
            f"{text} {self.one_of(*_TESTS)} {self.one_of(*_WORDS)}",
            f"{text} {self.one_of('in', '!in', 'in~', 'has_any')} ('alice', 'BOB', 'create')",
            f"{text} matches regex @'^[a-c]'",
            f"tostring({self.dynamic(inner)}) {self.one_of('==', '!=', 'has', 'in~')} ('alice')",
            f"{self.long(inner)} {self.one_of('<', '>=', '==', '!=')} {self.long(0)}",
            f"{self.real(inner)} < 3.5",
            f"{self.datetime(0)} between (datetime(2026-03-01 03:00) .. 1d)",
            f"isnull({self.long(inner)})",
            f"isempty({text})",
            f"({self.bool(inner)} and {self.bool(inner)})",
            f"({self.bool(inner)} or {self.bool(0)})",
            f"not({self.bool(inner)})",
        )

    def datetime(self, depth: int) -> str:
        plain = self.column("datetime", "datetime(2026-03-02)")
        return plain if depth <= 0 else self.one_of(plain, f"bin({plain}, 1h)", f"startofday({plain})", f"({plain} + {self.timespan(0)})")

    def timespan(self, depth: int) -> str:
        plain = self.column("timespan", "90m")
        return plain if depth <= 0 else self.one_of(plain, f"({plain} * 2)", f"({self.datetime(0)} - datetime(2026-03-01))")

    def dynamic(self, depth: int) -> str:
        plain = self.column("dynamic", "dynamic([1])")
        text = self.column("string", "'[]'")
        parsed = f"parse_json({text})"
        return self.one_of(
            plain, f"{plain}.k", f"{plain}.deep.name", f"{parsed}.verb", f"{parsed}.user.name", f"{plain}[0]", f"todynamic({plain})"
        )

    # --- operators --------------------------------------------------------------------------------------------------------

    def stage(self) -> str:
        """One operator over the scope, which it changes."""
        writers = [
            self.where,
            self.extend,
            self.summarize,
            self.distinct,
            self.expand,
            self.union,
            self.project,
            self.join,
            self.parse,
            self.count,
        ]
        if "Id" in self.scope:
            writers += [self.top, self.windows]
        writer: Callable[[], str] = self._draw(st.sampled_from(writers))
        return writer()

    def where(self) -> str:
        return f"where {self.bool(2)}"

    def extend(self) -> str:
        kind = self.one_of("long", "real", "string", "bool", "datetime", "timespan", "dynamic")
        name, value = self.fresh(), self.value(kind)
        self.scope[name] = kind
        return f"extend {name} = {value}"

    def project(self) -> str:
        kept = self._draw(st.lists(st.sampled_from(sorted(self.scope)), min_size=1, max_size=6, unique=True))
        self.scope = {name: self.scope[name] for name in kept}
        return f"project {', '.join(kept)}"

    def _keys(self) -> list[str]:
        comparable = [name for name, kind in self.scope.items() if kind not in ("dynamic", "real")]
        return list(self._draw(st.lists(st.sampled_from(comparable), max_size=2, unique=True))) if comparable else []

    def summarize(self) -> str:
        keys = self._keys()
        aggregates = [
            ("long", "count()"),
            ("long", f"countif({self.bool(1)})"),
            ("long", f"dcount({self.string(1)})"),
            ("long", f"max({self.long(1)})"),
            ("long", f"sum({self.long(1)})"),
            ("dynamic", f"make_set({self.string(1)})"),
            ("datetime", f"min({self.datetime(1)})"),
        ]
        chosen = self._draw(st.lists(st.sampled_from(aggregates), min_size=1, max_size=3))
        named = [(self.fresh(), kind, call) for kind, call in chosen]
        self.scope = {**{key: self.scope[key] for key in keys if key in self.scope}, **{name: kind for name, kind, _ in named}}
        by = f" by {', '.join(keys)}" if keys else ""
        return f"summarize {', '.join(f'{name} = {call}' for name, _, call in named)}{by}"

    def distinct(self) -> str:
        keys = self._keys() or [next(iter(self.scope))]
        if any(self.scope[key] == "dynamic" for key in keys):
            return self.where()
        self.scope = {key: self.scope[key] for key in keys}
        return f"distinct {', '.join(keys)}"

    def expand(self) -> str:
        if self.scope.get("List") != "dynamic":
            return self.where()
        return self.one_of(
            "mv-expand List", "mv-expand Item = List limit 2 | project-away Item", "mv-expand with_itemindex = I List | project-away I"
        )

    def union(self) -> str:
        return (
            f"union (T | where {Writer(self._draw).bool(1)} | project {', '.join(name for name in self.scope if name in COLUMNS) or 'Id'})"
        )

    def join(self) -> str:
        key = "Kind" if "Kind" in self.scope else "Num" if "Num" in self.scope else ""
        if not key or "R" in self.scope:
            return self.where()
        kind = self.one_of("inner", "leftouter", "leftanti", "leftsemi")
        if kind in ("inner", "leftouter"):
            self.scope |= {"R": "long", f"{key}1": COLUMNS[key]}
        right = self.one_of("T | where Id < 7", "T | where Num > 2", f"T | where {Writer(self._draw).bool(1)}")
        return f"join kind={kind} ({right} | project {key}, R = Id) on {key}"

    def parse(self) -> str:
        if self.scope.get("Text") != "string":
            return self.where()
        name = self.fresh()
        self.scope[name] = "string"
        return f"parse Text with * 'for ' {name} ' from' *"

    def count(self) -> str:
        self.scope = {"Count": "long"}
        return "count"

    def top(self) -> str:
        return f"where isnotnull(Id) | summarize take_any(*) by Id | top {self.number(0, 20)} by Id {self.one_of('asc', 'desc')}"

    def windows(self) -> str:
        name, value = self.fresh(), self.column("long", "Id")
        self.scope[name] = "long"
        return f"summarize take_any(*) by Id | sort by Id asc | extend {name} = {self.one_of('prev', 'next')}({value})"


_TESTS = ("has", "contains", "startswith", "has_cs", "!contains", "!has", "endswith", "=~")
_WORDS = ("'alice'", "'bob'", "'create'", "'o'", "'192.0.2'", "'Zoë'")


@st.composite
def queries(draw: Callable[[st.SearchStrategy[Any]], Any], longest: int = 6) -> str:
    """A pipeline over table T."""
    writer = Writer(draw)
    stages = [writer.stage() for _ in range(writer.number(1, longest))]
    return "\n| ".join(["T", *stages])
