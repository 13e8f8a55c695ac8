"""From the query of a content file to the KQL that runs, with findings at their place in the YAML file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import CodeType
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
        """Where a range of the query stands in the YAML file.

        For a rendered template: its exact place where the text was written like this, else the line of the template that
        it comes from, else the `query` value as a whole.
        """
        first = self.written(start)
        if first is not None:
            last = self.written(end - 1) if end > start else first
            return self._in_file(first, max(first + 1, last + 1 if last is not None else first + 1))
        line = self._template_line(start)
        if line is None:
            return Span(self.scalar.span.start, self.scalar.span.start + 1)
        text = self.scalar.text[line.start : line.end]
        return self._in_file(line.start + len(text) - len(text.lstrip()), line.end)

    def written(self, offset: int) -> int | None:
        """The offset in the template of a character of the query; None for what a template expression gave."""
        if not self.templated:
            return offset
        line = self._template_line(offset)
        if line is None:
            return None
        column = offset - self.text.rfind("\n", 0, offset) - 1
        rendered = self.text[offset - column :].split("\n", maxsplit=1)[0]
        template = self.scalar.text[line.start : line.end]
        if rendered[: column + 1] == template[: column + 1]:
            return line.start + column
        rest = rendered[column:]
        return line.end - len(rest) if rest and template.endswith(rest) else None

    def _template_line(self, offset: int) -> Span | None:
        """The line of the template behind the rendered line at `offset`.

        That is the line of the same number when the template has no statements and as many lines as its rendering, else
        the only line of the same text.
        """
        template, rendered = self.scalar.text.split("\n"), self.text.split("\n")
        row = self.text.count("\n", 0, offset)
        if len(template) != len(rendered) or "{%" in self.scalar.text:
            line = rendered[row]
            if not line.strip() or template.count(line) != 1 or rendered.count(line) != 1:
                return None
            row = template.index(line)
        start = sum(len(above) + 1 for above in template[:row])
        return Span(start, start + len(template[row]))

    def _in_file(self, start: int, end: int) -> Span:
        first = self.document.text_offset(self.scalar, start)
        return Span(first, max(first, self.document.text_offset(self.scalar, max(start, end - 1)) + 1))


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

        from toolkit.content.template.sandbox import TemplateLimitError, template_code

        if len(self.scalar.text) > MAX_TEMPLATE:
            self.report("template-limit", f"The template has more than {MAX_TEMPLATE} characters.", 1)
            return None
        try:
            return self.generate(template_code(self.scalar.text))
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

    def generate(self, code: CodeType) -> str:
        from jinja2 import Template

        from toolkit.content.template.sandbox import MAX_TEXT, QueryEnvironment, TemplateLimitError

        environment = QueryEnvironment()
        template = Template.from_code(environment, code, environment.make_globals(None))
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
