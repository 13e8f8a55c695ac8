"""Recording a table of a workspace: the query, the check of its columns, and the file."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.deploy.record.key import Key
from toolkit.deploy.record.rows import Observer, Recording, Shape, pseudonymise
from toolkit.kql.diagnostics import ToolkitError

if TYPE_CHECKING:
    from toolkit.azure.logs import LogsAnswer, LogsClient, Timespan
    from toolkit.kql.types import TableSchema

_CUSTOM = "_CL"


class RecordingError(ToolkitError):
    """A recording that cannot be made or written, and what to do about it."""


@dataclass(frozen=True)
class Request:
    """What is recorded. `query`: KQL whose output stands for rows of `table`; None: the table as it is."""

    table: str
    query: str | None = None
    timespan: Timespan = None
    limit: int | None = None
    keep: tuple[str, ...] = ()
    allow_partial: bool = False

    @property
    def kql(self) -> str:
        """The query that is sent."""
        text = self.query.strip().rstrip(";") if self.query else self.table
        return f"{text}\n| take {self.limit}" if self.limit is not None else text


@dataclass(frozen=True)
class Recorded:
    """A recording. `unknown` are columns that the table's schema does not have; `is_partial` says that rows are missing."""

    recording: Recording
    unknown: tuple[str, ...]
    is_partial: bool


def record(
    logs: LogsClient, workspace: str, request: Request, key: Key, schema: TableSchema | None, observer: Observer | None = None
) -> Recorded:
    """Runs the query and replaces what names somebody.

    `schema` is the table's, None for a custom table that no catalogue knows. Raises RecordingError for a partial answer and for
    columns to keep that are not there, AzureApiError for what the service refuses, PseudonymCollision.
    """
    from toolkit.azure.logs import LogsQuery

    answer = logs.run(LogsQuery(workspace, request.kql, request.timespan))
    _refuse_partial(answer, request)
    names = [name for name, _ in answer.result.columns]
    if missing := [name for name in request.keep if name not in names]:
        raise RecordingError(f"--keep {missing[0]}: expected a column of the answer, which are {', '.join(names) or 'none'}.")
    known = tuple(schema.columns) if schema is not None else ()
    unknown = tuple(name for name in names if schema is not None and schema.column_type(name) is None)
    shape = Shape(request.table, known, frozenset(request.keep), sort=request.query is None)
    return Recorded(pseudonymise(answer.result, key, shape, observer), unknown, answer.is_partial)


def _refuse_partial(answer: LogsAnswer, request: Request) -> None:
    if answer.error is not None and not request.allow_partial:
        raise RecordingError(f"{answer.error}\nA part of the rows proves nothing; --allow-partial records it all the same.")


def is_custom(table: str) -> bool:
    """Whether a table is one that a workspace defines for itself."""
    return table.endswith(_CUSTOM)


def write_lines(path: Path, lines: Sequence[str], *, force: bool = False) -> None:
    """The lines as a file, whole or not at all. RecordingError for a file that is there already, unless `force`."""
    refuse_existing(path, force=force)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("x", encoding="utf-8", newline="\n") as stream:
                stream.writelines(line + "\n" for line in lines)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be written: {error.strerror}.") from None


def refuse_existing(path: Path, *, force: bool) -> None:
    """RecordingError when a file is there that nobody said may go."""
    if path.exists() and not force:
        raise RecordingError(f"{path}: there is a file already. --force replaces it.")
