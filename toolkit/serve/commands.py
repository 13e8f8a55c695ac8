"""Kusto's management commands that clients ask before they query: `.show databases`, schemas, tables, functions, version.

A command may be piped into a query, as in `.show databases entities | where EntityType == "Table"`. Everything that would
change something is refused by name: the endpoint is read only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from toolkit.catalog import Catalog
from toolkit.engine.budget import Budget
from toolkit.engine.result import Result
from toolkit.engine.session import Workspace
from toolkit.kql.analysis import SavedFunction
from toolkit.kql.diagnostics import ToolkitError
from toolkit.kql.types import TableSchema
from toolkit.serve import cells
from toolkit.serve.answers import DOTNET
from toolkit.serve.databases import Database, Databases
from toolkit.serve.failures import RequestFailed, failed

_NAME = r"""(?:\[\s*(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)")\s*\]|'(?P<quoted>[^']*)'|"(?P<quoted2>[^"]*)"|(?P<bare>[\w.-]+))"""
_WITH = r"(?:\s+with\s*\([^)]*\))?"
_FULL_TYPES = {kind: f"System.{name}" for kind, name in DOTNET.items()} | {"decimal": "System.Data.SqlTypes.SqlDecimal"}
_TABLE = "Command"

_VERSION = "BuildVersion:string BuildTime:datetime ServiceType:string ProductVersion:string ServiceOffering:string"
_DATABASES = (
    "DatabaseName:string PersistentStorage:string Version:string IsCurrent:bool DatabaseAccessMode:string PrettyName:string "
    "ReservedSlot1:bool DatabaseId:guid InTransitionTo:string SuspensionState:string"
)
_ENTITIES = (
    "DatabaseName:string EntityType:string EntityName:string DocString:string Folder:string CslInputSchema:string Content:string "
    "CslOutputSchema:string Properties:dynamic"
)
_TABLES = "TableName:string DatabaseName:string Folder:string DocString:string"
_TABLE_SCHEMA = "TableName:string Schema:string DatabaseName:string Folder:string DocString:string"
_COLUMNS = (
    "DatabaseName:string TableName:string ColumnName:string ColumnType:string IsDefaultTable:bool IsDefaultColumn:bool "
    "PrettyName:string Version:string Folder:string DocString:string"
)
_FUNCTIONS = "Name:string Parameters:string Body:string Folder:string DocString:string"
_VIEWS = (
    "Name:string SourceTable:string Query:string MaterializedTo:datetime LastRun:datetime LastRunResult:string IsHealthy:bool "
    "IsEnabled:bool Folder:string DocString:string AutoUpdateSchema:bool EffectiveDateTime:datetime Lookback:timespan"
)
_EXTERNAL = "TableName:string TableType:string Folder:string DocString:string Properties:string ConnectionStrings:dynamic"
_SCHEMA_VERSION = "v1.0"
_KNOWN = (
    *("version", "databases", "databases entities", "database [NAME] schema [as json]", "schema [as json]"),
    *("tables", "table NAME [cslschema|schema as json]", "functions", "function NAME", "materialized-views", "external tables"),
)

_Rows = list[list[Any]]


@dataclass(frozen=True)
class Listing:
    """What a command gives: columns as "Name:type" and rows of JSON values; or a result, when it was piped into a query."""

    columns: Sequence[tuple[str, str]]
    rows: _Rows
    piped: Result | None = None

    @property
    def count(self) -> int:
        return len(self.rows) if self.piped is None else len(self.piped)

    def v1(self) -> bytes:
        """The answer in version 1: one table."""
        types = {**DOTNET, "bool": "Boolean"}
        columns = self.columns if self.piped is None else self.piped.columns
        described = [{"ColumnName": name, "DataType": types[kind], "ColumnType": kind} for name, kind in columns]
        head = json.dumps({"TableName": "Table_0", "Columns": described, "Rows": []}, ensure_ascii=False).encode()[:-2]
        rows = b",".join(_row(row) for row in self.rows) if self.piped is None else b"".join(part() for part in cells.rows(self.piped))
        return b'{"Tables":[' + head + rows + b"]}]}"

    def result(self) -> Result:
        """The same rows as a query would give them."""
        return self.piped or self.query("", None, None)

    def query(self, pipeline: str, now: datetime | None, budget: Budget | None) -> Result:
        """The rows through a query. Raises RequestFailed."""
        workspace = Workspace(Catalog.of({_TABLE: dict(self.columns)}), threads=1)
        names = [name for name, _ in self.columns]
        try:
            workspace.ingest(_TABLE, [dict(zip(names, row, strict=True)) for row in self.rows])
            found = workspace.fork(budget).query(f"{_TABLE}{pipeline}", now=now)
            cells.check(found)
        except ToolkitError as error:
            raise failed(error, f"{_TABLE}{pipeline}") from None
        finally:
            workspace.close()
        return found


def _row(row: Sequence[Any]) -> bytes:
    return json.dumps(list(row), ensure_ascii=False).encode()


class Commands:
    """Answers commands about the databases that are served."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._forms: list[tuple[re.Pattern[str], Callable[[Database, str], Listing]]] = [
            (_form(text), answer)
            for text, answer in (
                (r"version", lambda here, name: _listing(_VERSION, [_version()])),
                (rf"databases\s+entities{_WITH}", lambda here, name: _listing(_ENTITIES, self._entities())),
                (r"databases", lambda here, name: _listing(_DATABASES, self._rows(here, self._databases.all))),
                (r"database", lambda here, name: _listing(_DATABASES, self._rows(here, [here]))),
                (rf"(?:database\s+{_NAME}|database)\s+schema(?:\s+details)?", lambda here, name: self._schema([self._named(name, here)])),
                (
                    rf"(?:database\s+{_NAME}|database)\s+schema\s+as\s+json{_WITH}",
                    lambda here, name: _json_schema([self._named(name, here)]),
                ),
                (r"(?:databases\s+(?:\([^)]*\)\s+)?)?schema(?:\s+details)?", lambda here, name: self._schema(self._databases.all)),
                (
                    rf"(?:databases\s+(?:\([^)]*\)\s+)?|cluster\s+)?schema\s+as\s+json{_WITH}",
                    lambda here, name: _json_schema(self._databases.all),
                ),
                (r"tables", lambda here, name: _listing(_TABLES, _tables(here, here.tables))),
                (rf"table\s+{_NAME}", lambda here, name: _listing("AttributeName:string AttributeType:string", _attributes(here, name))),
                (rf"table\s+{_NAME}\s+cslschema", lambda here, name: _table_schema(here, name, _csl_columns)),
                (rf"table\s+{_NAME}\s+schema\s+as\s+json", lambda here, name: _table_schema(here, name, _json_columns)),
                (rf"functions{_WITH}", lambda here, name: _listing(_FUNCTIONS, [_function(one) for one in here.functions])),
                (rf"function\s+{_NAME}{_WITH}", lambda here, name: _listing(_FUNCTIONS, _one_function(here, name))),
                (r"materialized-views(?:\s+details)?", lambda here, name: _listing(_VIEWS, [])),
                (r"external\s+tables(?:\s+details)?", lambda here, name: _listing(_EXTERNAL, [])),
            )
        ]

    def answer(self, here: Database, text: str, now: datetime, budget: Budget) -> Listing:
        """The rows of a command, sent to the database `here`. Raises RequestFailed."""
        command, pipeline = _split(text)
        for form, answer in self._forms:
            if match := form.fullmatch(command):
                name = next((value for value in match.groupdict().values() if value is not None), "")
                found = answer(here, name)
                return Listing((), [], found.query(pipeline, now, budget)) if pipeline else found
        if not command.startswith("."):
            raise RequestFailed(
                "request", "Expected a command, which begins with '.', found a query: it belongs to /v1/rest/query or /v2/rest/query."
            )
        words = " ".join(command.split()[:3])
        known = ".show " + "|".join(_KNOWN)
        raise RequestFailed("unsupported", f"The command '{words}' is not supported by this server, which is read only. It knows {known}.")

    def _named(self, name: str, here: Database) -> Database:
        found = self._databases.find(name) if name else here
        if found is None:
            raise RequestFailed("not-found", f"Entity ID '{name}' of kind 'Database' was not found.")
        return found

    def _rows(self, here: Database, databases: Sequence[Database]) -> _Rows:
        mode = "ReadOnly"
        return [[one.name, "", _SCHEMA_VERSION, one is here, mode, one.name, None, one.id, "", ""] for one in databases]

    def _entities(self) -> _Rows:
        rows: _Rows = []
        for one in self._databases.all:
            for table in one.tables:
                rows.append([one.name, "Table", table.name, "", "", "", "", _csl_columns(table).replace(",", ", "), {}])
            for function in one.functions:
                body = f"{{\n{function.body}\n}}"
                rows.append([one.name, "Function", function.name, "", "", f"({function.parameters})", body, "", {}])
        return rows

    def _schema(self, databases: Sequence[Database]) -> Listing:
        """First a row of the database, then each table with its columns."""
        rows: _Rows = []
        for one in databases:
            rows.append([one.name, "", "", "", False, False, one.name, _SCHEMA_VERSION, "", ""])
            for table in one.tables:
                rows.append([one.name, table.name, "", "", False, False, "", "", "", ""])
                for column, kind in table.columns.items():
                    rows.append([one.name, table.name, column, _FULL_TYPES[kind.value], False, False, "", "", "", ""])
        return _listing(_COLUMNS, rows)


def _form(text: str) -> re.Pattern[str]:
    return re.compile(rf"\.show\s+{text}", re.IGNORECASE | re.DOTALL)


def _split(text: str) -> tuple[str, str]:
    """The command, and the query that it is piped into with its bar. A bar inside quotes or brackets is neither."""
    for match in re.finditer(r"""'[^']*'|"[^"]*"|\([^()]*\)|\|""", text):
        if match[0] == "|":
            return text[: match.start()].strip(), text[match.start() :].rstrip().rstrip(";")
    return text.strip().rstrip(";").strip(), ""


def _listing(columns: str, rows: _Rows) -> Listing:
    return Listing([(name, kind) for name, _, kind in (column.partition(":") for column in columns.split())], rows)


def _version() -> list[Any]:
    try:
        number = version("toolkit")
    except PackageNotFoundError:
        number = "0.0.0"
    return [number, None, "Engine", f"toolkit {number}", ""]


def _find(here: Database, name: str) -> TableSchema:
    schema = here.workspace.schema(name)
    if schema is None:
        raise RequestFailed("not-found", f"Entity ID '{name}' of kind 'Table' was not found.")
    return schema


def _tables(here: Database, tables: Sequence[TableSchema]) -> _Rows:
    return [[table.name, here.name, "", ""] for table in tables]


def _attributes(here: Database, name: str) -> _Rows:
    return [[column, kind.value] for column, kind in _find(here, name).columns.items()]


def _table_schema(here: Database, name: str, write: Callable[[TableSchema], str]) -> Listing:
    table = _find(here, name)
    return _listing(_TABLE_SCHEMA, [[table.name, write(table), here.name, "", ""]])


def _csl_columns(table: TableSchema) -> str:
    return ",".join(f"{_quoted(column)}:{kind.value}" for column, kind in table.columns.items())


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else f"['{name}']"


def _function(function: SavedFunction) -> list[Any]:
    return [function.name, f"({function.parameters})", f"{{\n{function.body}\n}}", "", ""]


def _one_function(here: Database, name: str) -> _Rows:
    rows = [_function(function) for function in here.functions if function.name == name]
    if not rows:
        raise RequestFailed("not-found", f"Entity ID '{name}' of kind 'Function' was not found.")
    return rows


# --- schemas as JSON ----------------------------------------------------------------------------------------------------


def _ordered(table: TableSchema) -> list[dict[str, str]]:
    return [{"Name": name, "Type": _FULL_TYPES[kind.value], "CslType": kind.value} for name, kind in table.columns.items()]


def _json_columns(table: TableSchema) -> str:
    return json.dumps({"Name": table.name, "OrderedColumns": _ordered(table)}, ensure_ascii=False)


def _json_schema(databases: Sequence[Database]) -> Listing:
    """What editors with completion read: every table and function of the databases in one JSON text."""
    column = "DatabaseSchema" if len(databases) == 1 else "ClusterSchema"
    text = json.dumps({"Plugins": [], "Databases": {one.name: _json_database(one) for one in databases}}, ensure_ascii=False)
    return _listing(f"{column}:string", [[text]])


def _json_database(one: Database) -> dict[str, Any]:
    tables = {
        table.name: {"Name": table.name, "EntityType": "Table", "Folder": "", "DocString": "", "OrderedColumns": _ordered(table)}
        for table in one.tables
    }
    return {
        "Name": one.name,
        "Tables": tables,
        "ExternalTables": {},
        "MaterializedViews": {},
        "EntityGroups": {},
        "MajorVersion": 1,
        "MinorVersion": 0,
        "Functions": {function.name: _json_function(function) for function in one.functions},
        "DatabaseAccessMode": "ReadOnly",
    }


def _json_function(function: SavedFunction) -> Mapping[str, Any]:
    return {
        "Name": function.name,
        "InputParameters": list(_inputs(function.parameters)),
        "Body": f"{{\n{function.body}\n}}",
        "Folder": "",
        "DocString": "",
        "FunctionKind": "Unknown",
        "OutputColumns": [],
    }


def _inputs(parameters: str) -> Iterator[dict[str, Any]]:
    """The scalar parameters of "a:string, n:long = 5"; a tabular one has columns in parentheses."""
    for match in re.finditer(r"(?P<name>\w+)\s*:\s*(?:\((?P<columns>[^)]*)\)|(?P<kind>\w+)(?:\s*=\s*(?P<default>[^,]+))?)", parameters):
        if match["columns"] is not None:
            columns = [(name.strip(), kind.strip()) for name, _, kind in (part.partition(":") for part in match["columns"].split(","))]
            listed = [{"Name": name, "Type": _FULL_TYPES.get(kind, "System.Object"), "CslType": kind} for name, kind in columns]
            yield {"Name": match["name"], "Columns": listed}
        else:
            default = {"CslDefaultValue": match["default"].strip()} if match["default"] else {}
            yield {"Name": match["name"], "Type": _FULL_TYPES.get(match["kind"], "System.Object"), "CslType": match["kind"], **default}
