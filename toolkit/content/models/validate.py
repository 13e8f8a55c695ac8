"""From a YAML document to a model: pydantic's errors become findings at the place of the key or value."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from toolkit.content.findings import Findings
from toolkit.content.yaml.loader import describe
from toolkit.content.yaml.nodes import Document, Mapping, Path, containers
from toolkit.kql.diagnostics import suggestion

Model = TypeVar("Model", bound=BaseModel)


def validate_model(model: type[Model], document: Document, findings: Findings, path: Path = ()) -> Model | None:
    """The mapping at `path` as a model.

    Keys with errors are reported and left out, so that the rest of the file is still checked; None when even that
    does not give a model.
    """
    node = document.node(path)
    values = containers(node) if isinstance(node, Mapping) else {}
    for attempt in range(2):
        try:
            return model.model_validate(values)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False)
            if attempt == 0:
                for problem in problems:
                    _report(model, document, findings, path, problem)
            values = {name: value for name, value in values.items() if name not in {problem["loc"][0] for problem in problems}}
    return None


def _report(model: type[BaseModel], document: Document, findings: Findings, base: Path, problem: Any) -> None:
    path: Path = (*base, *(step for step in problem["loc"] if step != "[key]"))
    kind = problem["type"]
    if kind == "content":
        context = problem["ctx"]
        findings.add(context["code"], context["message"], document.span(path), hints=context["hints"])
    elif kind == "extra_forbidden":
        name = str(path[-1])
        known = _known_keys(model, problem["loc"][:-1])
        listed = (f"Known keys: {', '.join(sorted(known))}.",) if len(known) <= 12 else ()
        hints = suggestion(name, known) or listed
        findings.add("unknown-key", f"The key {name!r} is not known here.", document.span(path, key=True), hints=hints)
    elif kind == "missing":
        findings.add("missing-key", f"The key {str(path[-1])!r} is missing.", document.span(path))
    else:
        expected = {"list_type": "a list", "dict_type": "a mapping"}.get(kind, "a mapping" if "model" in kind else "another value")
        node = document.node(path)
        found = describe(node) if node is not None else "nothing"
        hints = ("Write the value as a list item: a line with `- ` in front.",) if expected == "a list" else ()
        findings.add("wrong-type", f"Expected {expected}, found {found}.", document.span(path), hints=hints)


def _known_keys(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The keys of the (nested) model that a path of keys and indexes leads to."""
    here: type[BaseModel] | None = model
    for step in path:
        if isinstance(step, int) or here is None:
            continue
        field = next((info for name, info in here.model_fields.items() if step in (info.alias, name)), None)
        if field is not None:
            here = _model_in(field.annotation)
    return [info.alias or name for name, info in here.model_fields.items()] if here else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        if found := _model_in(part):
            return found
    return None
