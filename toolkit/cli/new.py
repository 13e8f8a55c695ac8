"""`toolkit new`, and writing files that must not exist yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import click

from toolkit.cli.console import echo
from toolkit.cli.main import CLEAN


@click.group("new", short_help="Write a new rule with its cases and a sample log.")
def command() -> None:
    """Write new content."""


@command.command("rule")
@click.argument("name")
@click.option("--system", default="custom", show_default=True, metavar="NAME", help="The folder under detections/ that it goes into.")
@click.option("--table", default="SigninLogs", show_default=True, metavar="TABLE", help="The table that it reads.")
def rule(name: str, system: str, table: str) -> int:
    """Write a rule called NAME, two cases for it and a recorded log; they validate as they are."""
    from toolkit.content.extensions import catalog_of
    from toolkit.content.project import Project
    from toolkit.content.scaffold import new_rule, slug
    from toolkit.kql.diagnostics import suggestion

    base = Path.cwd()
    project = Project.find(base, base)
    catalog = catalog_of(project)
    schema = catalog.table(table)
    if schema is None:
        hint = " ".join(suggestion(table, catalog.names())) or "Custom tables are declared under `catalog:` in toolkit.yaml."
        raise click.UsageError(f"There is no table {table!r}. {hint}")
    folder = project.root / "detections" / slug(system)
    written = write_new(folder, new_rule(name, schema, uuid4()))
    for path in written:
        echo(f"wrote {project.show(path)}")
    echo(f"Next: edit the rule, then `toolkit validate {project.show(written[0])}`.")
    return CLEAN


def write_new(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write files below a folder. Refuses, before it writes any, when one of them exists."""
    targets = {folder / path: text for path, text in files.items()}
    for path in targets:
        if path.exists():
            raise click.UsageError(f"{path} exists already; nothing was written.")
    try:
        for path, text in targets.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{error.filename or folder} cannot be written: {error.strerror}.") from error
    return list(targets)
