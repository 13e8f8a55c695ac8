"""Who created and who changed a resource, in the forms in which the services say it.

Every kind has its own: alert rules `properties.lastModifiedUtc`; watchlists and their items `created`, `createdBy`, `updated` and
`updatedBy` among the properties; workbooks `timeModified` and `userId`; saved searches and actions of a rule nothing but the etag.
`systemData` stands beside that where a service gives it (`Behaviour.system_data`).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

DEPLOYER = "deployer@example.com"
ANALYST = "analyst@example.com"
_PEOPLE = UUID("2e1c9f54-54c4-4d0a-9f1a-6d0f5a0f7a11")


def object_id(who: str) -> str:
    """The id of a person or application in the directory, the same in every run."""
    return str(uuid5(_PEOPLE, who))


def user_info(who: str) -> dict[str, str]:
    """As watchlists name people."""
    return {"objectId": object_id(who), "email": who, "name": who.partition("@")[0]}


def system_data(known: dict[str, Any] | None, now: str, who: str) -> dict[str, Any]:
    """As the resource manager names people; `known` is what it said before."""
    created = known or {"createdAt": now, "createdBy": who, "createdByType": "User"}
    return {
        **{key: created[key] for key in ("createdAt", "createdBy", "createdByType")},
        "lastModifiedAt": now,
        "lastModifiedBy": who,
        "lastModifiedByType": "User",
    }
