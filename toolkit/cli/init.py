"""`toolkit init`."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import click

from toolkit.cli.console import echo
from toolkit.cli.main import CLEAN
from toolkit.cli.new import write_new


@click.command("init", short_help="Make a new project folder that validates at once.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
def command(folder: Path) -> int:
    """Make a project in FOLDER (the current one by default): toolkit.yaml, and an example rule with cases and a log."""
    from toolkit.catalog import Catalog
    from toolkit.content.scaffold import new_project

    table = Catalog.bundled().table("SigninLogs")
    assert table is not None
    for path in write_new(folder, new_project(folder.resolve().name, table, uuid4())):
        echo(f"wrote {path}")
    inside = "" if folder == Path() else f"cd {folder} && "
    echo(f"Next: `{inside}toolkit validate`.")
    return CLEAN
