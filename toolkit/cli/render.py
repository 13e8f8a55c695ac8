"""`toolkit render`."""

from __future__ import annotations

from pathlib import Path

import click

from toolkit.cli.console import echo_finding
from toolkit.cli.main import CLEAN, ENVIRONMENT, FINDINGS


@click.command("render", short_help="Print the KQL of a rule with its template parameters filled in.")
@click.argument("rule", type=click.Path(path_type=Path))
@click.option("--env", "environment", metavar="NAME", help="Environment of toolkit.yaml whose parameter values are used.")
def command(rule: Path, environment: str | None) -> int:
    """Print the query of RULE (a rule, hunting query or function) as it is deployed."""
    from toolkit.content.findings import ContentError, Findings
    from toolkit.content.project import Project
    from toolkit.content.values import ItemQuery

    base = Path.cwd()
    try:
        project = Project.find(rule, base)
        project.environment(environment)
        items = project.select([rule])
    except ContentError as error:
        for finding in error.findings:
            echo_finding(finding)
        return ENVIRONMENT
    if len(items) != 1:
        raise click.UsageError(f"Expected the file of one rule, found {len(items)} in {rule}.")
    item = items[0]
    findings = Findings(item.source)
    query = ItemQuery(item, project, environment).render(findings)
    if query is None and not findings.errors:
        findings.found.extend(item.findings)
    for finding in findings.found:
        echo_finding(finding)
    if query is None or findings.errors:
        return FINDINGS
    click.echo(query.text, nl=not query.text.endswith("\n"))
    return CLEAN
