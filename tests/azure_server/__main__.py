"""A local Azure for manual trials: `python -m tests.azure_server`, until Ctrl-C.

It prints its address, its workspace and an environment for toolkit.yaml, and then every request that it answers.
"""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from threading import Event
from typing import Any

import click
import yaml

from tests.azure_server.clock import Clock
from tests.azure_server.faults import FaultPlan
from tests.azure_server.messages import Record, Request, Response
from tests.azure_server.server import AzureServer
from tests.azure_server.state import Behaviour, Site
from toolkit import Workspace
from toolkit.engine.ingest import discover
from toolkit.kql.diagnostics import ToolkitError


class _Telling(AzureServer):
    """Says what it answers."""

    def answer(self, request: Request, credential: str) -> tuple[Response | None, Record]:
        response, record = super().answer(request, credential)
        fault = f"  [{record.fault}]" if record.fault else ""
        click.echo(f"{request.method:6} {record.status or 'cut'} {request.path}{fault}", err=True)
        for bug in self.bugs:
            click.echo(bug, err=True)
        self.bugs.clear()
        return response, record


def snippet(server: AzureServer) -> str:
    """The environment `local` of a toolkit.yaml: the server's first workspace."""
    site = server.site()
    workspace = {
        "subscription": site.subscription,
        "resourceGroup": site.group,
        "name": site.name,
        "id": site.customer_id,
        "location": "westeurope",
    }
    cloud = {"name": "public", "resourceManager": server.url, "logs": server.url}
    text: str = yaml.safe_dump({"environments": {"local": {"cloud": cloud, "workspace": workspace}}}, sort_keys=False)
    return text


def _engine(tables: Path | None, data: Path | None) -> Workspace:
    """The tables of a file {table: {column: type}}, by default those of the bundled catalogue, with the logs of a folder."""
    engine = Workspace(yaml.safe_load(tables.read_text(encoding="utf-8")) if tables else None)
    for table, files in discover(data).items() if data else ():
        engine.ingest(table, files)
    return engine


def _certificate(path: Path | None, key: Path | None) -> SSLContext | None:
    if path is None:
        return None
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    return context


_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="0: any free one.")
@click.option("--workspace", "name", default="soc", show_default=True, help="Name of the workspace.")
@click.option("--tables", type=_FILE, help="YAML or JSON: {table: {column: type}}; otherwise the tables of the bundled catalogue.")
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder of logs, files named after tables.")
@click.option("--no-queries", is_flag=True, help="Look at no query: every rule is accepted.")
@click.option("--faults", "rate", type=click.FloatRange(0, 1), default=0.0, help="How likely a request meets a fault.")
@click.option("--seed", type=int, default=0, help="Of the faults.")
@click.option("--rates", is_flag=True, help="Enforce the token buckets of a subscription.")
@click.option("--certificate", type=_FILE, help="PEM; the server speaks https then.")
@click.option("--key", type=_FILE, help="PEM of the certificate's private key, when it is not in the same file.")
def main(port: int, name: str, **options: Any) -> None:
    """A local Azure with one workspace."""
    try:
        engine = None if options["no_queries"] else _engine(options["tables"], options["data"])
    except (ToolkitError, yaml.YAMLError) as error:
        raise click.ClickException(str(error)) from None
    server = _Telling(
        Site(name, engine),
        clock=Clock(datetime.now(UTC), running=True),
        faults=FaultPlan(seed=options["seed"], rate=options["rate"]),
        behaviour=Behaviour(enforce_rate=options["rates"], anonymous_queries=True),
        port=port,
        tls=_certificate(options["certificate"], options["key"]),
    )
    stop = Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    with server:
        click.echo(f"# {server.url} serves {server.site().id}")
        click.echo(snippet(server), nl=False)
        stop.wait()
    click.echo(f"{len(server.log)} requests, {sum(server.log.written.values())} resources written.", err=True)


if __name__ == "__main__":
    main(prog_name="python -m tests.azure_server")
