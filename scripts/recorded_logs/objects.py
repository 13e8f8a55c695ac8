"""Kubernetes objects that appear as request and response bodies."""

from __future__ import annotations

from scripts.recorded_logs.kube import Json

RBAC = "rbac.authorization.k8s.io"


def service_account(name: str, namespace: str = "default") -> Json:
    """A subject of a binding."""
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def user(name: str) -> Json:
    """A subject of a binding."""
    return {"kind": "User", "apiGroup": RBAC, "name": name}


def group(name: str) -> Json:
    """A subject of a binding."""
    return {"kind": "Group", "apiGroup": RBAC, "name": name}


def binding(name: str, role: str, subjects: list[Json], *, namespace: str = "", role_kind: str = "ClusterRole") -> Json:
    """A ClusterRoleBinding, or a RoleBinding when it has a namespace."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "apiVersion": f"{RBAC}/v1",
        "metadata": {key: value for key, value in metadata.items() if value},
        "subjects": subjects,
        "roleRef": {"apiGroup": RBAC, "kind": role_kind, "name": role},
    }


def stored(item: Json, uid: int, **metadata: Json) -> Json:
    """The object as the server returns it: with uid, version and creation time."""
    added = {
        "uid": f"00000000-0000-0000-0001-{uid:012d}",
        "resourceVersion": str(4_200_000 + uid),
        "creationTimestamp": "2026-03-02T00:00:00Z",
        **metadata,
    }
    return {**item, "metadata": {**item["metadata"], **added}}


def pod_spec(image: str, command: list[str] | None = None, **spec: Json) -> Json:
    """A pod specification with one container."""
    container = {"name": "main", "image": image, **({"command": command} if command else {}), "resources": {}}
    return {"containers": [container], "restartPolicy": "OnFailure", **spec}


def cron_job(name: str, namespace: str, schedule: str, spec: Json, version: str = "batch/v1") -> Json:
    """A CronJob that runs the given pod specification."""
    return {
        "kind": "CronJob",
        "apiVersion": version,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "schedule": schedule,
            "concurrencyPolicy": "Allow",
            "suspend": False,
            "jobTemplate": {"metadata": {}, "spec": {"template": {"metadata": {}, "spec": spec}}},
        },
        "status": {},
    }


def deployment(name: str, namespace: str, image: str) -> Json:
    """A Deployment as a pipeline applies it."""
    return {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": {"spec": pod_spec(image)}},
    }


def pod(name: str, namespace: str, image: str) -> Json:
    """A Pod."""
    return {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name, "namespace": namespace}, "spec": pod_spec(image)}


def lease(name: str, namespace: str, moment: str) -> Json:
    """A Lease, renewed for leader election and node heartbeats."""
    return {
        "kind": "Lease",
        "apiVersion": "coordination.k8s.io/v1",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": moment},
    }
