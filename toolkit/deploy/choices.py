"""What the operators of a workspace decide: fields whose value there wins over the file's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from toolkit.content.models.project import DeployPolicy
from toolkit.deploy.mapping import ArmResource


def kept_paths(wanted: ArmResource, policy: DeployPolicy) -> tuple[str, ...]:
    """The paths of the body that an update takes from the workspace."""
    by_policy = wanted.by_policy if policy.enabled_state == "keep" else ()
    named = (path if path.partition(".")[0] in ("properties", "tags") else f"properties.{path}" for path in policy.keep)
    return tuple(dict.fromkeys([*by_policy, *named]))


def with_choices(wanted: ArmResource, remote: ArmResource, policy: DeployPolicy) -> ArmResource:
    """The wanted resource with the operators' values where the policy keeps them."""
    paths = [path for path in kept_paths(wanted, policy) if _get(wanted.body, path.split(".")) != _get(remote.body, path.split("."))]
    if not paths:
        return wanted
    body = dict(wanted.body)
    for path in paths:
        body = _set(body, path.split("."), _get(remote.body, path.split(".")))
    return replace(wanted, body=body)


def _get(values: Any, steps: list[str]) -> Any:
    for step in steps:
        values = values.get(step) if isinstance(values, Mapping) else None
    return values


def _set(values: Mapping[str, Any], steps: list[str], value: Any) -> dict[str, Any]:
    """A copy with the value at the path; None takes it away."""
    first, *rest = steps
    result = dict(values)
    if rest:
        inner = result.get(first)
        result[first] = _set(inner if isinstance(inner, Mapping) else {}, rest, value)
    elif value is None:
        result.pop(first, None)
    else:
        result[first] = value
    return result
