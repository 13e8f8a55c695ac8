"""Which values the template parameters of one file have, and the query that comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolkit.content.findings import Findings
from toolkit.content.items import Item
from toolkit.content.models.function import FunctionFile
from toolkit.content.models.rule import Described, Parameter
from toolkit.content.project import Project
from toolkit.content.template.parameters import ParameterError, parameter_value, plain_value, type_problem
from toolkit.content.template.render import Query, render_query
from toolkit.content.yaml.nodes import Document, Path
from toolkit.kql.diagnostics import suggestion
from toolkit.kql.source import NOWHERE


@dataclass(frozen=True)
class Given:
    """Values from one place, with that place: later ones override earlier ones.

    `strict` values name parameters of this very file: a name that it does not declare is a mistake there.
    """

    values: Mapping[str, Any]
    document: Document | None = None
    path: Path = ()
    strict: bool = False


@dataclass
class ItemQuery:
    """Rendering the query of one item: what its parameters are and who gives their values."""

    item: Item
    project: Project
    environment: str | None = None
    given: tuple[Given, ...] = field(default_factory=tuple)

    def render(self, findings: Findings) -> Query | None:
        """The query as KQL; None with the reason among `findings`, or among the item's own where reading it found it already."""
        scalar, document = self.item.query, self.item.document
        if scalar is None or document is None or not all(map(_has_good_default, self._declared().values())):
            return None
        return render_query(document, scalar, self.values(findings), findings)

    def values(self, findings: Findings) -> dict[str, Any]:
        """The value of every parameter, by precedence: case, environment's rule, environment, project's rule, project, default."""
        declared = self._declared()
        given = {name: parameter for name, parameter in declared.items() if parameter.default is not None}
        values = {name: parameter_value(parameter.type, parameter.default) for name, parameter in given.items()}
        for source in self._sources():
            for name, value in source.values.items():
                parameter = declared.get(name)
                if parameter is None and source.strict:
                    _unknown(name, declared, source, findings)
                    continue
                try:
                    values[name] = parameter_value(parameter.type, value) if parameter else plain_value(value)
                except ParameterError as error:
                    _wrong(name, error, source, findings)
        return values

    def _declared(self) -> dict[str, Parameter]:
        model = self.item.model
        parameters = model.parameters if isinstance(model, Described | FunctionFile) else {}
        return {name: parameter for name, parameter in parameters.items() if type_problem(parameter.type) is None}

    def _sources(self) -> Iterator[Given]:
        config, document, stem = self.project.config, self.project.document, self.item.name
        yield Given(config.parameters, document, ("parameters",))
        yield Given(config.rules.get(stem, {}), document, ("rules", stem), strict=True)
        if environment := self.project.environment(self.environment):
            path = ("environments", str(self.environment))
            yield Given(environment.parameters, document, (*path, "parameters"))
            yield Given(environment.rules.get(stem, {}), document, (*path, "rules", stem), strict=True)
        yield from self.given


def _has_good_default(parameter: Parameter) -> bool:
    try:
        return parameter.default is None or parameter_value(parameter.type, parameter.default) is not None
    except ParameterError:
        return False


def _unknown(name: str, declared: Mapping[str, Parameter], source: Given, findings: Findings) -> None:
    message = f"The rule has no parameter {name!r}."
    hints = suggestion(name, declared) or (f"Its parameters: {', '.join(declared) or 'none'}.",)
    _add(name, "unknown-parameter", message, hints, source, findings)


def _wrong(name: str, error: ParameterError, source: Given, findings: Findings) -> None:
    _add(name, "wrong-type", f"The value of parameter {name!r} is not of its type: {error}.", (), source, findings)


def _add(name: str, code: str, message: str, hints: tuple[str, ...], source: Given, findings: Findings) -> None:
    if source.document is None:
        findings.add(code, message, NOWHERE, hints=hints)
        return
    there = Findings(source.document.source, findings.found)
    there.add(code, message, source.document.span((*source.path, name)), hints=hints)
