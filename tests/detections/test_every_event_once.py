"""A law of every rule here: whatever the phase of its schedule, consecutive runs see each event exactly once.

The rules look at events that are at least 15 minutes old, because logs arrive late; their period is longer than their frequency by as much.
A wrong border in one of the two would lose events or report them twice, which no single case of a rule can show.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from toolkit.content.items import Item
from toolkit.content.models.rule import Rule
from toolkit.content.project import Project
from toolkit.content.values import ItemQuery
from toolkit.engine.ingest.files import table_of
from toolkit.simulate.alerts import window_of
from toolkit.testing.bench import Bench

ROOT = Path(__file__).resolve().parents[2]
SETTLE = timedelta(minutes=15)
PHASES = (timedelta(0), timedelta(minutes=2, seconds=17, microseconds=1))


@dataclass(frozen=True)
class Replay:
    """`total` is what all runs together have to give: rows, or the sum of the column `measure`."""

    rule: str
    samples: tuple[str, ...]
    first: str
    last: str
    total: int
    measure: str = ""


REPLAYS = (
    Replay("aks/rules/cluster-admin-binding", ("AzureDiagnostics.cluster-admin-evasions.jsonl",), "09:20", "09:22", 9),
    Replay("aks/rules/cronjob-created-or-changed", ("AKSAudit.cronjob-evasions.jsonl",), "12:45", "12:47", 7),
    Replay("aks/rules/local-admin-account-used", ("AzureDiagnostics.local-account.jsonl",), "13:02", "13:10", 4, "Requests"),
    Replay("aks/rules/request-from-watched-address", ("AKSAudit.watched-source.jsonl",), "18:10", "18:14", 5, "Requests"),
    Replay("aks/rules/denied-permissions-burst", ("AKSAudit.denied-burst.jsonl",), "19:05", "19:15", 12, "Refused"),
    Replay("aks/rules/sensitive-create-allowed", ("AzureDiagnostics.create-allowed.jsonl",), "20:01", "20:05", 4, "Requests"),
    Replay("aks/rules/azure-role-assignment", ("AzureActivity.role-assignment-evasions.jsonl",), "10:05", "10:08", 4),
    Replay("aks/rules/workload-reaches-node", ("AzureDiagnostics.node-access.jsonl",), "08:50", "08:52", 9),
    Replay("aks/rules/new-daemonset-or-job-writer", ("AKSAudit.new-writer.jsonl",), "09:30", "09:50", 3, "Writes"),
    Replay("aks/rules/untrusted-image", ("AzureDiagnostics.images.jsonl",), "10:10", "10:12", 5),
    Replay("aks/rules/debug-container", ("AKSAudit.ephemeral.jsonl",), "10:30", "10:32", 2),
    Replay("aks/rules/escalating-role-written", ("AzureDiagnostics.escalating-role.jsonl",), "08:10", "08:11", 6),
    Replay("aks/rules/suspicious-command-in-pod", ("AKSAudit.exec-commands.jsonl",), "08:30", "08:32", 8),
    Replay("aks/rules/secrets-listed", ("AKSAudit.secrets-listed.jsonl",), "11:00", "11:03", 4, "Requests"),
    Replay("aks/rules/secrets-read-burst", ("AKSAudit.secrets-burst.jsonl",), "11:31", "11:41", 1),
    Replay("aks/rules/admission-control-changed", ("AzureDiagnostics.admission.jsonl",), "12:00", "12:01", 4),
    Replay("aks/rules/events-deleted", ("AKSAudit.events-deleted.jsonl",), "12:30", "12:31", 2, "Deletions"),
    Replay("aks/rules/core-dns-changed", ("AzureDiagnostics.core-dns.jsonl",), "13:20", "13:22", 4),
    Replay("aks/rules/anonymous-request-allowed", ("AKSAudit.anonymous.jsonl",), "14:20", "14:21", 2, "Requests"),
    Replay("aks/rules/service-account-asks-its-rights", ("AzureDiagnostics.self-review.jsonl",), "14:30", "14:50", 2, "Reviews"),
    Replay("aks/rules/kubelet-through-api-server", ("AKSAudit.node-proxy.jsonl",), "15:00", "15:02", 4),
    Replay("aks/rules/client-certificate-requested", ("AKSAudit.certificates.jsonl",), "15:30", "15:31", 2),
    Replay("aws/rules/root-activity", ("AWSCloudTrail.root-session.csv",), "21:00", "21:05", 6, "Events"),
    Replay("aws/rules/root-console-login", ("AWSCloudTrail.root-console-login.jsonl",), "10:57", "10:59", 1),
    Replay("aws/rules/root-created-iam-user", ("AWSCloudTrail.root-create-user-evasions.jsonl",), "11:03", "11:05", 2),
    Replay("aws/rules/root-access-key-created", ("AWSCloudTrail.root-access-key.jsonl",), "11:10", "11:10", 1),
    Replay("aws/rules/root-login-failures", ("AWSCloudTrail.root-console-login-failed.jsonl",), "10:57", "10:59", 1),
    Replay("aws/rules/root-sign-in-changed", ("AWSCloudTrail.root-sign-in-changed.jsonl",), "11:19", "11:40", 3),
    Replay("aws/rules/sign-in-without-mfa", ("AWSCloudTrail.sign-in-without-mfa.jsonl",), "12:00", "12:05", 2),
    Replay("aws/rules/sign-in-from-watched-address", ("AWSCloudTrail.watched-sign-in.jsonl",), "18:00", "18:02", 2),
    Replay("aws/rules/administrator-policy-given", ("AWSCloudTrail.admin-policy.jsonl",), "13:00", "13:05", 5),
    Replay("aws/rules/access-key-for-another-user", ("AWSCloudTrail.keys-for-others.jsonl",), "13:29", "13:38", 1),
    Replay("aws/rules/console-access-given", ("AWSCloudTrail.keys-for-others.jsonl",), "13:29", "13:38", 2),
    Replay("aws/rules/trail-tampered", ("AWSCloudTrail.trail-tampered.jsonl",), "14:00", "14:09", 5),
    Replay("aws/rules/guards-turned-off", ("AWSCloudTrail.guards-off.jsonl",), "14:30", "14:36", 4),
    Replay("aws/rules/root-session-of-member-account", ("AWSCloudTrail.assume-root.jsonl",), "15:00", "15:03", 2),
    Replay("aws/rules/instance-credentials-elsewhere", ("AWSCloudTrail.instance-credentials.jsonl",), "15:10", "15:30", 3, "Calls"),
    Replay("aws/rules/iam-survey-refused", ("AWSCloudTrail.denied-survey.jsonl",), "16:07", "16:14", 1),
    Replay("aws/rules/defender-connector-tampered", ("AWSCloudTrail.connector-tampered.jsonl",), "17:00", "17:07", 3),
    Replay("aks/rules/command-run-through-azure", ("AzureActivity.run-command.jsonl",), "15:50", "15:51", 1),
    Replay("azure-activity/rules/diagnostic-setting-removed", ("AzureActivity.diagnostics-removed.jsonl",), "08:00", "08:20", 1),
    Replay("event-hub/rules/hub-removed-or-opened", ("AzureActivity.hub-changes.jsonl",), "09:00", "09:05", 4),
    Replay("event-hub/rules/namespace-throttled", ("AzureMetrics.afternoon.jsonl",), "14:00", "14:20", 1),
    Replay("event-hub/rules/nobody-reads", ("AzureMetrics.afternoon.jsonl",), "14:00", "16:00", 1),
    Replay("event-hub/rules/unknown-reader", ("AZMSRunTimeAuditLogs.readers.jsonl",), "16:10", "16:30", 2, "Times"),
    Replay("event-hub/rules/logic-app-fails", ("AzureDiagnostics.runs-failed.jsonl",), "17:00", "17:15", 1),
    Replay("event-hub/rules/polled-too-slowly", ("AzureDiagnostics.polls.jsonl",), "11:30", "13:55", 1),
    Replay("api-management/rules/operations-probed", ("ApiManagementGatewayLogs.probed.jsonl",), "10:57", "11:02", 1),
    Replay("api-management/rules/operations-missing-after-release", ("ApiManagementGatewayLogs.released.jsonl",), "06:00", "08:00", 1),
    Replay("api-management/rules/keys-guessed", ("ApiManagementGatewayLogs.keys.jsonl",), "12:00", "12:06", 1),
    Replay("api-management/rules/policy-or-secret-touched", ("AzureActivity.gateway-changes.jsonl",), "10:00", "10:04", 4),
    Replay("postgresql/rules/sign-ins-refused", ("PGSQLServerLogs.guessed.jsonl",), "18:00", "18:05", 1),
    Replay("postgresql/rules/server-without-own-key", ("AzureActivity.server-changes.jsonl",), "11:00", "11:21", 1),
    Replay("postgresql/rules/server-key-changed", ("AzureActivity.server-changes.jsonl",), "11:00", "11:21", 2),
    Replay("postgresql/rules/server-opened-or-silenced", ("AzureActivity.server-changes.jsonl",), "11:00", "11:21", 3),
    Replay("postgresql/rules/encryption-key-endangered", ("AZKVAuditLogs.key-lost.jsonl",), "19:00", "19:05", 3),
    Replay("postgresql/rules/encryption-key-refused", ("AZKVAuditLogs.key-refused.jsonl",), "19:00", "19:36", 1),
    Replay("cloud-shell/rules/new-user", ("AzureActivity.storage.jsonl",), "12:05", "12:30", 3, "Operations"),
    Replay("cloud-shell/rules/put-into-network", ("AzureActivity.network.jsonl",), "13:00", "13:10", 2),
    Replay("cloud-shell/rules/foreign-hand-on-store", ("AzureActivity.storage.jsonl",), "12:05", "12:30", 1, "Times"),
    Replay("cloud-shell/rules/aws-cloudshell-new-user", ("AWSCloudTrail.cloudshell.jsonl",), "13:20", "13:40", 3, "Calls"),
    Replay("netskope/rules/client-disabled-by-user", ("nsdebuglog.tampered.log",), "09:32", "09:33", 1, "Times"),
    Replay("netskope/rules/pinned-bypass-by-unexpected-process", ("nsdebuglog.tampered.log",), "09:30", "09:31", 2, "Connections"),
    Replay("netskope/rules/tls-broken-for-many", ("NetskopeWebTransactions_CL.broken-tls.jsonl",), "10:12", "10:12", 3, "Failures"),
    Replay("netskope/rules/bypass-to-unapproved-host", ("nsdebuglog.tampered.log",), "09:31", "09:31", 1, "Connections"),
    Replay("netskope/rules/alert-raised", ("NetskopeAlertEvents_CL.alerts.jsonl",), "15:00", "15:03", 4, "Alerts"),
    Replay("netskope/rules/upload-to-risky-app", ("NetskopeWebTransactions_CL.uploads.jsonl",), "11:05", "11:05", 4, "Transactions"),
    Replay("netskope/rules/impossible-travel", ("NetskopeWebTransactions_CL.travel.jsonl",), "12:20", "12:25", 2, "Changes"),
    Replay(
        "netskope/rules/repeated-policy-violations", ("NetskopeWebTransactions_CL.violations.jsonl",), "13:21", "13:21", 12, "Violations"
    ),
    Replay("netskope/rules/download-spike", ("NetskopeWebTransactions_CL.downloads.jsonl",), "14:20", "14:20", 5, "Transactions"),
    Replay("netskope/rules/new-risky-app", ("NetskopeWebTransactions_CL.uploads.jsonl",), "11:07", "11:07", 4, "Transactions"),
    Replay("netskope/rules/ingestion-errors", ("NetskopeWebtxErrors_CL.connector-errors.jsonl",), "17:35", "17:35", 3, "Rows"),
    Replay("zscaler/rules/unsanctioned-app-allowed", ("CommonSecurityLog.risky.jsonl",), "09:01", "09:02", 2, "Requests"),
    Replay("zscaler/rules/malware-allowed", ("CommonSecurityLog.risky.jsonl",), "09:03", "09:03", 1, "Requests"),
    Replay("zscaler/rules/uninspected-risky-host", ("CommonSecurityLog.risky.jsonl",), "09:04", "09:04", 1, "Requests"),
    Replay("zscaler/rules/risky-download-from-file-host", ("CommonSecurityLog.downloads.jsonl",), "10:01", "10:01", 1, "Requests"),
    Replay("zscaler/rules/large-upload-to-new-host", ("CommonSecurityLog.uploads.jsonl",), "13:10", "13:10", 4, "Requests"),
    Replay("zscaler/rules/dlp-violation", ("CommonSecurityLog.dlp.jsonl",), "14:01", "14:01", 1, "Passed"),
    Replay("zscaler/rules/admin-change-opens-proxy", ("CommonSecurityLog.admin-changes.jsonl",), "02:12", "02:12", 1),
    Replay("zscaler/rules/random-looking-domains", ("CommonSecurityLog.random-domains.jsonl",), "15:35", "15:35", 36, "Requests"),
    Replay("zscaler-zpa/rules/policy-rejects-burst", ("ZPA_CL.scan.jsonl",), "10:09", "10:20", 24, "Refused"),
    Replay("zscaler-zpa/rules/two-countries", ("ZPA_CL.travel.jsonl",), "11:20", "11:22", 1, "Changes"),
    Replay("zscaler-zpa/rules/failing-posture-critical-app", ("ZPA_CL.posture.jsonl",), "12:10", "12:13", 1, "Connections"),
    Replay("zscaler-zpa/rules/admin-change-opens-access", ("ZPA_CL.admin-changes.jsonl",), "03:00", "03:02", 3),
    Replay("zscaler-zpa/rules/log-receiver-changed", ("ZPA_CL.admin-changes.jsonl",), "03:05", "03:05", 1),
    Replay("zscaler-zpa/rules/connector-identity-changed", ("ZPA_CL.connectors.jsonl",), "16:10", "16:20", 2, "Records"),
    Replay("zscaler-zpa/rules/unusual-data-volume", ("ZPA_CL.volume.jsonl",), "02:30", "02:30", 4, "Connections"),
    Replay("zscaler-zpa/rules/disaster-recovery-record-changed", ("AzureActivity.disaster-recovery.jsonl",), "04:00", "04:00", 1),
    Replay("zscaler-zpa/rules/decoy-touched", ("ZPA_CL.decoys.jsonl",), "15:00", "15:02", 3, "Attempts"),
    Replay("zscaler-zpa/rules/authentication-abuse", ("ZPA_CL.authentication.jsonl",), "17:01", "17:24", 15, "Attempts"),
    Replay("defender-cloud-apps/rules/aws-root-user-created", ("CloudAppEvents.aws-activity.jsonl",), "11:03", "11:03", 1),
    Replay(
        "defender-cloud-apps/rules/unsanctioned-app-in-use", ("McasShadowItReporting.discovered.jsonl",), "15:05", "15:05", 42, "Passed"
    ),
    Replay(
        "defender-cloud-apps/rules/new-low-score-app-with-uploads",
        ("McasShadowItReporting.discovered.jsonl",),
        "15:07",
        "15:07",
        900,
        "Megabytes",
    ),
    Replay(
        "defender-cloud-apps/rules/admin-through-anonymous-proxy",
        ("CloudAppEvents.admin-anonymous.jsonl",),
        "12:00",
        "12:01",
        2,
        "Operations",
    ),
    Replay("defender-cloud-apps/rules/aws-deletions-burst", ("CloudAppEvents.aws-deletions.jsonl",), "13:30", "13:30", 60, "Count"),
    Replay("defender-web-content/rules/malicious-site-stopped", ("DeviceEvents.threats.jsonl",), "14:00", "14:02", 3, "Events"),
    Replay(
        "defender-web-content/rules/warning-overridden",
        ("DeviceEvents.overrides.jsonl", "DeviceFileEvents.override-files.jsonl"),
        "15:00",
        "15:05",
        1,
        "Files",
    ),
    Replay("defender-web-content/rules/blocked-attempts-surge", ("DeviceEvents.surge.jsonl",), "13:46", "13:46", 25, "Events"),
    Replay("defender-web-content/rules/policy-only-audited", ("DeviceEvents.audit-only.jsonl",), "12:00", "12:00", 60, "Audited"),
    Replay(
        "defender-web-content/rules/blocked-host-reached",
        ("DeviceEvents.blocked-hosts.jsonl", "DeviceNetworkEvents.network.jsonl"),
        "16:10",
        "16:13",
        2,
        "Connections",
    ),
    Replay(
        "defender-web-content/rules/unsanctioned-app-blocked-on-device-only",
        ("DeviceEvents.blocked-hosts.jsonl", "CommonSecurityLog.proxy.jsonl"),
        "16:20",
        "16:20",
        1,
        "Requests",
    ),
)
STATES = {
    "defender-cloud-apps/rules/discovery-stream-silent",
    "zscaler/rules/nss-upload-failed",
    "zscaler/rules/nss-feed-silent",
    "zscaler-zpa/rules/log-stream-silent",
    "zscaler-zpa/rules/connector-group-weak",
}
"""Rules about a state that lasts, not about events: they say so again while it lasts."""


@cache
def project() -> Project:
    return Project.load(ROOT, ROOT)


@cache
def bench() -> Bench:
    return Bench(project(), list(project().items("function")), list(project().items("watchlist")), None)


def rule_item(name: str) -> Item:
    return next(item for item in project().items("rule") if item.path == ROOT / "detections" / f"{name}.yaml")


def moment(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-02T{clock}:00").replace(tzinfo=UTC)


def results(replay: Replay, phase: timedelta) -> list[dict[str, Any]]:
    """The rows of all runs that can see the events of a replay, and of one run before and after."""
    item = rule_item(replay.rule)
    rule = item.model
    assert isinstance(rule, Rule)
    assert rule.query_frequency
    query = ItemQuery(item, project(), None).render(item.collect())
    assert query
    folder = ROOT / "detections" / replay.rule.split("/")[0] / "samples"
    workspace = bench().base.fork()
    for watchlist in bench().surroundings.watchlists:
        workspace.define_watchlist(watchlist.alias, watchlist.rows, watchlist.search_key)
    for sample in replay.samples:
        workspace.ingest(table_of(folder / sample), folder / sample)
    rows: list[dict[str, Any]] = []
    now = moment(replay.first) + SETTLE - rule.query_frequency + phase
    while now <= moment(replay.last) + SETTLE + 2 * rule.query_frequency + phase:
        window = window_of(rule, now)
        result = workspace.query(query.text, now=now, start=window.start, end=window.end)
        names = [name for name, _ in result.columns]
        rows += [dict(zip(names, row, strict=True)) for row in result.rows()]
        now += rule.query_frequency
    return rows


@pytest.mark.parametrize("phase", PHASES, ids=["on the slot", "odd phase"])
@pytest.mark.parametrize("replay", REPLAYS, ids=lambda replay: replay.rule)
def test_consecutive_runs_see_each_event_once(replay: Replay, phase: timedelta) -> None:
    rows = results(replay, phase)
    assert (sum(row[replay.measure] for row in rows) if replay.measure else len(rows)) == replay.total


def test_every_rule_is_replayed() -> None:
    names = {f"{item.path.parts[-3]}/rules/{item.path.stem}" for item in project().items("rule")}
    assert names == {replay.rule for replay in REPLAYS} | STATES
