"""From flags to an environment of the project and to its workspace: shared by every verb that speaks to Azure."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from toolkit.azure import Options
    from toolkit.content.project import Project
    from toolkit.deploy.connection import Connection

environment_argument = click.argument("environment", metavar="ENV")
TOKEN_VARIABLE = "TOOLKIT_LOCAL_TOKEN"  # noqa: S105  # the variable's name, not a token


def project_here() -> Project:
    """The project that the current folder lies in. Raises ContentError."""
    from toolkit.content.project import Project

    base = Path.cwd()
    return Project.find(base, base)


def connect(project: Project, environment: str, options: Options | None = None) -> Connection:
    """The clients of an environment for whoever is signed in; see `Connection.open` for what it raises."""
    from toolkit.deploy.connection import Connection, cloud_of, loopback_credential

    credential = loopback_credential(cloud_of(project, environment), os.environ.get(TOKEN_VARIABLE) or "local")
    return Connection.open(project, environment, credential, options)


@contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """A line on standard error that says what is being done, while that is a terminal; it is gone when the block ends."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as shown:
        yield lambda text: shown.update(f"{text} ...")
