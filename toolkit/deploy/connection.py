"""From an environment of toolkit.yaml to clients of its workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.azure import ArmClient, LogsClient, Options, StaticCredential, Workspace, cloud_named, default_credential
from toolkit.azure.cloud import is_loopback, origin
from toolkit.deploy.mapping import Settings

if TYPE_CHECKING:
    from toolkit.azure import Cloud
    from toolkit.content.models.project import Environment
    from toolkit.content.project import Project


@dataclass(frozen=True)
class Connection:
    """The clients of one environment. `workspace_id` is the workspace's id in the Logs query API (a GUID, or its resource id)."""

    environment: str
    workspace: Workspace
    workspace_id: str
    arm: ArmClient
    logs: LogsClient

    @classmethod
    def open(cls, project: Project, environment: str, credential: Any = None, options: Options | None = None) -> Connection:
        """The clients of `environment`; nothing is sent yet.

        `credential` is anything azure-core takes, by default whoever is signed in; without `options` the environment's policy says how many
        requests there are at one time. Raises ContentError at the place in
        toolkit.yaml for an environment that names no workspace, CloudSettingError for a cloud or endpoint that is none.
        """
        target = Settings(project, environment).complete_workspace
        cloud = cloud_of(project, environment)
        credential = default_credential(cloud) if credential is None else credential
        options = options or Options(parallelism=environment_of(project, environment).deploy.parallelism)
        workspace = Workspace(target.subscription or "", target.resource_group or "", target.name or "")
        return cls(
            environment,
            workspace,
            target.id or workspace.id,
            ArmClient(cloud, credential, options),
            LogsClient(cloud, credential, options),
        )

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.arm.close()
        self.logs.close()


def loopback_credential(cloud: Cloud, token: str) -> Any:
    """Nobody is signed in to a stand-in for Azure on this machine: it gets `token`, which goes nowhere else. None for every other cloud."""
    hosts = [origin(endpoint)[1] for endpoint in (cloud.resource_manager, cloud.logs)]
    return StaticCredential(token) if all(map(is_loopback, hosts)) else None


def cloud_of(project: Project, environment: str) -> Cloud:
    """The cloud that an environment is in, at its own endpoints where it has some."""
    setting = environment_of(project, environment).cloud
    return cloud_named(setting.name).at(resource_manager=setting.resource_manager, logs=setting.logs)


def environment_of(project: Project, name: str) -> Environment:
    """An environment by its name. Raises ContentError for one that toolkit.yaml does not have."""
    found = project.environment(name)
    assert found is not None, "an environment that is named is there, or the project has refused it"
    return found
