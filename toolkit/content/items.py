"""One content file, read: what kind it is, its model, and everything found wrong with it so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from toolkit.content.findings import ContentError, Finding, Findings
from toolkit.content.limits import check_limits
from toolkit.content.models.function import FunctionFile, ParserFile, SavedFunctionFile, WatchlistFile
from toolkit.content.models.rule import Described, HuntingQuery, Rule
from toolkit.content.models.validate import validate_model
from toolkit.content.template.parameters import ParameterError, parameter_value, type_problem
from toolkit.content.workbooks import WorkbookDocument, looks_like_workbook, read_workbook
from toolkit.content.yaml.loader import load_mapping
from toolkit.content.yaml.nodes import Document, Scalar
from toolkit.kql.source import Source

Kind = Literal["rule", "hunting", "function", "watchlist", "workbook"]
TESTS_SUFFIXES = (".tests.yaml", ".tests.yml")

_OTHER_KINDS = frozenset(
    {"fusion", "mlbehavioranalytics", "threatintelligence", "microsoftsecurityincidentcreation", "microsoftsecurity", "anomaly"}
)

Model = Rule | HuntingQuery | FunctionFile | WatchlistFile


def _function_model(document: Document, findings: Findings) -> FunctionFile | None:
    if "query" in document.mapping.entries or "functionAlias" in document.mapping.entries:
        return validate_model(SavedFunctionFile, document, findings)
    return validate_model(ParserFile, document, findings)


_MODELS: dict[Kind, Callable[[Document, Findings], Model | None]] = {
    "rule": partial(validate_model, Rule),
    "hunting": partial(validate_model, HuntingQuery),
    "function": _function_model,
    "watchlist": partial(validate_model, WatchlistFile),
}


@dataclass
class Item:
    """A content file. `model` is None when the file is too broken for one; `document` is None when it is not even YAML."""

    path: Path
    shown: str
    kind: Kind
    document: Document | None = None
    model: Model | None = None
    findings: list[Finding] = field(default_factory=list)
    workbook: WorkbookDocument | None = None

    @property
    def source(self) -> Source:
        return self.document.source if self.document else Source("", self.shown)

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.path.name.removesuffix(".yaml").removesuffix(".yml").removesuffix(".csv").removesuffix(".json")

    @property
    def title(self) -> str:
        return self.workbook.title if self.workbook else getattr(self.model, "name", "") or self.name

    @property
    def errors(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)

    @property
    def query_key(self) -> str:
        return self.model.query_key if isinstance(self.model, FunctionFile) else "query"

    @property
    def query(self) -> Scalar | None:
        """The scalar that holds the KQL."""
        node = self.document.node((self.query_key,)) if self.document else None
        return node if isinstance(node, Scalar) and node.text.strip() else None

    def collect(self) -> Findings:
        """A collector whose findings become the item's own."""
        return Findings(self.source, self.findings)


def is_tests_file(path: Path) -> bool:
    return path.name.endswith(TESTS_SUFFIXES)


def tests_file_of(path: Path) -> Path:
    """Where the cases of a content file stand: `x.yaml` -> `x.tests.yaml`."""
    return path.with_name(f"{path.stem}.tests{path.suffix}")


def load_item(path: Path, shown: str, kind: Kind | None) -> Item | None:
    """Read one content file; None when `kind` is not given and the file is not detection content.

    Never raises for what is in the file: that is in `findings`. A .csv is a watchlist whose alias is its name.
    """
    if path.suffix == ".csv":
        return Item(path, shown, "watchlist", model=WatchlistFile(file=path.name))
    if kind == "workbook" or path.suffix == ".json":
        return _load_workbook(path, shown) if kind == "workbook" or looks_like_workbook(path, shown) else None
    try:
        document, findings = load_mapping(path, shown)
    except ContentError as error:
        return Item(path, shown, kind or "rule", findings=list(error.findings))
    kind = kind or sniff(document.mapping.entries)
    return read_item(path, kind, document, findings) if kind else None


def _load_workbook(path: Path, shown: str) -> Item:
    try:
        workbook, found = read_workbook(path, shown)
    except ContentError as error:
        return Item(path, shown, "workbook", findings=list(error.findings))
    return Item(path, shown, "workbook", workbook.document, findings=found, workbook=workbook)


def read_item(path: Path, kind: Kind, document: Document, findings: Findings) -> Item:
    """The item that a document read already is; `findings` are those of reading it."""
    item = Item(path, document.source.name, kind, document, findings=findings.found)
    if kind == "rule" and _is_unmanaged(document):
        other = document.node(("kind",))
        span = document.span(("kind",))
        message = f"Rules of kind {other} have no query to check; the file is passed over."
        item.collect().add("unmanaged-kind", message, span, severity="info")
        return item
    _read_model(item, document)
    item.findings.sort(key=lambda finding: finding.diagnostic.start)
    return item


def _is_unmanaged(document: Document) -> bool:
    kind = document.node(("kind",))
    return isinstance(kind, Scalar) and kind.text.lower() in _OTHER_KINDS


def _read_model(item: Item, document: Document) -> None:
    findings = item.collect()
    model = item.model = _MODELS[item.kind](document, findings)
    if isinstance(model, Described):
        check_limits(model, document, findings)
    elif isinstance(model, FunctionFile):
        _check_function(model, document, findings)
    if isinstance(model, Described | FunctionFile):
        _check_parameters(model, document, findings)


def _check_function(model: FunctionFile, document: Document, findings: Findings) -> None:
    if not model.name:
        findings.add("missing-key", f"The function has no name: {model.name_key} is missing.", document.span(()))
    elif not model.name.replace("_", "a").isalnum():
        message = f"A function's name has only letters, digits and underscores, found {model.name!r}."
        findings.add("bad-value", message, document.span((model.name_key,)))
    query = document.node((model.query_key,))
    if not isinstance(query, Scalar) or not query.text.strip():
        findings.add("missing-key", f"The function has no query: {model.query_key} is missing.", document.span((model.query_key,)))


def _check_parameters(model: Described | FunctionFile, document: Document, findings: Findings) -> None:
    for name, parameter in model.parameters.items():
        path = ("parameters", name)
        if not name.isidentifier():
            message = f"A parameter's name has only letters, digits and underscores, found {name!r}."
            findings.add("bad-value", message, document.span(path, key=True))
        if problem := type_problem(parameter.type):
            findings.add("bad-value", problem[0], document.span((*path, "type")), hints=problem[1])
        elif parameter.default is not None:
            try:
                parameter_value(parameter.type, parameter.default)
            except ParameterError as error:
                message = f"The default of {name!r} ({parameter.type}) is not of its type: {error}."
                findings.add("wrong-type", message, document.span((*path, "default")))


def sniff(keys: Iterable[str]) -> Kind | None:
    """The kind of content that a file with these top-level keys is, None when it is none."""
    folded = {key.lower() for key in keys}
    if folded & {"functionquery", "parserquery", "functionalias"}:
        return "function"
    if folded & {"watchlistalias", "itemssearchkey", "rawcontent"}:
        return "watchlist"
    if folded & {"queryfrequency", "queryperiod", "triggeroperator", "triggerthreshold", "kind", "suppressionenabled"} and (
        folded & {"query", "severity", "tactics", "id"}
    ):
        return "rule"
    if "query" in folded and folded & {"id", "name", "tactics", "description"}:
        return "rule" if "severity" in folded and "eventgroupingsettings" in folded else "hunting"
    return None
