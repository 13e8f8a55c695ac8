"""One ordinary day of the cluster aks-prod, 2026-03-02: nothing in it is an attack, so no rule may alert on it.

It holds what makes simple rules noisy: controllers that create CronJob pods and tokens, a platform that acts as system:masters, an API
server that reconciles its own bindings to system:authenticated, a pipeline that releases with Helm, people who are refused now and then,
requests that are logged once per stage, and watches that run for minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from scripts.recorded_logs import identities as who
from scripts.recorded_logs.kube import COMPLETE, RECEIVED, STARTED, Call, Identity, at
from scripts.recorded_logs.objects import binding, cron_job, deployment, group, lease, pod, pod_spec, service_account, stored, user

_ONCE = (COMPLETE,)
_WATCH = (STARTED, COMPLETE)
_EXEC = (RECEIVED, STARTED, COMPLETE)
_DAY = at("00:00:00")

DAILY_REPORT = cron_job("daily-report", "web", "0 5 * * *", pod_spec("contoso.azurecr.io/report:1.8.0", ["/report"]))


def calls() -> list[Call]:
    """An ordinary day of the cluster: nodes, controllers, the platform, a release pipeline, people and pods; no attack.

    All its requests, in order of time.
    """
    parts = (
        _heartbeats(),
        _nodes(),
        _controllers(),
        _platform(),
        _bindings(),
        _cron_run(),
        _release(),
        _gitops_install(),
        _people(),
        _workloads(),
    )
    return sorted((call for part in parts for call in part), key=lambda call: call.at)


def api_server_lines() -> list[tuple[datetime, str, str]]:
    """A few lines of kube-apiserver's own log: traces of slow requests and throttled watches."""
    return [
        (
            at("03:10:02.117"),
            "I",
            'I0302 03:10:02.117 1 trace.go:236] Trace: "List" url:/api/v1/pods,user-agent:metrics-server (total time: 612ms)',
        ),
        (
            at("09:06:20.402"),
            "I",
            'I0302 09:06:20.402 1 trace.go:236] Trace: "Create" url:/api/v1/namespaces/web/pods,user-agent:kube-controller-manager',
        ),
        (
            at("09:31:44.900"),
            "I",
            'I0302 09:31:44.900 1 httplog.go:132] "HTTP" verb="GET" URI="/api/v1/namespaces/web/pods/nginx-6c8f/log" resp=200',
        ),
        (
            at("15:02:10.001"),
            "W",
            "W0302 15:02:10.001 1 watcher.go:229] watch chan error: etcdserver: mvcc: required revision has been compacted",
        ),
    ]


def _every(hours: float, offset: float = 0.0) -> Iterator[datetime]:
    """Moments of the day at a fixed distance, offset in seconds."""
    moment = _DAY + timedelta(seconds=offset)
    while moment < _DAY + timedelta(days=1):
        yield moment
        moment += timedelta(hours=hours)


def _later(moment: datetime, seconds: float) -> datetime:
    return moment + timedelta(seconds=seconds)


def _heartbeats() -> Iterator[Call]:
    """Leases of nodes and leaders. A real cluster renews them every ten seconds; one in 360 is kept."""
    for number in (0, 1):
        kubelet = who.node(number)
        name = kubelet.username.removeprefix("system:node:")
        for moment in _every(1, 13.1 + number):
            yield _lease(moment, kubelet, name, "kube-node-lease")
    for leader, name, offset in ((who.SCHEDULER, "kube-scheduler", 20.4), (who.MANAGER, "kube-controller-manager", 21.7)):
        for moment in _every(1.5, offset):
            yield _lease(moment, leader, name, "kube-system")


def _lease(moment: datetime, holder: Identity, name: str, namespace: str) -> Call:
    body = lease(name, namespace, moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    return Call(
        at=moment,
        who=holder,
        verb="update",
        resource="coordination.k8s.io/v1/leases",
        name=name,
        namespace=namespace,
        body=body,
        stages=_ONCE,
    )


def _nodes() -> Iterator[Call]:
    """Kubelets: status, watches of config maps, tokens for the pods they run (the reason why token creation by nodes is ordinary)."""
    for number in (0, 1):
        kubelet = who.node(number)
        name = kubelet.username.removeprefix("system:node:")
        for moment in _every(4, 31.5 + number * 7):
            patch = {
                "status": {"conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}]}
            }
            yield Call(at=moment, who=kubelet, verb="patch", resource="v1/nodes", name=name, subresource="status", body=patch, stages=_ONCE)
        for moment in _every(6, 45.2 + number * 9):
            yield Call(
                at=moment,
                who=kubelet,
                verb="watch",
                resource="v1/configmaps",
                namespace="kube-system",
                query="watch=true",
                stages=_WATCH,
                lasts=412.0,
            )
        for moment in _every(3, 61.9 + number * 11):
            yield Call(
                at=moment,
                who=kubelet,
                verb="create",
                resource="v1/serviceaccounts",
                namespace="web",
                name="default",
                subresource="token",
                code=201,
                stages=_ONCE,
            )


def _controllers() -> Iterator[Call]:
    """The controller manager: tokens for its own controllers, endpoint slices, garbage collection, aggregated roles."""
    for moment in _every(8, 71.0):
        yield Call(
            at=moment,
            who=who.MANAGER,
            verb="create",
            resource="v1/serviceaccounts",
            namespace="kube-system",
            name="cronjob-controller",
            subresource="token",
            code=201,
            stages=_ONCE,
        )
    for moment in _every(2, 75.5):
        yield Call(
            at=moment, who=who.controller("generic-garbage-collector"), verb="list", resource="v1/pods", query="limit=500", stages=_ONCE
        )
    for moment in _every(6, 79.1):
        roles = "rbac.authorization.k8s.io/v1/clusterroles"
        yield Call(
            at=moment, who=who.controller("clusterrole-aggregation-controller"), verb="watch", resource=roles, stages=_WATCH, lasts=388.0
        )
    for moment in _every(12, 90.0):
        yield Call(
            at=moment,
            who=who.controller("namespace-controller"),
            verb="deletecollection",
            resource="v1/events",
            namespace="ci-1841",
            stages=_ONCE,
        )


def _platform() -> Iterator[Call]:
    """AKS itself, health probes, and the API server that reconciles its built-in bindings after a restart."""
    for moment in _every(3, 101.0):
        yield Call(at=moment, who=who.AKS_SERVICE, verb="list", resource="v1/nodes", stages=_ONCE)
        yield Call(at=moment + timedelta(seconds=2), who=who.HCP_SERVICE, verb="get", resource="/healthz", stages=_ONCE)
        yield Call(at=moment + timedelta(seconds=4), who=who.READINESS, verb="get", resource="/readyz", stages=_ONCE)
        role = '"system:public-info-viewer"'
        probe = f'RBAC: allowed by ClusterRoleBinding {role} of ClusterRole {role} to Group "system:unauthenticated"'
        yield Call(at=moment + timedelta(seconds=6), who=who.ANONYMOUS_PROBE, verb="get", resource="/livez", reason=probe, stages=_ONCE)
    for moment in _every(12, 140.0):
        add_on = {"metadata": {"labels": {"addonmanager.kubernetes.io/mode": "Reconcile"}}}
        yield Call(
            at=moment,
            who=who.AKS_SERVICE,
            verb="patch",
            resource="apps/v1/deployments",
            namespace="kube-system",
            name="coredns",
            body=add_on,
        )
        yield Call(
            at=moment + timedelta(seconds=9),
            who=who.PROBLEM_DETECTOR,
            verb="create",
            resource="v1/pods",
            namespace="kube-system",
            name="konnectivity-agent-5d9c7",
            subresource="exec",
            query="command=ls&container=konnectivity-agent&stdout=true",
            code=101,
            stages=_EXEC,
            lasts=0.4,
        )


def _bindings() -> Iterator[Call]:
    """The API server reconciles its built-in bindings to everybody, and AKS its own cluster-admin binding: rightful, and noisy."""
    update = partial(Call, verb="update", resource="rbac.authorization.k8s.io/v1/clusterrolebindings")
    builtin = (("system:discovery", "system:authenticated"), ("system:public-info-viewer", "system:unauthenticated"))
    for number, (name, subject) in enumerate(builtin):
        item, moment = binding(name, name, [group(subject)]), _later(at("04:00:11"), number)
        yield update(at=moment, who=who.API_SERVER, name=name, body=item, answer=stored(item, 10 + number), stages=_ONCE)
    name = "aks-cluster-admin-binding"
    admins = binding(name, "cluster-admin", [user("clusterAdmin"), group("00000000-0000-0000-0000-0000000000d9")])
    yield update(at=at("04:01:30"), who=who.AKS_SERVICE, name=name, body=admins, answer=stored(admins, 12))


def _cron_run() -> Iterator[Call]:
    """The CronJob daily-report runs at 05:00: its controllers create a Job and a Pod and write the CronJob's status."""
    cron, job = who.controller("cronjob-controller"), who.controller("job-controller")
    owner = [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "daily-report", "controller": True}]
    run = {
        "kind": "Job",
        "apiVersion": "batch/v1",
        "metadata": {"name": "daily-report-29540", "namespace": "web", "ownerReferences": owner},
        "spec": DAILY_REPORT["spec"]["jobTemplate"]["spec"],
    }
    web = partial(Call, namespace="web")
    status = partial(web, who=cron, verb="update", resource="batch/v1/cronjobs", name="daily-report", subresource="status")
    running = {
        **DAILY_REPORT,
        "status": {"lastScheduleTime": "2026-03-02T05:00:00Z", "active": [{"kind": "Job", "name": "daily-report-29540"}]},
    }
    item = pod("daily-report-29540-x7k2p", "web", "contoso.azurecr.io/report:1.8.0")
    name = item["metadata"]["name"]
    generated = {**item, "metadata": {"generateName": "daily-report-29540-", "namespace": "web"}}
    target = {"kind": "Binding", "apiVersion": "v1", "metadata": {"name": name}, "target": {"kind": "Node", "name": "aks-pool1"}}
    create = partial(web, verb="create", code=201)
    yield create(at=at("05:00:00.2"), who=cron, resource="batch/v1/jobs", body=run, answer=stored(run, 20))
    yield status(at=at("05:00:00.4"), body=running)
    yield create(at=at("05:00:00.7"), who=job, resource="v1/pods", body=generated, answer=stored(item, 21))
    yield create(at=at("05:00:00.9"), who=who.SCHEDULER, resource="v1/pods", name=name, subresource="binding", body=target, stages=_ONCE)
    yield status(at=at("05:02:41"), body=DAILY_REPORT)


def _release() -> Iterator[Call]:
    """The pipeline releases "web" at 09:05 and 14:05: dry run first, then Helm's apply, its release secret, and the report's new image."""
    reason = f'RBAC: allowed by RoleBinding "pipeline/web" of ClusterRole "admin" to User "{who.PIPELINE_ID}"'
    do = partial(Call, who=who.PIPELINE, reason=reason)
    web = partial(do, namespace="web", query="fieldManager=helm")
    for number, clock in enumerate(("09:05:00", "14:05:00")):
        start, apps = at(clock), "apps/v1/deployments"
        item = deployment("web", "web", f"contoso.azurecr.io/web:2.{number}.0")
        image = {"spec": {"jobTemplate": {"spec": {"template": {"spec": pod_spec(f"contoso.azurecr.io/report:1.8.{number + 1}")}}}}}
        report, release = stored(DAILY_REPORT, 30 + number), f"sh.helm.release.v1.web.v{41 + number}"
        yield do(at=start, verb="get", resource="/version")
        yield do(at=_later(start, 3), verb="list", resource="v1/secrets", namespace="web", query="labelSelector=owner%3Dhelm%2Cname%3Dweb")
        yield do(
            at=_later(start, 6), verb="patch", resource=apps, namespace="web", name="web", query="dryRun=All&fieldManager=helm", body=item
        )
        yield web(at=_later(start, 9), verb="create", resource="v1/secrets", name=release, code=201)
        yield web(at=_later(start, 12), verb="patch", resource=apps, name="web", body=item)
        yield web(at=_later(start, 15), verb="patch", resource="batch/v1/cronjobs", name="daily-report", body=image, answer=report)
        yield do(at=_later(start, 18), verb="watch", resource=apps, namespace="web", query="watch=true", stages=_WATCH, lasts=48.0)
        replica_sets = who.controller("replicaset-controller")
        for index in range(2):
            item = pod(f"web-6c8f{number}-{index}", "web", f"contoso.azurecr.io/web:2.{number}.0")
            generated = {**item, "metadata": {"generateName": f"web-6c8f{number}-", "namespace": "web"}}
            moment = _later(start, 25 + index)
            yield Call(
                at=moment,
                who=replica_sets,
                verb="create",
                resource="v1/pods",
                namespace="web",
                body=generated,
                answer=stored(item, 40 + index),
                code=201,
            )


def _gitops_install() -> Iterator[Call]:
    """Alice installs cert-manager at 11:20 and gives team-a its namespace: new roles and bindings, none of them administrative."""
    bindings = "rbac.authorization.k8s.io/v1/clusterrolebindings"
    reason = (
        'RBAC: allowed by ClusterRoleBinding "platform-team" of ClusterRole "cluster-admin" to Group "00000000-0000-0000-0000-0000000000d1"'
    )
    namespace = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "cert-manager"}}
    yield Call(
        at=at("11:20:02"),
        who=who.ALICE,
        verb="create",
        resource="v1/namespaces",
        name="cert-manager",
        body=namespace,
        code=201,
        reason=reason,
    )
    for index, role in enumerate(("cert-manager-controller-issuers", "cert-manager-view", "cert-manager-cainjector")):
        item = binding(role, role, [service_account("cert-manager", "cert-manager")])
        moment = at("11:20:10") + timedelta(seconds=index * 2)
        yield Call(
            at=moment,
            who=who.ALICE,
            verb="create",
            resource=bindings,
            name=role,
            body=item,
            answer=stored(item, 50 + index),
            code=201,
            reason=reason,
        )
    team = binding("team-a-admins", "admin", [group("00000000-0000-0000-0000-0000000000d3")], namespace="team-a")
    yield Call(
        at=at("11:24:40"),
        who=who.ALICE,
        verb="create",
        resource="rbac.authorization.k8s.io/v1/rolebindings",
        namespace="team-a",
        name="team-a-admins",
        body=team,
        answer=stored(team, 55),
        code=201,
        reason=reason,
    )


def _people() -> Iterator[Call]:
    """Alice with kubectl, Bob with Lens: reads, logs, and the refusals that an ordinary day has (fewer than a burst)."""
    shell = (
        ("09:30:58", "get", "v1/namespaces", ""),
        ("09:31:02", "list", "v1/pods", "web"),
        ("09:31:20", "get", "apps/v1/deployments", "web"),
        ("11:31:05", "list", "v1/pods", "cert-manager"),
        ("15:12:41", "list", "v1/events", "web"),
        ("16:40:03", "list", "apps/v1/deployments", "web"),
    )
    for clock, verb, resource, namespace in shell:
        name = "web" if verb == "get" else ""
        yield Call(
            at=at(clock), who=who.ALICE, verb=verb, resource=resource, namespace=namespace, name=name, query="" if name else "limit=500"
        )
    yield Call(
        at=at("09:31:44.9"),
        who=who.ALICE,
        verb="get",
        resource="v1/pods",
        namespace="web",
        name="nginx-6c8f",
        subresource="log",
        query="follow=true",
        stages=_WATCH,
        lasts=65.0,
    )
    review = {"kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1", "spec": {"namespace": "web"}}
    for clock in ("10:02:11", "13:48:20"):
        yield Call(
            at=at(clock), who=who.BOB, verb="create", resource="authorization.k8s.io/v1/selfsubjectrulesreviews", body=review, code=201
        )
        for index, resource in enumerate(("v1/pods", "v1/services", "apps/v1/deployments", "v1/events", "networking.k8s.io/v1/ingresses")):
            moment = at(clock) + timedelta(seconds=2 + index)
            yield Call(
                at=moment, who=who.BOB, verb="watch", resource=resource, namespace="web", query="watch=true", stages=_WATCH, lasts=300.0
            )
        for index, resource in enumerate(("v1/secrets", "v1/nodes", "rbac.authorization.k8s.io/v1/clusterroles")):
            message = f'{resource.rsplit("/", 1)[-1]} is forbidden: User "bob@contoso.com" cannot list resource at the cluster scope'
            moment = at(clock) + timedelta(seconds=9 + index)
            yield Call(
                at=moment,
                who=who.BOB,
                verb="list",
                resource=resource,
                code=403,
                decision="forbid",
                message=message,
                query="limit=250",
                stages=_ONCE,
            )


def _workloads() -> Iterator[Call]:
    """Pods that use the API: metrics, certificates, and one that asks for something it may not have, again and again."""
    for moment in _every(2, 160.0):
        yield Call(at=moment, who=who.METRICS, verb="list", resource="v1/pods", query="resourceVersion=0", stages=_ONCE)
    for moment in _every(1, 1800.0):
        if moment < at("11:30:00"):
            continue
        review = {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1"}
        yield Call(
            at=moment,
            who=who.CERT_MANAGER,
            verb="create",
            resource="authentication.k8s.io/v1/tokenreviews",
            body=review,
            code=201,
            stages=_ONCE,
        )
        yield Call(
            at=moment + timedelta(seconds=4),
            who=who.CERT_MANAGER,
            verb="get",
            resource="v1/secrets",
            namespace="web",
            name="web-tls",
            stages=_ONCE,
        )
    refused = 'endpoints is forbidden: User "system:serviceaccount:web:default" cannot list resource "endpoints" in API group ""'
    for index in range(24):
        moment = at("17:00:05") + timedelta(seconds=15 * index)
        yield Call(
            at=moment,
            who=who.WEB_POD,
            verb="list",
            resource="v1/endpoints",
            namespace="web",
            code=403,
            decision="forbid",
            message=refused,
            stages=_ONCE,
        )
