"""Saved search functions ("parsers"), in the YAML formats that are in use, and watchlists."""

from __future__ import annotations

from pydantic import Field
from pydantic.alias_generators import to_pascal

from toolkit.content.models.fields import Anything, ContentModel, Duration, Integer, Text, Texts
from toolkit.content.models.rule import Parameter


class FunctionFile(ContentModel):
    """What the formats have in common: a name to call it by, the key of its query, its parameters as Azure writes them."""

    parameters: dict[str, Parameter] = Field({}, alias="parameters")
    arm_properties: Anything = Field(None, alias="armProperties")

    @property
    def name(self) -> str:
        """The name that queries call it by."""
        raise NotImplementedError

    @property
    def name_key(self) -> str:
        raise NotImplementedError

    @property
    def query_key(self) -> str:
        raise NotImplementedError

    @property
    def signature(self) -> str:
        """Its parameters in the form of `functionParameters`: `a:string, b:long=5`."""
        raise NotImplementedError


class ParserParameter(ContentModel):
    name: Text = Field(alias="Name")
    type: Text = Field(alias="Type")
    default: Text | None = Field(None, alias="Default")
    description: Text = Field("", alias="Description")


class ParserFile(FunctionFile):
    """The Azure-Sentinel repository's formats: `Function... FunctionQuery` and `Parser... ParserQuery`."""

    model_config = {"alias_generator": to_pascal}

    id: Text | None = Field(None, alias="id")
    version: Text | None = Field(None, alias="version")
    function: Anything = None
    parser: Anything = None
    category: Text | None = None
    description: Text = ""
    function_name: Text | None = None
    function_alias: Text | None = None
    function_query: Text | None = None
    function_parameters: Text | None = None
    parser_name: Text | None = None
    parser_query: Text | None = None
    parser_params: list[ParserParameter] = []
    equivalent_built_in_parser: Text | None = None
    parsers: Anything = None
    product: Anything = None
    normalization: Anything = None
    references: Anything = None
    required_data_connectors: Anything = Field(None, alias="requiredDataConnectors")

    @property
    def name(self) -> str:
        return self.function_alias or self.function_name or self.parser_name or ""

    @property
    def name_key(self) -> str:
        if self.parser_query is not None:
            return "ParserName"
        return "FunctionName" if self.function_name and not self.function_alias else "FunctionAlias"

    @property
    def query_key(self) -> str:
        return "ParserQuery" if self.parser_query is not None else "FunctionQuery"

    @property
    def signature(self) -> str:
        if self.function_parameters is not None:
            return self.function_parameters
        return ", ".join(f"{p.name}:{p.type}" + (f"={_default(p)}" if p.default is not None else "") for p in self.parser_params)


class SavedFunctionFile(FunctionFile):
    """The keys of a saved search itself: `functionAlias`, `query`, `functionParameters`."""

    id: Text | None = None
    saved_name: Text | None = Field(None, alias="name")
    display_name: Text | None = None
    description: Text = ""
    version: Text | None = None
    category: Text | None = None
    function_alias: Text = ""
    function_parameters: Text = ""
    query: Text = ""
    tags: Anything = None
    metadata: Anything = None
    author: Anything = None
    required_data_connectors: Anything = None

    @property
    def name(self) -> str:
        return self.function_alias

    @property
    def name_key(self) -> str:
        return "functionAlias"

    @property
    def query_key(self) -> str:
        return "query"

    @property
    def signature(self) -> str:
        return self.function_parameters


def _default(parameter: ParserParameter) -> str:
    """ASIM parsers write the default of a string with or without quotes."""
    text = parameter.default or ""
    if parameter.type.lower() == "string" and not text.startswith(("'", '"', "@", "dynamic(")):
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return text


class WatchlistFile(ContentModel):
    """What a watchlist is, beside the .csv file of the same name that holds its rows."""

    id: Text | None = None
    watchlist_alias: Text | None = None
    alias: Text | None = None
    display_name: Text | None = None
    name: Text | None = None
    description: Text = ""
    provider: Text | None = None
    source: Text | None = None
    source_type: Text | None = None
    items_search_key: Text | None = None
    search_key: Text | None = None
    content_type: Text | None = None
    number_of_lines_to_skip: Integer = 0
    raw_content: Text | None = None
    file: Text | None = None
    labels: Texts = []
    default_duration: Duration | None = None
    metadata: Anything = None
    tags: Anything = None
    version: Text | None = None
    arm_properties: Anything = None

    @property
    def key(self) -> str | None:
        return self.items_search_key or self.search_key
