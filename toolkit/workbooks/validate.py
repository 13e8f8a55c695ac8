"""All checks of one workbook."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from toolkit.content.findings import Finding
from toolkit.content.workbooks import WorkbookDocument, is_workbook
from toolkit.kql.analysis import Analysis
from toolkit.workbooks.checks.inspection import Inspection
from toolkit.workbooks.checks.leaks import check_leaks
from toolkit.workbooks.checks.parameters import check_parameters
from toolkit.workbooks.checks.queries import check_queries
from toolkit.workbooks.checks.sources import check_sources
from toolkit.workbooks.checks.structure import check_structure
from toolkit.workbooks.checks.visibility import check_visibility
from toolkit.workbooks.checks.visuals import check_visuals
from toolkit.workbooks.read import Notes, read_model
from toolkit.workbooks.scopes import Scopes

_ANY_DAY = datetime(2026, 1, 2, tzinfo=UTC)
"""Only the shape of a query matters to a check, not which day it asks for."""

_CHECKS: tuple[Callable[[Inspection], None], ...] = (
    check_structure,
    check_queries,
    check_sources,  # after the queries: merges need their columns
    check_visuals,  # after the queries: it needs their columns
    check_parameters,
    check_visibility,
    check_leaks,
)


def check_workbook(files: WorkbookDocument, analyze: Callable[[str], Analysis]) -> list[Finding]:
    """What is wrong with a workbook whose files were read. `analyze` binds a query to the tables and functions of the project."""
    if files.document.root is None or not is_workbook(files.document):
        return []  # the reader has said so
    notes = Notes(files)
    workbook = read_model(files, notes)
    seen = Inspection(files, workbook, Scopes.of(workbook), notes, analyze, _ANY_DAY)
    for check in _CHECKS:
        check(seen)
    return notes.found
