"""From the query of a content file to the KQL that runs, with findings at their place in the YAML file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.content.findings import Findings
from toolkit.content.yaml.nodes import Document, Scalar
from toolkit.kql.diagnostics import suggestion
from toolkit.kql.source import Source, Span

_MARKERS = ("{{", "{%", "{#")
_TEMPLATE_FILES = ("<template>", "<unknown>")
MAX_TEMPLATE = 1_000_000


def is_template(text: str) -> bool:
    """Whether a query holds Jinja2 at all; one that does not renders to itself, byte for byte."""
    return any(marker in text for marker in _MARKERS)


@dataclass(frozen=True)
class Query:
    """A rendered query and the way back to the file: `text` is what runs."""

    text: str
    document: Document
    scalar: Scalar
    templated: bool

    @property
    def source(self) -> Source:
        """The text that KQL diagnostics of this query are shown in."""
        if self.templated:
            return Source(self.text, f"{self.document.source.name} (rendered query)")
        return self.document.source

    def file_span(self, start: int, end: int) -> Span:
        """Where a range of the query stands in the YAML file; for a rendered template the `query` value as a whole."""
        if self.templated:
            return Span(self.scalar.span.start, self.scalar.span.start + 1)
        first = self.document.text_offset(self.scalar, start)
        last = self.document.text_offset(self.scalar, max(start, end - 1)) + 1 if end > start else first
        return Span(first, max(first, last))


def render_query(document: Document, scalar: Scalar, values: Mapping[str, Any], findings: Findings) -> Query | None:
    """Render one query; None when that fails, with the reason among `findings`."""
    if not is_template(scalar.text):
        return Query(scalar.text, document, scalar, templated=False)
    text = _Rendering(document, scalar, values, findings).run()
    return None if text is None else Query(text, document, scalar, templated=True)


class _Rendering:
    def __init__(self, document: Document, scalar: Scalar, values: Mapping[str, Any], findings: Findings) -> None:
        self.document = document
        self.scalar = scalar
        self.values = values
        self.findings = findings

    def run(self) -> str | None:
        from jinja2 import TemplateSyntaxError, UndefinedError
        from jinja2.exceptions import SecurityError

        from toolkit.content.template.sandbox import QueryEnvironment, TemplateLimitError

        if len(self.scalar.text) > MAX_TEMPLATE:
            self.report("template-limit", f"The template has more than {MAX_TEMPLATE} characters.", 1)
            return None
        environment = QueryEnvironment()
        try:
            tree = environment.prepare(self.scalar.text)
            return self.generate(environment, tree)
        except TemplateSyntaxError as error:
            hint = 'Text that only looks like a template is written {{ "{{" | raw }}.'
            self.report("template-syntax", f"The template cannot be read: {_sentence(error.message)}", error.lineno, hint)
        except UndefinedError as error:
            self.undefined(error)
        except TemplateLimitError as error:
            self.report("template-limit", f"The template is stopped: {error}.", _line_of(error))
        except SecurityError as error:
            self.report("template-forbidden", f"The template may not do this: {_sentence(str(error))}", _line_of(error))
        except RecursionError as error:
            self.report("template-limit", "The template is stopped: its macros call each other without end.", _line_of(error))
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, MemoryError) as error:
            self.report("template-failed", f"The template fails: {_sentence(str(error) or type(error).__name__)}", _line_of(error))
        return None

    def generate(self, environment: Any, tree: Any) -> str:
        from toolkit.content.template.sandbox import MAX_TEXT, TemplateLimitError

        template = environment.from_string(tree)
        parts: list[str] = []
        size = 0
        for part in template.generate(dict(self.values)):
            environment.check_time()
            size += len(part)
            if size > MAX_TEXT:
                raise TemplateLimitError(f"it renders to more than {MAX_TEXT} characters")
            parts.append(part)
        return "".join(parts)

    def undefined(self, error: Exception) -> None:
        names = list(self.unknown_names())
        if not names:
            self.report("template-undefined", f"The template uses something that is not defined: {_sentence(str(error))}", _line_of(error))
        for name, offset in names:
            start = self.document.text_offset(self.scalar, offset)
            known = ", ".join(sorted(self.values)) or "none"
            hints = suggestion(name, self.values) or (
                f"Declare it under `parameters:` with a type and a default, or give it a value in toolkit.yaml (known here: {known}).",
            )
            message = f"The parameter {name!r} has no value."
            self.findings.add("template-undefined", message, Span(start, start + len(name)), hints=hints)

    def unknown_names(self) -> Iterable[tuple[str, int]]:
        """Names the template reads and nobody defines, with the offset of their first use."""
        from jinja2 import meta

        from toolkit.content.template.sandbox import QueryEnvironment

        names = meta.find_undeclared_variables(QueryEnvironment().parse(self.scalar.text))
        unknown = names - set(self.values) - {"range", "dict"}
        uses = [(name, offset) for name in unknown if (offset := _first_use(self.scalar.text, name)) is not None]
        return sorted(uses, key=lambda use: use[1])

    def report(self, code: str, message: str, line: int | None, *hints: str) -> None:
        text = self.scalar.text
        lines = text.split("\n")
        row = min(max((line or 1) - 1, 0), len(lines) - 1)
        first = sum(len(above) + 1 for above in lines[:row]) + len(lines[row]) - len(lines[row].lstrip())
        start = self.document.text_offset(self.scalar, first)
        self.findings.add(code, message, Span(start, start + len(lines[row].strip())), hints=hints)


_BLOCK = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def _first_use(text: str, name: str) -> int | None:
    word = re.compile(rf"(?<![\w.\"']){re.escape(name)}(?!\w)")
    for block in _BLOCK.finditer(text):
        if found := word.search(block[0]):
            return block.start() + found.start()
    return None


def _line_of(error: BaseException) -> int | None:
    """The line of the template in which an error arose, from the traceback that Jinja2 rewrites."""
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in _TEMPLATE_FILES:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _sentence(text: str | None) -> str:
    text = (text or "unknown reason").strip()
    return text if text.endswith(".") else text + "."
