"""The plan of an environment: reads the files, reads the workspace, and compares. What every verb that needs a plan calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from toolkit.azure.errors import AzureApiError
from toolkit.azure.logs import LogsSchema
from toolkit.azure.resources import RULE_ACTION
from toolkit.content.findings import ContentError, Findings
from toolkit.content.models.project import Environment
from toolkit.content.project import Project
from toolkit.deploy.connection import Connection, environment_of
from toolkit.deploy.desired import Desired, Key, desired_state, settings_of
from toolkit.deploy.mapping import ResourceKind, Settings
from toolkit.deploy.plan import Plan, Step
from toolkit.deploy.planning import make_plan
from toolkit.deploy.preflight import Preflight, preflight
from toolkit.deploy.remote import CATEGORIES, Remote, categories_of, read_remote
from toolkit.deploy.removal import leaving_functions
from toolkit.deploy.target import Target
from toolkit.kql.source import NOWHERE

_ALL = 1_000_000_000
Report = Callable[[str], None]
"""Told what is being done, in a few words."""


@dataclass(frozen=True)
class PlanOptions:
    """`now`: the time of the plan. `prune` and `max_deletes` override the environment's policy."""

    now: datetime
    prune: bool | None = None
    max_deletes: int | None = None


@dataclass(frozen=True)
class Situation:
    """Everything that a plan is made of."""

    target: Target
    desired: Desired
    remote: Remote
    checked: dict[Key, Preflight]
    notes: tuple[str, ...] = ()

    def plan(self) -> Plan:
        found = make_plan(self.target, self.desired, self.remote, self.checked)
        return replace(found, notes=(*found.notes, *self.notes))


def plan_environment(project: Project, environment: str, connection: Connection, options: PlanOptions, report: Report) -> Plan:
    """The plan for `environment`, with what it would do and what forbids it.

    Raises ContentError when toolkit.yaml is not enough for it, AzureApiError when the workspace cannot be read.
    """
    plan = situation(project, environment, connection, options, report).plan()
    steps = tuple(_with_actions(step, connection) if step.action == "replace" else step for step in plan.steps)
    return replace(plan, steps=steps)


def situation(project: Project, environment: str, connection: Connection, options: PlanOptions, report: Report) -> Situation:
    """Reads the files and the workspace; see `plan_environment` for errors."""
    found = environment_of(project, environment)
    target = target_of(project, environment, found, connection, options)
    report("reading the files")
    desired = desired_state(project, environment)
    report("reading the workspace")
    kinds: set[ResourceKind] = {kind for kind, _ in desired.wanted}
    aliases = [one.resource.name for one in desired.wanted.values() if one.resource.kind == "watchlist"]
    books = categories_of(one.resource.body for one in desired.wanted.values() if one.resource.kind == "workbook")
    remote = read_remote(connection, kinds, aliases, categories=books)
    report("checking queries against the workspace")
    schema, note = _schema(connection)
    settings = settings_of(project, environment, found)
    checked = _checked(target, desired, remote, schema, settings) if schema else {}
    return Situation(target, desired, remote, checked, (note,) if note else ())


def _checked(target: Target, desired: Desired, remote: Remote, schema: LogsSchema, settings: Settings) -> dict[Key, Preflight]:
    """What is wrong with queries in the workspace as the plan leaves it: without the functions that it deletes."""
    gone = {} if desired.findings else leaving_functions(target, remote, desired.wanted.keys())
    functions = {name: function for name, function in schema.functions.items() if name not in gone.values()}
    staying = [found for key, found in remote.found.items() if key not in gone]
    return preflight(desired.wanted.values(), staying, replace(schema, functions=functions), settings)


def target_of(project: Project, name: str, environment: Environment, connection: Connection, options: PlanOptions) -> Target:
    """Raises ContentError for a project without a name: its marks would belong to nobody."""
    if not project.config.name:
        findings = Findings(project.source)
        message = "A project needs a name to deploy: it marks in the workspace what is this project's."
        findings.add("missing-key", message, NOWHERE, hints=["Add for example name: sentinel-detections."])
        raise ContentError(findings.found)
    _only_environment(project, name, environment)
    policy = environment.deploy
    if options.prune is not None:
        policy = policy.model_copy(update={"prune": options.prune})
    if options.max_deletes is not None:
        policy = policy.model_copy(update={"max_deletes": options.max_deletes})
    return Target(name, connection.workspace.id, project.config.name, policy, options.now)


def _only_environment(project: Project, name: str, environment: Environment) -> None:
    """Two environments on one workspace would undo each other: the mark knows the project only."""
    place = _place(environment)
    for other, settings in project.config.environments.items():
        if other != name and place is not None and _place(settings) == place:
            findings = Findings(project.source)
            span = project.document.span(("environments", name, "workspace")) if project.document else NOWHERE
            message = f"The environments {name!r} and {other!r} are the same workspace: each would delete what only the other has."
            findings.add(
                "same-workspace", message, span, hints=["Make one environment of the two, or two projects with names of their own."]
            )
            raise ContentError(findings.found)


def _place(environment: Environment) -> tuple[str, str, str] | None:
    found = environment.workspace
    if found is None or not (found.subscription and found.resource_group and found.name):
        return None
    return found.subscription.lower(), found.resource_group.lower(), found.name.lower()


def _schema(connection: Connection) -> tuple[LogsSchema | None, str]:
    try:
        return connection.logs.schema(connection.workspace_id), ""
    except AzureApiError as error:
        first = str(error).splitlines()[0]
        return None, f"Queries were not checked against the workspace's tables, because its metadata cannot be read. {first}"


def _with_actions(step: Step, connection: Connection) -> Step:
    """A new rule does not have the playbooks of the rule that it replaces: people have to know."""
    try:
        actions = connection.arm.list(RULE_ACTION, connection.workspace, step.replaces)
    except AzureApiError:
        return step
    if not actions:
        return step
    note = f"the old rule runs {len(actions)} playbook{'s' if len(actions) > 1 else ''}; the new one does not: attach them again"
    return replace(step, notes=(*step.notes, note))


def plan_destruction(project: Project, environment: str, connection: Connection, options: PlanOptions, report: Report) -> Plan:
    """The plan that deletes everything of this project; see `plan_environment` for errors."""
    found = environment_of(project, environment)
    target = target_of(project, environment, found, connection, options)
    report("reading the workspace")
    policy = target.policy.model_copy(update={"prune": True, "max_deletes": _ALL})
    return make_plan(replace(target, policy=policy), Desired(), read_remote(connection, (), (), categories=CATEGORIES))


def with_environment_of(old: Project, today: Project, environment: str) -> Project:
    """A project of an earlier revision that deploys as today's does: workspace, cloud and policy are today's, content and parameters its
    own. An environment that it did not have yet has today's parameters."""
    now = environment_of(today, environment)
    then = old.config.environments.get(environment, now)
    kept = {"workspace": now.workspace, "cloud": now.cloud, "deploy": now.deploy, "prefix": now.prefix}
    environments = {**old.config.environments, environment: then.model_copy(update=kept)}
    config = old.config.model_copy(update={"environments": environments, "name": today.config.name})
    return Project(old.root, old.base, config, old.document)
