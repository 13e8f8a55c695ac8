"""Detection content for Microsoft Sentinel as code: render, validate on recorded logs, deploy."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.engine.errors import QueryCancelled, QueryFailed, QueryTimeout
    from toolkit.engine.ingest import IngestError
    from toolkit.engine.result import Result
    from toolkit.engine.session import Step, Workspace
    from toolkit.kql.analysis import Analysis
    from toolkit.kql.diagnostics import Diagnostic, KqlError, ToolkitError, UnsupportedKqlError

__all__ = [
    "Analysis",
    "Diagnostic",
    "IngestError",
    "KqlError",
    "QueryCancelled",
    "QueryFailed",
    "QueryTimeout",
    "Result",
    "Step",
    "ToolkitError",
    "UnsupportedKqlError",
    "Workspace",
]

# Imported when they are first asked for: `import toolkit.kql` must work, and start fast, without the engine.
_HOMES = {
    "Analysis": "kql.analysis",
    "Diagnostic": "kql.diagnostics",
    "IngestError": "engine.ingest",
    "KqlError": "kql.diagnostics",
    "QueryCancelled": "engine.errors",
    "QueryFailed": "engine.errors",
    "QueryTimeout": "engine.errors",
    "Result": "engine.result",
    "Step": "engine.session",
    "ToolkitError": "kql.diagnostics",
    "UnsupportedKqlError": "kql.diagnostics",
    "Workspace": "engine.session",
    # What `%load_ext toolkit` looks for; IPython is there already when it does.
    "load_ipython_extension": "jupyter",
    "unload_ipython_extension": "jupyter",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
