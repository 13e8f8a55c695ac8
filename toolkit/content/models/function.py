"""Saved search functions ("parsers"), in both YAML formats of the Azure-Sentinel repository, and watchlists."""

from __future__ import annotations

from pydantic import Field
from pydantic.alias_generators import to_pascal

from toolkit.content.models.fields import Anything, ContentModel, Duration, Integer, Text, Texts
from toolkit.content.models.rule import Parameter


class ParserParameter(ContentModel):
    name: Text = Field(alias="Name")
    type: Text = Field(alias="Type")
    default: Text | None = Field(None, alias="Default")
    description: Text = Field("", alias="Description")


class FunctionFile(ContentModel):
    """Either `Function... FunctionQuery` or `Parser... ParserQuery`; the properties give one view of both."""

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
    parameters: dict[str, Parameter] = Field({}, alias="parameters")

    @property
    def name(self) -> str:
        """The name that queries call it by."""
        return self.function_alias or self.function_name or self.parser_name or ""

    @property
    def query_key(self) -> str:
        return "ParserQuery" if self.parser_query is not None else "FunctionQuery"

    @property
    def signature(self) -> str:
        """Its parameters in the form of `functionParameters`: `a:string, b:long=5`."""
        if self.function_parameters is not None:
            return self.function_parameters
        return ", ".join(f"{p.name}:{p.type}" + (f"={_default(p)}" if p.default is not None else "") for p in self.parser_params)


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

    @property
    def key(self) -> str | None:
        return self.items_search_key or self.search_key
