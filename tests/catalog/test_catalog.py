"""The bundled catalogue, overlays on it, and exact catalogues from configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.catalog import Catalog, CatalogError
from toolkit.catalog.build import build, cleaned
from toolkit.catalog.diagnostics import CATEGORY_COLUMNS
from toolkit.catalog.encoding import TableText, encode
from toolkit.kql.types import ScalarType, TableSchema

SOURCE = Path(__file__).resolve().parents[3] / "shared" / "catalog" / "tables.json"

names = st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters="_ "), min_size=1, max_size=8)
kinds = st.sampled_from([kind.value for kind in ScalarType])
tables = st.dictionaries(names, st.dictionaries(names, kinds, min_size=1, max_size=6), max_size=5)


def column_types(schema: TableSchema | None) -> dict[str, str]:
    assert schema is not None
    return {name: kind.value for name, kind in schema.columns.items()}


@given(tables, st.dictionaries(names, kinds, max_size=3))
def test_the_encoding_keeps_tables_columns_order_and_types(given: dict[str, dict[str, str]], standard: dict[str, str]) -> None:
    text = TableText(encode(given, standard))
    assert sorted(text.names()) == sorted(given)
    for name, columns in given.items():
        assert list(text.columns(name).items()) == list(columns.items())


def test_the_bundled_data_is_what_the_generator_makes() -> None:
    if not SOURCE.exists():
        pytest.skip(f"{SOURCE} is not here")
    source = json.loads(SOURCE.read_text(encoding="utf-8"))
    data = Path(__file__).resolve().parents[2] / "toolkit" / "catalog" / "data" / "tables.txt"
    assert build(source) == data.read_text(encoding="utf-8")
    bundled = Catalog.bundled()
    assert list(bundled.names()) == sorted(source)
    for name, columns in cleaned(source).items():
        found = column_types(bundled.table(name))
        assert {column: found[column] for column in columns} == columns
        assert list(found)[: len(columns)] == list(columns)
        assert name == "AzureDiagnostics" or len(found) == len(columns)


def test_a_known_table() -> None:
    """R-339."""
    schema = Catalog.bundled().table("AKSAudit")
    assert schema is not None
    assert schema.column_type("User") is ScalarType.DYNAMIC
    assert schema.column_type("StageReceivedTime") is ScalarType.DATETIME
    assert schema.column_type("anything_s") is None
    assert not schema.open_suffixes
    assert column_types(Catalog.bundled().table("AKSAuditAdmin")) == column_types(schema)


def test_columns_that_differ_only_by_case_are_both_there() -> None:
    schema = Catalog.bundled().table("AzureActivity")
    assert schema is not None
    assert {"CallerIpAddress"} <= set(schema.columns)
    diagnostics = Catalog.bundled().table("AzureDiagnostics")
    assert diagnostics is not None
    assert {"clientIP_s", "clientIp_s"} <= set(diagnostics.columns)


@pytest.mark.parametrize("name", ["aksaudit", "AKSAUDIT", "NoSuchTable", "", "!standard", "AKSAudit\t2", "\n"])
def test_unknown_tables(name: str) -> None:
    assert Catalog.bundled().table(name) is None


@pytest.mark.parametrize("column", ["log_s", "pod_s", "stream_s", "containerID_s", "ccpNamespace_s", "Cloud_s", "Environment_s", "attrs_s"])
def test_azure_diagnostics_knows_kube_audit(column: str) -> None:
    schema = Catalog.bundled().table("AzureDiagnostics")
    assert schema is not None
    assert schema.columns[column] is ScalarType.STRING
    assert column in CATEGORY_COLUMNS["kube-audit"]


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        ("AzureDiagnostics", "brandNew_d", ScalarType.REAL),
        ("AzureDiagnostics", "brandNew_b", ScalarType.BOOL),
        ("AzureDiagnostics", "brandNew_t", ScalarType.DATETIME),
        ("AzureDiagnostics", "brandNew_g", ScalarType.GUID),
        ("AzureDiagnostics", "brandNew", None),
        ("AzureDiagnostics", "Log_S", None),
        ("Okta_CL", "brandNew_s", ScalarType.STRING),
        ("AzureActivity", "brandNew_s", None),
    ],
)
def test_suffixes_open_diagnostics_and_custom_tables(table: str, column: str, expected: ScalarType | None) -> None:
    schema = Catalog.bundled().table(table)
    assert schema is not None
    assert schema.column_type(column) is expected


def test_an_overlay_leaves_the_catalogue_as_it_was() -> None:
    bundled = Catalog.bundled()
    mine = TableSchema("My_CL", {"x_s": ScalarType.STRING})
    hidden = TableSchema("AKSAudit", {"only": ScalarType.LONG})
    overlaid = bundled.with_table(mine).with_table(hidden)
    assert overlaid.table("My_CL") is mine
    assert overlaid.table("AKSAudit") is hidden
    assert overlaid.table("AzureActivity") == bundled.table("AzureActivity")
    assert len(overlaid.names()) == len(bundled.names()) + 1
    assert bundled.table("My_CL") is None
    assert Catalog.bundled() is bundled


def test_an_exact_catalogue() -> None:
    catalog = Catalog.of({"T_CL": {"a": "long", "b": "date", "c": ScalarType.GUID}})
    assert column_types(catalog.table("T_CL")) == {"a": "long", "b": "datetime", "c": "guid"}
    assert catalog.table("AKSAudit") is None
    assert list(catalog.names()) == ["T_CL"]
    schema = catalog.table("T_CL")
    assert schema is not None
    assert schema.column_type("z_s") is None
    assert catalog.with_table(TableSchema("U", {"x": ScalarType.INT})).names() == ("T_CL", "U")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"T": {"a": "strng"}}, r"table 'T', column 'a': expected a KQL type .* found 'strng'\. Did you mean 'string'\?"),
        ({"T": {"a": "String"}}, r"found 'String'\. Did you mean 'string'\?"),
        ({"T": {"a": None}}, "found None"),
        ({"T": {}}, "found an empty mapping"),
        ({"T": ["a"]}, "table 'T': expected its columns"),
        ({"": {"a": "long"}}, "expected the name of a table, found ''"),
        ({"T": {" ": "long"}}, "expected the name of a column, found ' '"),
        ({3: {"a": "long"}}, "expected the name of a table, found 3"),
        (["T"], "expected a mapping .* found list"),
    ],
)
def test_bad_definitions(bad: object, message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        Catalog.of(bad)  # type: ignore[arg-type]  # the point of the test
