"""The queries of a workbook in files of their own: the same workbook, in a form that people can review."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

from toolkit.content.workbooks import FILE_KEY, WorkbookDocument
from toolkit.content.yaml.nodes import Path as Where
from toolkit.workbooks.model import LOGS
from toolkit.workbooks.read import Notes, read_model


def split_workbook(files: WorkbookDocument) -> dict[Path, str]:
    """The texts of all files to write: the JSON, and one .kql per query that does not stand in a file yet.

    A query keeps every character; only what stood in a file already stays where it is.
    """
    content = _as_it_stands(files)
    folder = files.path.with_suffix("")
    taken = {path.stem for path in folder.glob("*.kql")} if folder.is_dir() else set()
    written: dict[Path, str] = {}
    for where, name, text in _queries(files):
        if not _is_long(text) or _at(content, where[:-1])[where[-1]] != text:
            continue
        stem = _free(name, taken)
        taken.add(stem)
        # A file ends with a line break, which is taken off again when it is read.
        written[folder / f"{stem}.kql"] = f"{text}\n"
        _at(content, where[:-1])[where[-1]] = {FILE_KEY: f"{folder.name}/{stem}.kql"}
    return {files.path: json.dumps(content, ensure_ascii=False, indent=2) + "\n", **written}


def _as_it_stands(files: WorkbookDocument) -> Any:
    """The JSON with the references that it has already."""
    return copy.deepcopy(json.loads(files.document.source.text))


def _queries(files: WorkbookDocument) -> list[tuple[Where, str, str]]:
    found: list[tuple[Where, str, str]] = []
    for step in read_model(files, Notes(files)).walk():
        if step.query and step.query.is_local:
            found.append(((*step.content_path, "query"), step.name or step.title or "query", step.query.text))
        asked = [parameter for parameter in step.parameters if parameter.query_type == LOGS]
        found += [((*parameter.path, "query"), parameter.name, parameter.query) for parameter in asked if parameter.query]
    return found


def _is_long(text: str) -> bool:
    return bool(text.strip()) and ("\n" in text or len(text) > 60)


def _free(name: str, taken: set[str]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "query"
    number = 1
    while (found := stem if number == 1 else f"{stem}-{number}") in taken:
        number += 1
    return found


def _at(content: Any, where: Where) -> Any:
    for step in where:
        content = content[step]
    return content
