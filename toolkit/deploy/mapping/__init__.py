"""Content <-> Azure bodies, and what it means for two bodies to be equal. No HTTP, no clock, no files."""

from toolkit.content.workbooks import WorkbookSource
from toolkit.deploy.mapping.differences import Difference, compared, differences
from toolkit.deploy.mapping.directions import from_arm, kept_keys, to_arm
from toolkit.deploy.mapping.normal import normal
from toolkit.deploy.mapping.resources import ArmResource, ContentFile, MappingError, ResourceKind, Settings, UnmappableError

__all__ = [
    "ArmResource",
    "ContentFile",
    "Difference",
    "MappingError",
    "ResourceKind",
    "Settings",
    "UnmappableError",
    "WorkbookSource",
    "compared",
    "differences",
    "from_arm",
    "kept_keys",
    "normal",
    "to_arm",
]
