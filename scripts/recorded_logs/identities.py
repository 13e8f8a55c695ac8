"""Who appears in the recorded cluster: platform, automation, people and the intruder. All names and addresses are reserved or invented."""

from __future__ import annotations

from scripts.recorded_logs.kube import Identity

_AUTH = "system:authenticated"


def node(number: int) -> Identity:
    """A kubelet."""
    return Identity(
        f"system:node:aks-pool1-12345678-vmss00000{number}",
        ("system:nodes", _AUTH),
        (f"10.240.0.{4 + number}",),
        "kubelet/v1.29.2 (linux/amd64) kubernetes/4b8e819",
    )


def controller(name: str) -> Identity:
    """One of kube-controller-manager's own service accounts in kube-system."""
    return Identity(
        f"system:serviceaccount:kube-system:{name}",
        ("system:serviceaccounts", "system:serviceaccounts:kube-system", _AUTH),
        ("172.31.21.155",),
        f"kube-controller-manager/v1.29.2 (linux/amd64) kubernetes/4b8e819/system:serviceaccount:kube-system:{name}",
    )


def pod_account(namespace: str, name: str, address: str, user_agent: str) -> Identity:
    """A workload that uses its own service account."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", _AUTH)
    return Identity(f"system:serviceaccount:{namespace}:{name}", groups, (address,), user_agent)


def person(name: str, address: str, agent: str = "kubectl/v1.29.2 (linux/amd64) kubernetes/4b8e819") -> Identity:
    """A user of the directory: AKS puts the UPN in `username`."""
    return Identity(f"{name}@contoso.com", ("00000000-0000-0000-0000-0000000000d1", _AUTH), (address,), agent)


SCHEDULER = Identity(
    "system:kube-scheduler", (_AUTH,), ("172.31.21.155",), "kube-scheduler/v1.29.2 (linux/amd64) kubernetes/4b8e819/scheduler"
)
MANAGER = Identity(
    "system:kube-controller-manager",
    (_AUTH,),
    ("172.31.21.155",),
    "kube-controller-manager/v1.29.2 (linux/amd64) kubernetes/4b8e819/leader-election",
)
CLOUD_MANAGER = controller("cloud-controller-manager")
API_SERVER = Identity("system:apiserver", ("system:masters",), ("::1",), "kube-apiserver/v1.29.2 (linux/amd64) kubernetes/4b8e819")
AKS_SERVICE = Identity("aksService", ("system:masters", _AUTH), ("172.31.21.155",), "Go-http-client/2.0")
HCP_SERVICE = Identity("hcpService", ("system:masters", _AUTH), ("172.31.21.155",), "hcp-service/v1.0")
PROBLEM_DETECTOR = Identity("aksProblemDetector", (_AUTH,), ("172.31.21.155",), "aks-problem-detector/v1.0")
READINESS = Identity("readinessChecker", (_AUTH,), ("172.31.21.155",), "readiness-checker/v1.0")
ANONYMOUS_PROBE = Identity("system:anonymous", ("system:unauthenticated",), ("10.240.0.4",), "kube-probe/1.29")

PIPELINE_ID = "00000000-0000-0000-0000-0000000000c1"
"""Object id of the release pipeline's service principal: AKS puts it in `username`."""
PIPELINE = Identity(PIPELINE_ID, ("00000000-0000-0000-0000-0000000000d2", _AUTH), ("10.240.8.10",), "Helm/3.14.2")
ALICE = person("alice", "198.51.100.7")
BOB = person("bob", "198.51.100.8", "Lens/2024.3.1 node-fetch")
MALLORY = person("mallory", "203.0.113.40")
METRICS = pod_account("kube-system", "metrics-server", "10.244.1.12", "metrics-server/v0.6.3 (linux/amd64) kubernetes/8a5b1c9")
CERT_MANAGER = pod_account(
    "cert-manager", "cert-manager", "10.244.1.20", "cert-manager-controller/v1.14.3 (linux/amd64) cert-manager/85d5d8d"
)
WEB_POD = pod_account("web", "default", "10.244.2.31", "curl/8.5.0")

MASTERCLIENT = Identity("masterclient", ("system:masters", _AUTH), ("203.0.113.40",), "kubectl/v1.29.2 (linux/amd64) kubernetes/4b8e819")
"""The certificate of `az aks get-credentials --admin`, in the intruder's hands."""
