"""The catalogue of a project: the bundled tables, and those and the columns that its toolkit.yaml adds."""

from __future__ import annotations

from dataclasses import replace

from toolkit.catalog import Catalog, CatalogError
from toolkit.catalog.catalog import define_table, is_custom_table
from toolkit.content.findings import ContentError, Findings
from toolkit.content.project import Project
from toolkit.content.yaml.nodes import Path
from toolkit.kql.diagnostics import suggestion
from toolkit.kql.source import NOWHERE
from toolkit.kql.types import TableSchema


def catalog_of(project: Project) -> Catalog:
    """Raises ContentError at the place in toolkit.yaml for a table or column that cannot be added."""
    catalog = Catalog.bundled()
    extensions = project.config.catalog
    for name, columns in extensions.tables.items():
        path: Path = ("catalog", "tables", name)
        catalog = catalog.with_table(_defined(project, path, name, dict(columns), open_suffixes=is_custom_table(name)))
    for name, columns in extensions.columns.items():
        known = catalog.table(name)
        path = ("catalog", "columns", name)
        if known is None:
            raise _refused(project, path, f"There is no table {name!r} to add columns to.", suggestion(name, catalog.names()))
        extra = _defined(project, path, name, dict(columns))
        catalog = catalog.with_table(replace(known, columns={**known.columns, **extra.columns}))
    return catalog


def _defined(project: Project, path: Path, name: str, columns: dict[str, str], *, open_suffixes: bool = False) -> TableSchema:
    try:
        return define_table(name, columns, open_suffixes=open_suffixes)
    except CatalogError as error:
        text = str(error)
        raise _refused(project, path, text[:1].upper() + text[1:]) from error


def _refused(project: Project, path: Path, message: str, hints: tuple[str, ...] = ()) -> ContentError:
    findings = Findings(project.source)
    span = project.document.span(path, key=True) if project.document else NOWHERE
    findings.add("bad-table", message, span, hints=hints)
    return ContentError(findings.found)
