"""Workloads that reach into their node, run unknown images or are written by somebody new, and harmless ones that look like them."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from scripts.recorded_logs import identities as who
from scripts.recorded_logs.kube import TOO_BIG, Call, Json, at
from scripts.recorded_logs.objects import cron_job, pod_spec, stored

_IMAGE = "contoso.azurecr.io/tool:1.0.0"


def _pod(name: str, spec: Json, namespace: str = "web") -> Json:
    return {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _workload(kind: str, name: str, spec: Json, namespace: str = "web") -> Json:
    """A Deployment, DaemonSet, StatefulSet or Job around a pod specification."""
    version = "batch/v1" if kind == "Job" else "apps/v1"
    return {"kind": kind, "apiVersion": version, "metadata": {"name": name, "namespace": namespace}, "spec": {"template": {"spec": spec}}}


def _secured(context: Json, image: str = _IMAGE) -> Json:
    """A pod specification whose only container has this security context."""
    return {"containers": [{"name": "main", "image": image, "securityContext": context}]}


def _mounted(path: str) -> Json:
    """A pod specification that mounts a directory of its node."""
    return pod_spec(_IMAGE, volumes=[{"name": "host", "hostPath": {"path": path, "type": ""}}])


def node_access() -> list[Call]:
    """Ways out of a container onto its node: privileges, capabilities, its namespaces and directories, in all kinds of workload."""
    do = partial(Call, who=who.MALLORY, namespace="web")
    create = partial(do, verb="create", code=201)
    apply = partial(do, verb="patch", query="fieldManager=kubectl&force=true", code=201)
    privileged = _pod("pwn", _secured({"privileged": True}))
    watcher = _workload("Deployment", "watcher", pod_spec(_IMAGE, hostPID=True))
    agent = _workload("DaemonSet", "agent", _mounted("/"))
    backup = cron_job("backup", "web", "0 1 * * *", _secured({"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN", "SYS_ADMIN"]}}))
    first = {**pod_spec(_IMAGE), "initContainers": [{"name": "init", "image": _IMAGE, "securityContext": {"privileged": True}}]}
    store = _workload("StatefulSet", "store", first)
    network = [{"op": "add", "path": "/spec/template/spec/hostNetwork", "value": True}]
    proxy = _workload("Deployment", "proxy", pod_spec(_IMAGE, hostNetwork=True))
    volume = {
        "kind": "PersistentVolume",
        "apiVersion": "v1",
        "metadata": {"name": "data"},
        "spec": {"hostPath": {"path": "/etc/kubernetes"}},
    }
    roundabout = _pod("reader", _mounted("/var/./lib//kubelet/pods"))
    return [
        create(at=at("08:50:01"), resource="v1/pods", name="pwn", body=privileged, answer=stored(privileged, 201)),
        create(at=at("08:50:11"), resource="apps/v1/deployments", name="watcher", body=watcher, answer=stored(watcher, 202)),
        create(at=at("08:50:21"), resource="apps/v1/daemonsets", name="agent", body=agent, answer=stored(agent, 203)),
        create(at=at("08:50:31"), resource="batch/v1/cronjobs", name="backup", body=backup, answer=stored(backup, 204)),
        apply(at=at("08:50:41"), resource="apps/v1/statefulsets", name="store", body=store, answer=stored(store, 205)),
        # A patch says what changes; the answer is the whole Deployment.
        do(at=at("08:50:51"), verb="patch", resource="apps/v1/deployments", name="proxy", body=network, answer=stored(proxy, 206)),
        create(at=at("08:51:01"), resource="v1/persistentvolumes", namespace="", name="data", body=volume, answer=stored(volume, 207)),
        create(at=at("08:51:11"), resource="v1/pods", name="reader", body=roundabout, answer=stored(roundabout, 208)),
        create(at=at("08:51:21"), resource="v1/pods", name="padded", body=TOO_BIG, answer=TOO_BIG),
    ]


def node_access_harmless() -> list[Call]:
    """A cache directory, a harmless capability, text that looks like a privilege, a dry run, a refusal, a controller at work."""
    create = partial(Call, who=who.ALICE, verb="create", namespace="web", resource="v1/pods", code=201)
    privileged = _pod("pwn", _secured({"privileged": True}))
    cache, port = _pod("cache", _mounted("/etcd-cache")), _pod("port", _secured({"capabilities": {"add": ["NET_BIND_SERVICE"]}}))
    spec = pod_spec(_IMAGE)
    spec["containers"][0]["env"] = [{"name": "NOTE", "value": '{"privileged":true,"hostPath":{"path":"/"}}'}]
    note, policy = _pod("note", spec), 'admission webhook "validation.gatekeeper.sh" denied the request: privileged'
    controller = who.controller("daemon-set-controller")
    return [
        create(at=at("08:50:01"), name="cache", body=cache, answer=stored(cache, 211)),
        create(at=at("08:50:03"), name="port", body=port, answer=stored(port, 212)),
        create(at=at("08:50:05"), name="note", body=note, answer=stored(note, 213)),
        create(at=at("08:50:07"), name="pwn", query="dryRun=All", body=privileged, answer=privileged),
        create(at=at("08:50:09"), name="pwn", body=privileged, code=403, message=policy),
        create(at=at("08:50:11"), who=controller, name="agent-x7k2p", body=privileged, answer=stored(privileged, 214)),
    ]


def new_writer() -> list[Call]:
    """The pipeline writes a DaemonSet as it did a week before; Mallory writes one for the first time, and starts a Job."""
    agent, job = _workload("DaemonSet", "agent", pod_spec(_IMAGE)), _workload("Job", "once", pod_spec(_IMAGE, ["/run"]))
    do = partial(Call, verb="create", namespace="ops", code=201)
    sets = partial(do, resource="apps/v1/daemonsets", body=agent, answer=stored(agent, 220))
    return [
        sets(at=at("10:11:00", "2026-02-24"), who=who.PIPELINE, name="agent"),
        sets(at=at("09:40:00"), who=who.PIPELINE, verb="patch", name="agent", code=200),
        sets(at=at("09:41:00"), who=who.MALLORY, name="helper"),
        sets(at=at("09:44:00"), who=who.MALLORY, name="helper2"),
        do(at=at("09:46:00"), who=who.MALLORY, resource="batch/v1/jobs", name="once", body=job, answer=stored(job, 221)),
    ]


def images() -> list[Call]:
    """Images from registries that nobody agreed on: Docker Hub unnamed, two others, one whose name begins like the right one."""
    bad = (
        ("xmrig/xmrig:6.21", "v1/pods", _pod),
        ("ghcr.io/contoso-lab/tool@sha256:0000", "v1/pods", _pod),
        ("contoso.azurecr.io.example.net/web:2.0.0", "v1/pods", _pod),
        ("nginx", "v1/pods", _pod),
    )
    calls = []
    for number, (image, resource, make) in enumerate(bad):
        item = make(f"p{number}", pod_spec(image))
        moment = at("10:10:00") + timedelta(seconds=10 * number)
        calls.append(
            Call(
                at=moment,
                who=who.MALLORY,
                verb="create",
                resource=resource,
                namespace="web",
                name=f"p{number}",
                body=item,
                answer=stored(item, 230 + number),
                code=201,
            )
        )
    side = {**pod_spec("contoso.azurecr.io/web:2.0.0"), "initContainers": [{"name": "init", "image": "localhost:5000/init"}]}
    web = _workload("Deployment", "web", side)
    return [
        *calls,
        Call(
            at=at("10:11:00"),
            who=who.MALLORY,
            verb="patch",
            resource="apps/v1/deployments",
            namespace="web",
            name="web",
            body={"spec": {}},
            answer=stored(web, 235),
        ),
    ]


def images_harmless() -> list[Call]:
    """Images of the two agreed registries, one by its digest, and a foreign one that was turned down."""
    create = partial(Call, who=who.ALICE, verb="create", resource="v1/pods", namespace="web", code=201)
    good = _pod("good", pod_spec("contoso.azurecr.io/web@sha256:0000"))
    pause = _pod("pause", pod_spec("mcr.microsoft.com/oss/kubernetes/pause:3.9"))
    bad, policy = _pod("bad", pod_spec("nginx")), 'admission webhook "validation.gatekeeper.sh" denied the request: registry'
    return [
        create(at=at("10:10:00"), name="good", body=good, answer=stored(good, 241)),
        create(at=at("10:10:05"), name="pause", body=pause, answer=stored(pause, 242)),
        create(at=at("10:10:10"), name="bad", body=bad, code=403, message=policy),
    ]


def ephemeral() -> list[Call]:
    """`kubectl debug` puts a container into a running pod, another one starts a debugger pod on a node; reading them is no change."""
    debug = {"name": "debugger-x7k2p", "image": "nicolaka/netshoot", "targetContainerName": "web", "stdin": True, "tty": True}
    patched = stored(_pod("web-0", {**pod_spec("contoso.azurecr.io/web:2.0.0"), "ephemeralContainers": [debug]}), 250)
    debugger = _pod("node-debugger-aks-pool1-12345678-vmss000000-x7k2p", {**_mounted("/"), "hostPID": True}, "default")
    name, body = debugger["metadata"]["name"], {"spec": {"ephemeralContainers": [debug]}}
    web = partial(Call, who=who.MALLORY, resource="v1/pods", namespace="web", name="web-0", subresource="ephemeralcontainers")
    return [
        web(at=at("10:30:00"), verb="patch", body=body, answer=patched),
        Call(
            at=at("10:31:00"),
            who=who.MALLORY,
            verb="create",
            resource="v1/pods",
            namespace="default",
            name=name,
            body=debugger,
            answer=stored(debugger, 251),
            code=201,
        ),
        web(at=at("10:32:00"), verb="get"),
        web(at=at("10:32:05"), verb="patch", body=body, code=403, decision="forbid", message="pods/ephemeralcontainers is forbidden"),
        web(at=at("10:32:10"), verb="patch", query="dryRun=All", body=body, answer=patched),
    ]
