"""What a plan is made for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from toolkit.content.models.project import DeployPolicy
from toolkit.deploy.desired import Wanted
from toolkit.deploy.mapping import ArmResource
from toolkit.deploy.remote import Found


@dataclass(frozen=True)
class Target:
    """Whose content goes where. `workspace` is the resource id; `now` is the time of the plan."""

    environment: str
    workspace: str
    owner: str
    policy: DeployPolicy
    now: datetime


@dataclass(frozen=True)
class Pair:
    """A wanted resource and what the workspace has of it."""

    wanted: Wanted
    found: Found | None


def is_protected(policy: DeployPolicy, resource: ArmResource, title: str) -> bool:
    names = {name.lower() for name in policy.protect}
    return resource.name.lower() in names or title.lower() in names
