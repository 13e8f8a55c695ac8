"""Attacks on the cluster, and harmless requests that look like them. One function per scenario; each is recorded in both log shapes.

`*_evasions` hold the variants that a rule which looks only for the textbook request would miss: every request in them has to alert.
`*_harmless` hold what a rule must not alert on: dry runs, refusals, status updates, reads.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from scripts.recorded_logs import identities as who
from scripts.recorded_logs.kube import COMPLETE, RECEIVED, STARTED, TOO_BIG, Call, at
from scripts.recorded_logs.objects import RBAC, binding, cron_job, group, pod_spec, service_account, stored, user

_CLUSTER_BINDINGS = f"{RBAC}/v1/clusterrolebindings"
_ROLE_BINDINGS = f"{RBAC}/v1/rolebindings"
_CRON_JOBS = "batch/v1/cronjobs"
_ONCE = (COMPLETE,)
_EXEC_OPEN = (RECEIVED, STARTED)


def cluster_admin() -> list[Call]:
    """`kubectl create clusterrolebinding my-svc-acct-admin --clusterrole=cluster-admin --serviceaccount=default:builder` with the admin
    certificate, between the reads that kubectl makes."""
    item = binding("my-svc-acct-admin", "cluster-admin", [service_account("builder")])
    do = partial(Call, who=who.MASTERCLIENT)
    return [
        do(at=at("09:14:05.2"), verb="get", resource="/openapi/v3", query="timeout=32s"),
        do(at=at("09:14:06.4"), verb="list", resource="v1/serviceaccounts", namespace="default", query="limit=500"),
        do(
            at=at("09:14:07.011111"),
            verb="create",
            resource=_CLUSTER_BINDINGS,
            name="my-svc-acct-admin",
            query="fieldManager=kubectl-create&fieldValidation=Strict",
            body=item,
            answer=stored(item, 101),
            code=201,
        ),
        do(at=at("09:14:20.7"), verb="get", resource=_CLUSTER_BINDINGS, name="my-svc-acct-admin"),
    ]


def cluster_admin_evasions() -> list[Call]:
    """Eight ways to administrator rights that are not a plain create of a ClusterRoleBinding."""
    mallory = user("mallory@contoso.com")
    do = partial(Call, who=who.MALLORY, resource=_CLUSTER_BINDINGS, verb="patch")
    existing = stored(binding("ops-admins", "cluster-admin", [group("ops"), mallory]), 110)
    add = [{"op": "add", "path": "/subjects/-", "value": mallory}]
    apply = binding("break-glass", "cluster-admin", [mallory])
    system = binding("legacy-sync", "admin", [mallory], namespace="kube-system")
    namespaced = binding("team-b-root", "cluster-admin", [mallory], namespace="team-b")
    everyone = binding("everyone-edit", "edit", [group("system:authenticated")])
    spoofed = binding("audit-helper", "cluster-admin", [mallory])
    generated = {**binding("", "cluster-admin", [mallory]), "metadata": {"generateName": "tmp-"}}
    return [
        # roleRef cannot be changed, so the intruder adds himself to an administrative binding: the request names no role.
        do(at=at("09:20:01"), name="ops-admins", body={"subjects": [group("ops"), mallory]}, answer=existing),
        # The same as a JSON patch (an array), logged without the answer: only the binding's name tells.
        do(at=at("09:20:11"), name="aks-cluster-admin-binding", body=add, level="Request"),
        # Server-side apply creates with PATCH.
        do(at=at("09:20:21"), name="break-glass", query="fieldManager=kubectl&force=true", body=apply, answer=stored(apply, 111), code=201),
        # A RoleBinding to admin in kube-system reads every secret there: as good as the cluster.
        do(at=at("09:20:31"), verb="create", resource=_ROLE_BINDINGS, namespace="kube-system", name="legacy-sync", body=system, code=201),
        do(
            at=at("09:20:41"),
            verb="update",
            resource=_ROLE_BINDINGS,
            namespace="team-b",
            name="team-b-root",
            body=namespaced,
            answer=namespaced,
        ),
        # No administrative role, but bound to everybody.
        do(at=at("09:20:51"), verb="create", name="everyone-edit", body=everyone, answer=stored(everyone, 113), code=201),
        # Padded until the server logs a placeholder in place of the body.
        do(at=at("09:21:01"), verb="create", name="padded", body=TOO_BIG, answer=TOO_BIG, code=201),
        # A real request whose field manager is called "dryRun=All": a substring test takes it for a dry run.
        do(
            at=at("09:21:11"),
            verb="create",
            name="audit-helper",
            query="fieldManager=dryRun=All",
            body=spoofed,
            answer=stored(spoofed, 114),
            code=201,
        ),
        # The server chooses the name: objectRef has none.
        do(
            at=at("09:21:21"), verb="create", body=generated, answer=stored(binding("tmp-x7k2p", "cluster-admin", [mallory]), 115), code=201
        ),
    ]


def cluster_admin_harmless() -> list[Call]:
    """Dry runs, refusals, conflicts, reads, deletes and an ordinary binding: nothing was granted."""
    item = binding("my-svc-acct-admin", "cluster-admin", [service_account("builder")])
    viewer = binding("team-viewers", "view", [group("team")])
    do = partial(Call, who=who.MALLORY, resource=_CLUSTER_BINDINGS, name="my-svc-acct-admin", verb="create", body=item)
    forbidden = 'clusterrolebindings.rbac.authorization.k8s.io is forbidden: User "mallory@contoso.com" cannot create resource'
    return [
        do(at=at("09:20:01"), query="dryRun=All&fieldManager=kubectl-create", code=201, answer=item),
        do(at=at("09:20:03"), query="fieldManager=kubectl-create&dryRun=All", code=201, answer=item),
        do(at=at("09:20:05"), code=403, decision="forbid", message=forbidden),
        do(at=at("09:20:07"), code=409, message='clusterrolebindings "my-svc-acct-admin" already exists'),
        do(at=at("09:20:09"), verb="get", body=None),
        do(at=at("09:20:11"), verb="delete", body=None),
        do(at=at("09:20:13"), name="team-viewers", body=viewer, answer=stored(viewer, 120), code=201),
        do(at=at("09:20:15"), resource="v1/pods", namespace="default", name="cluster-admin", body={"kind": "Pod"}, code=201),
    ]


def cron_job_created() -> list[Call]:
    """A CronJob in kube-system that starts a miner every five minutes, created with the admin certificate."""
    spec = pod_spec("docker.io/contoso-lab/xmr:latest", ["/bin/sh", "-c", "run --pool pool.example.net:3333"], serviceAccountName="default")
    item = cron_job("node-cleanup", "kube-system", "*/5 * * * *", spec)
    create = partial(Call, who=who.MASTERCLIENT, verb="create", resource=_CRON_JOBS, namespace="kube-system", name="node-cleanup", code=201)
    return [
        Call(at=at("12:40:01"), who=who.MASTERCLIENT, verb="list", resource=_CRON_JOBS, query="limit=500"),
        create(at=at("12:41:10"), query="fieldManager=kubectl-client-side-apply", body=item, answer=stored(item, 130)),
    ]


def cron_job_evasions() -> list[Call]:
    """Six ways to get code into a CronJob that are not a plain create."""
    evil = pod_spec("docker.io/contoso-lab/xmr:latest", ["/run"], hostPID=True)
    command = [{"op": "replace", "path": "/spec/jobTemplate/spec/template/spec/containers/0/command", "value": ["/bin/sh", "-c", "id"]}]
    patched = stored(cron_job("backup", "ops", "0 1 * * *", pod_spec("contoso.azurecr.io/backup:3.0.0", ["/bin/sh", "-c", "id"])), 140)
    image = {
        "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "docker.io/contoso-lab/xmr"}]}}}}}
    }
    merged = stored(cron_job("rotate", "ops", "0 2 * * *", pod_spec("docker.io/contoso-lab/xmr")), 141)
    put = cron_job("report", "ops", "0 3 * * *", evil)
    applied = cron_job("sync", "ops", "0 4 * * *", evil)
    old = cron_job("legacy", "ops", "0 5 * * *", evil, version="batch/v1beta1")
    whole = [{"op": "replace", "path": "", "value": cron_job("mirror", "ops", "0 6 * * *", evil)}]
    do = partial(Call, who=who.MALLORY, verb="patch", resource=_CRON_JOBS, namespace="ops")
    return [
        do(at=at("12:45:01"), name="backup", body=command, answer=patched),
        do(at=at("12:45:11"), name="rotate", body=image, answer=merged),
        do(at=at("12:45:21"), name="report", verb="update", body=put, answer=stored(put, 142)),
        do(at=at("12:45:31"), name="sync", query="fieldManager=kubectl&force=true", body=applied, answer=stored(applied, 143), code=201),
        do(at=at("12:45:41"), name="legacy", verb="create", resource="batch/v1beta1/cronjobs", body=old, answer=stored(old, 144), code=201),
        do(at=at("12:45:51"), name="padded", verb="create", body=TOO_BIG, answer=TOO_BIG, code=201),
        do(at=at("12:46:01"), name="mirror", body=whole, level="Request"),
    ]


def cron_job_harmless() -> list[Call]:
    """Dry run, refusal, label only, status, trigger by hand, delete."""
    item = cron_job("node-cleanup", "ops", "*/5 * * * *", pod_spec("contoso.azurecr.io/cleanup:1.0.0"))
    label = {"metadata": {"labels": {"team": "ops"}, "annotations": {"note": '{"spec":{"jobTemplate":{}}}'}}}
    paths = [{"op": "add", "path": "/metadata/labels/spec", "value": "/spec"}]
    job = {"kind": "Job", "apiVersion": "batch/v1", "metadata": {"name": "node-cleanup-manual", "namespace": "ops"}}
    do = partial(Call, who=who.ALICE, resource=_CRON_JOBS, namespace="ops", name="node-cleanup")
    forbidden = 'cronjobs.batch is forbidden: User "alice@contoso.com" cannot create resource "cronjobs"'
    return [
        do(at=at("12:45:01"), verb="create", query="dryRun=All", body=item, answer=item, code=201),
        do(at=at("12:45:03"), verb="create", body=item, code=403, decision="forbid", message=forbidden),
        do(at=at("12:45:05"), verb="patch", body=label, answer=stored(item, 150)),
        do(at=at("12:45:07"), verb="patch", body=paths, answer=stored(item, 150)),
        do(at=at("12:45:09"), who=who.controller("cronjob-controller"), verb="update", subresource="status", body=item, answer=item),
        do(at=at("12:45:11"), verb="create", resource="batch/v1/jobs", name="node-cleanup-manual", body=job, code=201),
        do(at=at("12:45:13"), verb="delete"),
    ]


def local_account() -> list[Call]:
    """The stolen admin certificate at work: reads secrets, opens a shell that is still open when the rule runs, deletes events."""
    do = partial(Call, who=who.MASTERCLIENT)
    shell = "command=%2Fbin%2Fsh&container=web&stdin=true&stdout=true&tty=true"
    return [
        do(at=at("13:02:11"), verb="list", resource="v1/secrets", query="limit=500"),
        do(at=at("13:03:20"), verb="get", resource="v1/secrets", namespace="web", name="web-tls"),
        # A shell writes RequestReceived and ResponseStarted (101) now, and ResponseComplete only when it ends.
        do(
            at=at("13:05:00"),
            verb="create",
            resource="v1/pods",
            namespace="web",
            name="web-6c8f0-0",
            subresource="exec",
            query=shell,
            code=101,
            stages=_EXEC_OPEN,
        ),
        do(at=at("13:09:44"), verb="deletecollection", resource="v1/events", namespace="web"),
    ]


def local_account_evasions() -> list[Call]:
    """system:masters under another name: a client certificate of its own, and impersonation."""
    renamed = replace(who.MALLORY, username="backup-job", groups=("system:masters", "system:authenticated"))
    masters = {"username": "helper", "groups": ["system:masters", "system:authenticated"]}
    client = {"username": "masterclient", "groups": ["system:authenticated"]}
    return [
        Call(at=at("13:02:11"), who=renamed, verb="list", resource="v1/nodes"),
        Call(at=at("13:03:11"), who=who.MALLORY, verb="list", resource="v1/secrets", impersonated=masters),
        Call(at=at("13:03:41"), who=who.BOB, verb="list", resource="v1/pods", impersonated=client),
    ]


def watched_source() -> list[Call]:
    """Requests from watched addresses: one listed alone, one in a listed range, one behind a forged X-Forwarded-For, one refused."""
    alone = replace(who.ALICE, source_ips=("203.0.113.77",))
    ranged = replace(who.WEB_POD, source_ips=("192.0.2.140",))
    # The API server puts the addresses of X-Forwarded-For before the one it saw: the first is whatever the client wrote.
    forged = replace(who.MALLORY, source_ips=("10.240.0.9", "203.0.113.77"))
    refused = replace(who.ANONYMOUS_PROBE, source_ips=("2001:db8::77",), user_agent="python-requests/2.31.0")
    forbidden = 'pods is forbidden: User "system:anonymous" cannot list resource "pods"'
    return [
        Call(at=at("18:10:05"), who=alone, verb="list", resource="v1/pods", namespace="web", query="limit=500"),
        Call(at=at("18:10:40"), who=alone, verb="get", resource="v1/secrets", namespace="web", name="web-tls"),
        Call(at=at("18:11:02"), who=ranged, verb="list", resource="v1/services"),
        Call(at=at("18:12:30"), who=forged, verb="create", resource="v1/pods", namespace="web", name="x", body={"kind": "Pod"}, code=201),
        Call(at=at("18:13:00"), who=refused, verb="list", resource="v1/pods", code=403, decision="forbid", message=forbidden, stages=_ONCE),
    ]


_TRIED = (
    ("list", "v1/secrets"),
    ("list", "v1/configmaps"),
    ("list", "v1/nodes"),
    ("list", "v1/namespaces"),
    ("list", "v1/persistentvolumes"),
    ("create", "v1/pods"),
    ("list", "apps/v1/deployments"),
    ("create", "apps/v1/daemonsets"),
    ("list", f"{RBAC}/v1/clusterroles"),
    ("create", f"{RBAC}/v1/clusterrolebindings"),
    ("list", "batch/v1/cronjobs"),
    ("create", "batch/v1/jobs"),
)


def denied_burst() -> list[Call]:
    """A token stolen from a pod, tried on twelve permissions in six minutes. It starts at 19:06:30: no fixed ten-minute bin holds it."""
    calls = []
    for index, (verb, resource) in enumerate(_TRIED):
        text = f'{resource.rsplit("/", 1)[-1]} is forbidden: User "system:serviceaccount:web:default" cannot {verb} resource'
        moment = at("19:06:30") + timedelta(seconds=30 * index)
        calls.append(
            Call(
                at=moment,
                who=who.WEB_POD,
                verb=verb,
                resource=resource,
                namespace="web",
                code=403,
                decision="forbid",
                message=text,
                stages=_ONCE,
            )
        )
    return calls


def denied_slowly() -> list[Call]:
    """The same twelve permissions, one every ten minutes: below any burst."""
    return [replace(call, at=at("18:00:00") + timedelta(minutes=10 * index)) for index, call in enumerate(denied_burst())]


def create_allowed() -> list[Call]:
    """Mallory uses rights that a cluster-admin binding gave her: a token, a shell over websockets, a secret, and a webhook."""
    reason = 'RBAC: allowed by ClusterRoleBinding "break-glass" of ClusterRole "cluster-admin" to User "mallory@contoso.com"'
    do = partial(Call, who=who.MALLORY, verb="create", reason=reason)
    token, pod, hook = "clusterrole-aggregation-controller", "web-6c8f0-0", "sidecar-injector"
    config = {"kind": "MutatingWebhookConfiguration", "metadata": {"name": hook}}
    webhooks = "admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
    shell = "command=sh&stdin=true"
    return [
        do(at=at("20:01:05"), resource="v1/serviceaccounts", namespace="kube-system", name=token, subresource="token", code=201),
        # kubectl 1.30 and later open shells with GET (websockets): there is no create to see.
        do(
            at=at("20:02:10"),
            verb="get",
            resource="v1/pods",
            namespace="web",
            name=pod,
            subresource="exec",
            query=shell,
            code=101,
            stages=_EXEC_OPEN,
        ),
        do(at=at("20:03:00"), resource="v1/secrets", namespace="kube-system", name="sa-token", code=201),
        do(at=at("20:04:44"), resource=webhooks, name=hook, body=config, answer=stored(config, 160), code=201),
    ]


def create_harmless() -> list[Call]:
    """Allowed but not sensitive, sensitive but refused, allowed but turned down by admission, a dry run, a read."""
    do = partial(Call, who=who.ALICE, verb="create", namespace="web")
    refused = 'secrets is forbidden: User "alice@contoso.com" cannot create resource "secrets"'
    policy = 'admission webhook "validation.gatekeeper.sh" denied the request'
    return [
        do(at=at("20:01:05"), resource="v1/configmaps", name="settings", code=201),
        do(at=at("20:01:15"), resource="v1/secrets", name="x", code=403, decision="forbid", message=refused),
        do(at=at("20:01:25"), resource="v1/secrets", name="x", code=403, message=policy),
        do(at=at("20:01:35"), resource="v1/secrets", name="x", query="dryRun=All", code=201),
        do(at=at("20:01:45"), verb="get", resource="v1/secrets", name="web-tls"),
        do(at=at("20:01:55"), verb="get", resource="v1/pods", name="web-6c8f0-0", subresource="log"),
    ]
