"""Values in toolkit.yaml are given to rules that exist.

`rules:` holds parameter values by the name of a rule's file. After the file is renamed they would silently no longer
apply, and the rule would run with its defaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from toolkit.content.findings import Finding, Findings
from toolkit.content.items import Item
from toolkit.content.project import Project
from toolkit.content.yaml.nodes import Path
from toolkit.kql.diagnostics import suggestion


def unknown_rules(project: Project, items: Iterable[Item]) -> list[Finding]:
    """A finding for each name under `rules:` of toolkit.yaml that is no content file's."""
    if project.document is None:
        return []
    names = [item.name for item in items]
    findings = Findings(project.source)
    for path in _given(project):
        if path[-1] not in names:
            message = f"There is no content file {path[-1]}.yaml that these values could be for."
            findings.add("unknown-rule", message, project.document.span(path, key=True), hints=suggestion(str(path[-1]), names))
    return findings.found


def _given(project: Project) -> Iterator[Path]:
    for name in project.config.rules:
        yield ("rules", name)
    for environment, settings in project.config.environments.items():
        for name in settings.rules:
            yield ("environments", environment, "rules", name)
