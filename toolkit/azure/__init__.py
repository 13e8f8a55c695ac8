"""Azure over HTTP: Resource Manager and the Logs query API. The only room that speaks to them.

`ArmClient` reads and writes content, `LogsClient` runs queries; both come with `Options` (parallelism, retries, time-outs,
cancellation, a hook for every request) and raise the errors of `toolkit.azure.errors`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.azure.client import ArmClient, Written
    from toolkit.azure.cloud import CHINA, PUBLIC, US_GOVERNMENT, Cloud, cloud_named
    from toolkit.azure.credentials import StaticCredential, default_credential
    from toolkit.azure.logs import LogsAnswer, LogsClient, LogsQuery
    from toolkit.azure.parallel import Outcome
    from toolkit.azure.pipeline import Options, RequestRecord, Retries
    from toolkit.azure.resources import Address, Kind, Workspace

__all__ = [
    "CHINA",
    "PUBLIC",
    "US_GOVERNMENT",
    "Address",
    "ArmClient",
    "Cloud",
    "Kind",
    "LogsAnswer",
    "LogsClient",
    "LogsQuery",
    "Options",
    "Outcome",
    "RequestRecord",
    "Retries",
    "StaticCredential",
    "Workspace",
    "Written",
    "cloud_named",
    "default_credential",
]

_HOME = {
    "client": "ArmClient Written",
    "cloud": "CHINA PUBLIC US_GOVERNMENT Cloud cloud_named",
    "credentials": "StaticCredential default_credential",
    "logs": "LogsAnswer LogsClient LogsQuery",
    "parallel": "Outcome",
    "pipeline": "Options RequestRecord Retries",
    "resources": "Address Kind Workspace",
}
_MODULES = {name: module for module, names in _HOME.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    # azure-core takes a while to import: `toolkit --help` does without it.
    if name in _MODULES:
        return getattr(import_module(f"toolkit.azure.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
