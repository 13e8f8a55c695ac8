"""The list of recorded logs: which scenario goes into which file, and the README that states each file's provenance."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from scripts.recorded_logs import (
    aks_access,
    aks_attacks,
    aks_workloads,
    azure_activity,
    azure_operations,
    azure_services,
    benign_day,
    cloudtrail,
    cloudtrail_iam,
    health,
    netskope,
    shapes,
    web_access,
    zscaler,
)
from scripts.recorded_logs.kube import Call, Json
from scripts.recorded_logs.shapes import Row, compact

ROOT = Path(__file__).resolve().parents[2] / "detections"

_ONE_SHAPE = {f"{name}-harmless" for name in ("node-access", "images", "escalating-role", "secrets-listed", "admission")} | {
    "exec-harmless",
    "secrets-slowly",
}
"""Recorded as AKSAudit only: that both shapes read alike is shown by the others, and kube-audit is large."""

_KUBE = "Kubernetes audit.k8s.io/v1 events"
_DIAGNOSTICS = f"{_KUBE} as JSON text in `log_s`; Azure Monitor's AzureDiagnostics columns for managed clusters"
_RESOURCE = f"{_KUBE} in Azure Monitor's resource-specific columns"
_ACTIVITY = "Azure Monitor's AzureActivity columns"
_TRAIL = "AWS CloudTrail record contents, in Azure Monitor's AWSCloudTrail columns"


@dataclass(frozen=True)
class Recording:
    """One file. `source` is the function that authors it, `shape` the documentation that it follows."""

    system: str
    file: str
    text: str
    rows: int
    source: str
    shape: str
    what: str

    @property
    def path(self) -> Path:
        """Where the file is committed."""
        return ROOT / self.system / "samples" / self.file


def recordings() -> list[Recording]:
    """Every recorded log, with its contents."""
    return [*_aks(), *_activity(), *_cloudtrail(), *_azure(), *_health(), *_devices(), *_web_access()]


def files() -> dict[Path, str]:
    """All files to write: the logs and one README per system."""
    found = recordings()
    contents = {recording.path: recording.text for recording in found}
    for system in sorted({recording.system for recording in found}):
        contents[ROOT / system / "samples" / "README.md"] = _readme([recording for recording in found if recording.system == system])
    return contents


def _aks() -> list[Recording]:
    scenarios: dict[str, Callable[[], list[Call]]] = {
        "benign-day": benign_day.calls,
        "cluster-admin": aks_attacks.cluster_admin,
        "cluster-admin-evasions": aks_attacks.cluster_admin_evasions,
        "cluster-admin-harmless": aks_attacks.cluster_admin_harmless,
        "cronjob": aks_attacks.cron_job_created,
        "cronjob-evasions": aks_attacks.cron_job_evasions,
        "cronjob-harmless": aks_attacks.cron_job_harmless,
        "local-account": aks_attacks.local_account,
        "local-account-evasions": aks_attacks.local_account_evasions,
        "watched-source": aks_attacks.watched_source,
        "denied-burst": aks_attacks.denied_burst,
        "denied-slowly": aks_attacks.denied_slowly,
        "create-allowed": aks_attacks.create_allowed,
        "create-harmless": aks_attacks.create_harmless,
        "node-access": aks_workloads.node_access,
        "node-access-harmless": aks_workloads.node_access_harmless,
        "new-writer": aks_workloads.new_writer,
        "images": aks_workloads.images,
        "images-harmless": aks_workloads.images_harmless,
        "ephemeral": aks_workloads.ephemeral,
        "escalating-role": aks_access.escalating_role,
        "escalating-role-harmless": aks_access.escalating_role_harmless,
        "exec-commands": aks_access.exec_commands,
        "exec-harmless": aks_access.exec_harmless,
        "secrets-listed": aks_access.secrets_listed,
        "secrets-listed-harmless": aks_access.secrets_listed_harmless,
        "secrets-burst": aks_access.secrets_burst,
        "secrets-slowly": aks_access.secrets_slowly,
        "admission": aks_access.admission,
        "admission-harmless": aks_access.admission_harmless,
        "events-deleted": aks_access.events_deleted,
        "core-dns": aks_access.core_dns,
        "anonymous": aks_access.anonymous,
        "self-review": aks_access.self_review,
        "node-proxy": aks_access.node_proxy,
        "certificates": aks_access.certificates,
    }
    made = []
    for scenario, author in scenarios.items():
        calls, source, what = author(), _name(author), _summary(author)
        for table, rows, shape in (
            ("AzureDiagnostics", shapes.azure_diagnostics(calls), _DIAGNOSTICS),
            ("AKSAudit", shapes.aks_audit(calls), _RESOURCE),
        ):
            if table == "AKSAudit" or scenario not in _ONE_SHAPE:
                made.append(_recording("aks", table, scenario, rows, (source, shape, what)))
    calls = aks_attacks.cluster_admin()
    facts = (_name(aks_attacks.cluster_admin), _RESOURCE, "The scenario cluster-admin without get and list.")
    made.append(_recording("aks", "AKSAuditAdmin", "cluster-admin", shapes.aks_audit(calls, "AKSAuditAdmin"), facts))
    exported = shapes.aks_audit(calls)
    facts = (_name(aks_attacks.cluster_admin), _RESOURCE, f"The scenario cluster-admin. {_PORTAL}")
    made.append(Recording("aks", "AKSAudit.cluster-admin.csv", portal_csv(exported), len(exported), *facts))
    both = shapes.azure_diagnostics(calls) + shapes.azure_diagnostics(calls, "kube-audit-admin")
    facts = (_name(aks_attacks.cluster_admin), _DIAGNOSTICS, "The scenario cluster-admin collected twice: kube-audit and kube-audit-admin.")
    made.append(_recording("aks", "AzureDiagnostics", "cluster-admin-both-categories", both, facts))
    diagnostics, control_plane = shapes.api_server_lines(benign_day.api_server_lines())
    facts = (_name(benign_day.api_server_lines), "kube-apiserver's log lines (klog)", _summary(benign_day.api_server_lines))
    made.append(_recording("aks", "AzureDiagnostics", "api-server", diagnostics, facts))
    made.append(_recording("aks", "AKSControlPlane", "api-server", control_plane, facts))
    return made


def _activity() -> list[Recording]:
    authors: dict[str, Callable[[], list[Row]]] = {
        "benign-day": azure_activity.benign_day,
        "role-assignment": azure_activity.role_assignment,
        "role-assignment-legacy": azure_activity.role_assignment_legacy,
        "role-assignment-evasions": azure_activity.role_assignment_evasions,
        "role-assignment-failed": azure_activity.role_assignment_failed,
        "admin-credential": azure_activity.admin_credential,
    }
    return [
        _recording("aks", "AzureActivity", scenario, author(), (_name(author), _ACTIVITY, _summary(author)))
        for scenario, author in authors.items()
    ]


def _cloudtrail() -> list[Recording]:
    authors: dict[str, Callable[[], list[Row]]] = {
        "benign-day": cloudtrail.benign_day,
        "root-console-login": cloudtrail.root_console_login,
        "root-console-login-mfa": cloudtrail.root_console_login_mfa,
        "root-console-login-failed": cloudtrail.root_console_login_failed,
        "root-create-user": cloudtrail.root_create_user,
        "root-create-user-evasions": cloudtrail.root_create_user_evasions,
        "root-create-user-failed": cloudtrail.root_create_user_failed,
        "root-access-key": cloudtrail.root_access_key,
        "root-access-key-for-user": cloudtrail.root_access_key_for_user,
        "root-sign-in-changed": cloudtrail_iam.root_sign_in_changed,
        "sign-in-without-mfa": cloudtrail_iam.sign_in_without_mfa,
        "admin-policy": cloudtrail_iam.admin_policy,
        "admin-policy-harmless": cloudtrail_iam.admin_policy_harmless,
        "keys-for-others": cloudtrail_iam.keys_for_others,
        "trail-tampered": cloudtrail_iam.trail_tampered,
        "guards-off": cloudtrail_iam.guards_off,
        "assume-root": cloudtrail_iam.assume_root,
        "instance-credentials": cloudtrail_iam.instance_credentials,
        "denied-survey": cloudtrail_iam.denied_survey,
        "denied-ordinary": cloudtrail_iam.denied_ordinary,
        "connector-tampered": cloudtrail_iam.connector_tampered,
        "watched-sign-in": cloudtrail_iam.watched_sign_in,
    }
    made = [
        _recording("aws", "AWSCloudTrail", scenario, author(), (_name(author), _TRAIL, _summary(author)))
        for scenario, author in authors.items()
    ]
    session = cloudtrail.root_session()
    facts = (_name(cloudtrail.root_session), _TRAIL, f"{_summary(cloudtrail.root_session)} {_PORTAL}")
    made.append(Recording("aws", "AWSCloudTrail.root-session.csv", portal_csv(session), len(session), *facts))
    return made


def _azure() -> list[Recording]:
    """Services of Azure beside AKS, one author a file."""
    operations, services = azure_operations, azure_services
    authors: list[tuple[str, str, str, Callable[[], list[Row]]]] = [
        ("aks", "AzureActivity", "run-command", operations.run_command),
        ("azure-activity", "AzureActivity", "diagnostics-removed", operations.diagnostics_removed),
        ("event-hub", "AzureActivity", "hub-changes", operations.hub_changes),
        ("event-hub", "AzureMetrics", "afternoon", services.hub_metrics),
        ("event-hub", "AZMSDiagnosticErrorLogs", "busy", services.hub_errors),
        ("event-hub", "AZMSRunTimeAuditLogs", "readers", services.hub_readers),
        ("event-hub", "AzureDiagnostics", "polls", services.polls),
        ("event-hub", "AzureDiagnostics", "runs-failed", services.runs_failed),
        ("event-hub", "LogicAppWorkflowRuntime", "runs-failed", services.standard_runs_failed),
        ("api-management", "AzureActivity", "gateway-changes", operations.gateway_changes),
        ("api-management", "ApiManagementGatewayLogs", "probed", services.gateway_probed),
        ("api-management", "ApiManagementGatewayLogs", "ordinary", services.gateway_ordinary),
        ("api-management", "ApiManagementGatewayLogs", "released", services.gateway_released),
        ("api-management", "ApiManagementGatewayLogs", "keys", services.gateway_keys),
        ("api-management", "AzureDiagnostics", "probed", services.gateway_legacy),
        ("postgresql", "AzureActivity", "server-changes", operations.server_changes),
        ("postgresql", "PGSQLServerLogs", "guessed", services.server_guessed),
        ("postgresql", "AzureDiagnostics", "guessed", services.server_guessed_legacy),
        ("postgresql", "AZKVAuditLogs", "key-lost", services.key_lost),
        ("postgresql", "AZKVAuditLogs", "key-refused", services.key_refused),
        ("postgresql", "AzureDiagnostics", "key-lost", services.key_lost_legacy),
        ("cloud-shell", "AzureActivity", "storage", operations.cloud_shell),
        ("cloud-shell", "AzureActivity", "network", operations.cloud_shell_network),
        ("cloud-shell", "AWSCloudTrail", "cloudshell", cloudtrail_iam.cloud_shell),
    ]
    return [
        _recording(system, table, scenario, author(), (_name(author), f"Azure Monitor's {table} columns", _summary(author)))
        for system, table, scenario, author in authors
    ]


def _health() -> list[Recording]:
    authors: dict[str, Callable[[], list[Row]]] = {
        "SentinelHealth": health.runs,
        "SecurityAlert": health.alerts,
        "SecurityIncident": health.incidents,
    }
    return [
        _recording("health", table, "two-days", author(), (_name(author), f"Azure Monitor's {table} columns", _summary(author)))
        for table, author in authors.items()
    ]


def _devices() -> list[Recording]:
    """Logs that devices write themselves, each with a sidecar that says in which zone its times are."""
    made = []
    for author in (netskope.failed_sign_in, netskope.ordinary_morning, netskope.tampered):
        made += _device_log("netskope", "nsdebuglog", author, ("Netskope client debug log, nsdebuglog.log", "Europe/Berlin"))
    for author in (zscaler.ordinary_day, zscaler.failed_uploads):
        made += _device_log("zscaler", "zbridge", author, ("Zscaler NSS log, zbridge.log", "UTC"))
    return made


def _web_access() -> list[Recording]:
    """What people reach on the web and in the company, as proxies, brokers and Defender report it."""
    return [
        _recording(system, table, scenario, author(), (_name(author), shape, _summary(author)))
        for system, table, shape, scenarios in web_access.FEEDS
        for scenario, author in scenarios.items()
    ]


def _device_log(system: str, log: str, author: Callable[[], str], facts: tuple[str, str]) -> list[Recording]:
    shape, zone = facts
    text = author()
    name = f"{log}.{author.__name__.replace('_', '-')}.log"
    beside = f'{{"timeZone": "{zone}"}}\n'
    return [
        Recording(system, name, text, text.count("\n"), _name(author), shape, _summary(author)),
        Recording(
            system, f"{name}.meta.json", beside, 1, _name(author), "the toolkit's sidecar", f"The times of {name} are those of {zone}."
        ),
    ]


_TIMES = ("TimeGenerated", "SessionCreationDate", "RequestReceivedTime", "StageReceivedTime")
_PORTAL = (
    "As the portal exports query results: CSV with a byte order mark, ` [UTC]` after the names of times, US times, dynamic values as text."
)


def portal_csv(rows: list[Row]) -> str:
    """Rows as the portal's "Export to CSV" writes them: a BOM, CRLF, ` [UTC]` after the name of every time column, US times, True/False."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([f"{name} [UTC]" if name in _TIMES else name for name in names])
    for row in rows:
        writer.writerow([_portal_cell(name, row.get(name, "")) for name in names])
    return "\ufeff" + out.getvalue()


def _portal_cell(name: str, value: Json) -> Json:
    if isinstance(value, dict | list):
        return compact(value)
    return _us_time(value) if name in _TIMES and value else value


def _us_time(text: str) -> str:
    moment = datetime.fromisoformat(text)
    clock = f"{moment.hour % 12 or 12}:{moment:%M:%S}.{moment.microsecond // 1000:03}"
    return f"{moment.month}/{moment.day}/{moment.year}, {clock} {'AM' if moment.hour < 12 else 'PM'}"


def _recording(system: str, table: str, scenario: str, rows: list[Row], facts: tuple[str, str, str]) -> Recording:
    source, shape, what = facts
    text = "".join(compact(row) + "\n" for row in rows)
    return Recording(system, f"{table}.{scenario}.jsonl", text, len(rows), source, shape, what)


def _name(author: Callable[..., object]) -> str:
    return f"{author.__module__.rsplit('.', 1)[-1]}.{author.__name__}"


def _summary(author: Callable[..., object]) -> str:
    """The first paragraph of the author's docstring, on one line: the README cannot drift from the code."""
    return " ".join((author.__doc__ or "").split("\n\n")[0].split())


def _readme(found: list[Recording]) -> str:
    lines = [
        "# Recorded logs",
        "",
        "Written by `python -m scripts.recorded_logs`; do not edit by hand.",
        "Every file is **authored and synthetic**: no event was captured from a live system, and no real person, address, account or",
        "secret occurs. Addresses are from RFC 5737, RFC 3849 and private ranges, names from `contoso.com` and `example.net`.",
        "",
        "| file | rows | what it records | authored by (`scripts/recorded_logs/`) | shape taken from |",
        "|---|---:|---|---|---|",
    ]
    lines += [f"| `{item.file}` | {item.rows} | {item.what.replace('|', '/')} | `{item.source}` | {item.shape} |" for item in found]
    return "\n".join(lines) + "\n"
