"""The Jinja2 environment of queries: no loaders, no attributes, bounded loops, calls, text and lists.

Content is data from people who may not know or trust each other: a template may neither reach Python nor run for long.
Loops and concatenations are counted by rewriting the template's syntax tree, because Jinja2 offers no hook for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache, wraps
from types import CodeType
from typing import Any

from jinja2 import StrictUndefined, Undefined, nodes, pass_environment
from jinja2.filters import FILTERS
from jinja2.sandbox import SandboxedEnvironment

from toolkit.content.template.literals import KqlText, kql_literal

MAX_STEPS = 100_000
MAX_CALLS = 5_000
MAX_TEXT = 200_000
MAX_ITEMS = 10_000
MAX_SECONDS = 5.0

_FILTERS = (
    "abs default d first float int join last length count list lower map max min reject rejectattr replace reverse round "
    "select selectattr sort string sum title trim unique upper capitalize dictsort items"
).split()
_METHODS = frozenset("items keys values get lower upper strip lstrip rstrip startswith endswith split removeprefix removesuffix".split())
_GLOBALS = ("range", "dict")


class TemplateLimitError(Exception):
    """The template does more than a query needs; the text says which limit it meets."""


class QueryEnvironment(SandboxedEnvironment):
    """Jinja2 for one rendering: its budgets count from zero."""

    intercepted_binops = frozenset(["+", "*", "**", "%"])

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            finalize=_finalize,
            autoescape=False,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=0,
            optimized=False,
        )
        self.steps = 0
        self.calls = 0
        self.deadline = time.monotonic() + MAX_SECONDS
        self.filters = dict(_checked_filters())
        self.filters.update(kql=kql_literal, raw=_raw, join=self._join, replace=self._replace, _counted=self.counted, _joined=self._joined)
        self.globals = {name: self.globals[name] for name in _GLOBALS}
        self.globals["range"] = self._range

    def prepare(self, source: str) -> nodes.Template:
        """The template's tree with every loop counted and every `~` bounded. Raises TemplateSyntaxError."""
        tree = self.parse(source)
        for loop in list(tree.find_all(nodes.For)):
            loop.iter = nodes.Filter(loop.iter, "_counted", [], [], None, None, lineno=loop.lineno)
        _bound_concatenations(tree)
        tree.set_environment(self)
        return tree

    def counted(self, items: Iterable[Any]) -> Iterator[Any]:
        """The items of a loop; raises when all loops together have run too often or too long."""
        if isinstance(items, Undefined):
            iter(items)  # raises with the name
        for item in items:
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise TemplateLimitError(f"its loops run more than {MAX_STEPS} times")
            self.check_time()
            yield item

    def check_time(self) -> None:
        if time.monotonic() > self.deadline:
            raise TemplateLimitError(f"it runs longer than {MAX_SECONDS:g} s")

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        self.check_time()
        if self.calls > MAX_CALLS:
            raise TemplateLimitError(f"it calls macros and functions more than {MAX_CALLS} times")
        return _limited(super().call(context, obj, *args, **kwargs))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "%" and isinstance(left, str):
            raise TemplateLimitError("text formatting with % is not available; `~` joins text")
        if operator == "**" and (abs(left) > 10**6 or abs(right) > 20):
            raise TemplateLimitError("the power is too large")
        if operator == "*" and (_size(left) or _size(right)):
            raise TemplateLimitError("text and lists cannot be repeated with *")
        return _limited(super().call_binop(context, operator, left, right))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if not callable(value):
            return super().is_safe_attribute(obj, attr, value)
        return attr in _METHODS and isinstance(obj, str | dict)

    def wrap_str_format(self, value: Any) -> None:
        """No `format` method: a width in its text could ask for gigabytes."""

    def _range(self, *bounds: int) -> range:
        numbers = range(*bounds)
        if len(numbers) > MAX_ITEMS:
            raise TemplateLimitError(f"range() gives more than {MAX_ITEMS} numbers")
        return numbers

    def _joined(self, parts: list[Any]) -> str:
        texts = [_text(part) for part in parts]
        if sum(map(len, texts)) > MAX_TEXT:
            raise TemplateLimitError(f"it builds text of more than {MAX_TEXT} characters")
        return "".join(texts)

    def _join(self, items: Iterable[Any], separator: str = "") -> str:
        parts: list[Any] = []
        for item in items:
            parts += [separator, item] if parts else [item]
        return self._joined(parts)

    def _replace(self, text: str, old: str, new: str) -> str:
        text = str(text)
        if (text.count(old) + 1) * len(new) + len(text) > MAX_TEXT:
            raise TemplateLimitError(f"it builds text of more than {MAX_TEXT} characters")
        return text.replace(old, new)


@lru_cache(maxsize=1024)
def template_code(source: str) -> CodeType:
    """A template's compiled code, which every rendering of it runs. Raises TemplateSyntaxError."""
    environment = QueryEnvironment()
    return environment.compile(environment.prepare(source))


@cache
def _checked_filters() -> dict[str, Callable[..., Any]]:
    return {name: _checked(FILTERS[name]) for name in _FILTERS if name in FILTERS}


def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that keeps to the budgets of the environment it runs in."""
    passes = getattr(function, "jinja_pass_arg", None)

    @wraps(function)
    def run(first: Any, *args: Any, **kwargs: Any) -> Any:
        environment = first if isinstance(first, QueryEnvironment) else first.environment
        environment.check_time()
        given = args if passes is None else (first, *args)
        return _limited(function(*given, **kwargs))

    return run if passes is not None else pass_environment(run)


def _finalize(value: Any) -> Any:
    if isinstance(value, Undefined):
        str(value)  # raises with the name
    return kql_literal(value)


def _raw(value: Any) -> KqlText:
    """Filter `raw`: the text as it stands, without quotes. The only way for a value to become KQL."""
    return KqlText(_text(value))


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | Undefined) else str(kql_literal(value))


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple | dict) else 0


def _limited(value: Any) -> Any:
    size = _size(value)
    if isinstance(value, str) and size > MAX_TEXT:
        raise TemplateLimitError(f"it builds text of more than {MAX_TEXT} characters")
    if size > MAX_TEXT or (not isinstance(value, str) and size > MAX_ITEMS):
        raise TemplateLimitError(f"it builds a list of more than {MAX_ITEMS} items")
    if isinstance(value, int) and abs(value) > 2**128:
        raise TemplateLimitError("a number is too large")
    return value


def _bound_concatenations(tree: nodes.Node) -> None:
    """Replace every `a ~ b` by a counted join of its parts."""
    for parent in [tree, *tree.find_all(nodes.Node)]:
        for name, value in list(parent.iter_fields()):
            if isinstance(value, nodes.Concat):
                setattr(parent, name, _joining(value))
            elif isinstance(value, list):
                value[:] = [_joining(item) if isinstance(item, nodes.Concat) else item for item in value]


def _joining(concat: nodes.Concat) -> nodes.Filter:
    parts = nodes.List(concat.nodes, lineno=concat.lineno)
    return nodes.Filter(parts, "_joined", [], [], None, None, lineno=concat.lineno)
