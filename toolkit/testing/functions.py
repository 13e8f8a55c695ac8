"""Analysis of saved functions: the body is bound with its parameters as constants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from toolkit.content.findings import Finding
from toolkit.content.models.function import FunctionFile
from toolkit.content.signature import constants
from toolkit.content.template.render import Query
from toolkit.testing.runner import kql_findings

if TYPE_CHECKING:
    from toolkit import Workspace


def analyze_function(workspace: Workspace, model: FunctionFile, query: Query) -> Iterator[Finding]:
    """What is wrong with the body of a function. One with a table as parameter is only checked where it is called."""
    prefix = constants(model.signature)
    if prefix is None:
        return
    found = workspace.analyze(prefix + query.text).diagnostics
    own = [diagnostic.shifted(-len(prefix)) for diagnostic in found if diagnostic.start >= len(prefix)]
    yield from kql_findings(own, query.text, query)
