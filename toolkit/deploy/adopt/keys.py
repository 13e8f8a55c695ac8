"""Which key of a file says what: the names of the formats in use, and what a file cannot take back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.content.items import Item
from toolkit.content.models.function import ParserFile, SavedFunctionFile
from toolkit.content.models.rule import Rule
from toolkit.content.template.render import is_template
from toolkit.content.yaml.nodes import Document, Scalar
from toolkit.content.yaml.nodes import Mapping as MappingNode
from toolkit.deploy.adopt.align import paths
from toolkit.deploy.mapping import ArmResource, WorkbookSource
from toolkit.deploy.mapping.defaults import DEFAULTS, GROUPING
from toolkit.deploy.mapping.values import short

_TECHNIQUES = ("relevantTechniques", "techniques", "subTechniques")
_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {"alias": ("watchlistAlias",), "itemsSearchKey": ("searchKey",)}
_DEFAULT: Mapping[str, Mapping[str, Any]] = {
    "eventGroupingSettings": DEFAULTS["alertRule"]["eventGroupingSettings"],
    "incidentConfiguration": {
        "createIncident": True,
        "groupingConfiguration": {
            **{key: value for key, value in GROUPING.items() if value != []},
            "lookbackDuration": short(GROUPING["lookbackDuration"]),
        },
    },
}
"""What a file that says nothing says, in its own words."""
_TARGETS = {"severity": ("severity",), "triggerOperator": ("operator",), "triggerThreshold": ("threshold",)}
_FOR_PARSERS = {"description": "Description", "category": "Category", "functionParameters": "FunctionParameters"}


@dataclass(frozen=True, eq=False)
class Change:
    """The value at a path of keys of the file, as plain values; None for no such key."""

    path: tuple[str, ...]
    before: Any
    after: Any


@dataclass(frozen=True)
class Untakable:
    """A difference that the file cannot take: where in the body it is, where in the file one would look for it, and why."""

    body_path: str
    path: tuple[str, ...]
    code: str
    message: str
    hints: tuple[str, ...] = ()


def changes(item: Item | WorkbookSource, before: Mapping[str, Any], after: Mapping[str, Any], target: ArmResource) -> Iterator[Change]:
    """Every key of the file to change, for two documents as `from_arm` writes them."""
    document = item.about if isinstance(item, WorkbookSource) else item.document
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if old == new or key in ("id", "file"):
            continue
        if isinstance(item, WorkbookSource) or document is None:
            yield Change((key,), old, new)
        elif key in _DEFAULT and new is not None:
            yield Change((key,), {**_DEFAULT[key], **(old or {})}, new)
        else:
            said = _mapping(before.get("target")).keys() | _mapping(after.get("target")).keys()
            if isinstance(item.model, Rule) and item.model.target is not None and not said.intersection(_TARGETS.get(key, ())):
                yield _of_log_alert(item.model, Change((key,), old, new), target)
            else:
                yield from _places(item, document, Change((key,), old, new))


def _places(item: Item, document: Document, change: Change) -> Iterator[Change]:
    key, keys, model = change.path[0], document.mapping.entries, item.model
    if key == "relevantTechniques":
        first, *others = [name for name in _TECHNIQUES if name in keys] or [key]
        yield Change((first,), change.before if not others else None, change.after)
        yield from (Change((name,), None, None) for name in others)
    elif isinstance(model, ParserFile):
        yield from _of_parser(model, keys, change)
    elif isinstance(model, SavedFunctionFile):
        yield from _of_function(document, keys, change)
    elif item.kind == "hunting" and key == "name":
        yield Change(("displayName",) if "displayName" in keys else ("name",), change.before, change.after)
    elif item.kind == "watchlist":
        names = {**_OTHER_NAMES, "displayName": ("name",)} if "displayName" not in keys else _OTHER_NAMES
        given = next((name for name in (*reversed(names.get(key, ())), key) if name in keys), key)
        yield Change((given,), change.before, change.after)
    else:
        yield change


def _of_parser(model: ParserFile, keys: Mapping[str, Any], change: Change) -> Iterator[Change]:
    key = change.path[0]
    if key == "displayName":
        yield Change(("Function", "Title"), change.before, change.after)
    elif key == "functionAlias":
        yield Change((model.name_key,), change.before, change.after)
    elif key == "query":
        yield Change((model.query_key,), change.before, change.after)
    elif key == "tags":
        yield Change(("armProperties", "tags"), change.before, change.after)
    else:
        yield Change((_FOR_PARSERS.get(key, key),), change.before, change.after)


def _of_function(document: Document, keys: Mapping[str, Any], change: Change) -> Iterator[Change]:
    key = change.path[0]
    if key == "displayName":
        yield Change(("name",) if "name" in keys and key not in keys else (key,), change.before, change.after)
    elif key == "tags" and isinstance(document.node(("tags",)), MappingNode) and all(map(_only_once, (change.before, change.after))):
        yield Change((key,), _as_mapping(change.before), _as_mapping(change.after))
    else:
        yield change


def _only_once(tags: Any) -> bool:
    names = [tag["name"] for tag in tags or []]
    return len(set(names)) == len(names)


def _as_mapping(tags: Any) -> Any:
    return None if tags is None else {tag["name"]: tag["value"] for tag in tags}


def _of_log_alert(model: Rule, change: Change, target: ArmResource) -> Change:
    """Keys under `target` win over the rule's own."""
    key, properties = change.path[0], target.body["properties"]
    criterion = properties["criteria"]["allOf"][0]
    values = {"severity": properties.get("severity"), "operator": criterion.get("operator"), "threshold": criterion.get("threshold")}
    for name in _TARGETS.get(key, ()):
        if getattr(model.target, name) is not None:
            return Change(("target", name), None, values[name])
    return change


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


# --- what cannot be taken ------------------------------------------------------------------------------------------------------------


def untakable(item: Item | WorkbookSource, desired: ArmResource, target: ArmResource) -> Iterator[Untakable]:
    """The differences whose value stands elsewhere than in a key of the file: templates, the environment, lists of parameters."""
    different = paths(target, desired)
    query = "properties.criteria.allOf" if desired.kind == "logAlert" else "properties.query"
    if isinstance(item, Item) and (scalar := item.query) is not None and _is_real_template(scalar):
        found = any(path.startswith("properties.query") or (path.startswith(query) and path.endswith(".query")) for path in different)
        if found:
            yield Untakable(
                query,
                (item.query_key,),
                "template",
                "The query is a template with parameters; the query that was changed in the workspace cannot be written back into it.",
                ("Change the template so that it renders to the workspace's query, or deploy the file again.",),
            )
    if isinstance(item, Item) and isinstance(item.model, ParserFile) and item.model.parser_params and not item.model.function_parameters:
        if any(path.startswith("properties.functionParameters") for path in different):
            message = "The parameters are listed one by one; the list that was changed in the workspace has no descriptions to write back."
            yield Untakable("properties.functionParameters", ("ParserParams",), "cannot-adopt", message, ("Change ParserParams by hand.",))
    yield from _of_environment(item, desired, different)


def _of_environment(item: Item | WorkbookSource, desired: ArmResource, different: frozenset[str]) -> Iterator[Untakable]:
    document = item.about if isinstance(item, WorkbookSource) else item.document
    inside = ("target",) if desired.kind == "logAlert" else ()
    by_path = {"workbook": {"location": "location", "properties.sourceId": "sourceId"}}
    by_path["logAlert"] = {"location": "location", "properties.scopes": "scopes"}
    for body_path, key in by_path.get(desired.kind, {}).items():
        if not any(path == body_path or path.startswith(f"{body_path}[") for path in different):
            continue
        if document is None or document.node((*inside, key)) is None:
            message = f"The {key} comes from the environment's workspace in toolkit.yaml, and the workspace has another one."
            yield Untakable(body_path, (*inside, key), "of-environment", message, (f"Write {key} into the file to set it here.",))


def _is_real_template(scalar: Scalar) -> bool:
    """Whether Jinja2 does more than to hand the text through between its marks for plain text."""
    text = scalar.text.strip()
    inner = text.removeprefix("{% raw %}").removesuffix("{% endraw %}")
    plain = text.startswith("{% raw %}") and text.endswith("{% endraw %}") and "endraw" not in inner
    return is_template(text) and not plain
