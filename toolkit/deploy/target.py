"""What a plan is made for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from toolkit.content.models.project import DeployPolicy
from toolkit.deploy.desired import Wanted, shown_name
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


def is_protected(policy: DeployPolicy, found: Found | None, wanted: Wanted | None = None) -> bool:
    """Whether the policy names either of the two: by the id in the file, which is not always that in the workspace, or by a shown name."""
    names = set[str]()
    if wanted is not None:
        names |= {wanted.resource.name, wanted.title}
    if found is not None:
        names |= {found.resource.name, shown_name(found.resource.body), found.mark.content if found.mark else ""}
    return not {name.lower() for name in policy.protect}.isdisjoint(name.lower() for name in names if name)
