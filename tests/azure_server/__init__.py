"""A local Azure for tests: Sentinel's content APIs, Log Analytics, workbooks, log alerts and the Logs query API.

    from tests.azure_server import AzureServer, Site, FaultPlan, THROTTLED

    with AzureServer(Site("soc", Workspace({"T": {"TimeGenerated": "datetime"}}))) as server:
        client = Client(server.url, ...)          # any bearer token is good, unless server.tokens says which
        server.faults.add(THROTTLED, method="PUT", path="/alertRules/", times=2)
        server.portal.edit("alertRules", rule_id, severity="Low")  # somebody works there: edit, create, delete
        server.faults.randomly(0.1, seed=7)        # from now on every tenth request meets some fault
        server.clock.advance(hours=25)             # the tombstones are gone
        assert server.log.count("PUT", "/alertRules/") == 3
        assert max(server.log.written.values()) == 1   # nothing was written twice

It listens on loopback at a free port and keeps everything in memory. `Site.id` is a workspace's resource id, `Site.sentinel` the
path of its Sentinel resources, `Site.customer_id` its id in the Logs query API. Queries are analysed and run by our own engine.
`python -m tests.azure_server` is one for manual trials.

What it knows: alert rules (Scheduled, NRT, Fusion, MicrosoftSecurityIncidentCreation; stable versions hide NRT and drop
subTechniques), their actions, rule templates, metadata, saved searches, watchlists with items and long-running operations,
workbooks with revisions, scheduledQueryRules; etags, tombstones, paging, api-versions, validators and error envelopes, rate-limit
headers; queries with timespans, several workspaces, batches, partial results, the same in Kusto's
forms (/v2/rest/query, /v1/rest/query, /v1/rest/mgmt); faults (`faults.py`); points that Microsoft does not
document are settings (`Behaviour`).

TLS is there for who brings a certificate (`tls`). The toolkit needs none: to a stand-in on loopback it speaks plain http, which it
does to nobody else; what a certificate adds is that clients whose bearer policy refuses http work with their own policy.

What it does not know: tokens' audiences and expiry, roles (only `deny`), regions, ARM deployments, incidents and alerts (rules
never run), most of Kusto's management commands, limits per month, what regions and years do differently. Texts of errors are
Microsoft's where they are known; clients should go by status and code.
"""

from tests.azure_server.authors import ANALYST, DEPLOYER
from tests.azure_server.clock import Clock
from tests.azure_server.faults import (
    CONFLICT,
    CONFLICT_RETRY,
    DROPPED,
    DROPPED_AFTER,
    FORBIDDEN,
    NOT_READY,
    NOT_YET,
    SERVER_ERROR,
    SLOW,
    THROTTLED,
    THROTTLED_BARE,
    TRANSIENT,
    UNAVAILABLE,
    UNREGISTERED,
    Fault,
    FaultPlan,
)
from tests.azure_server.server import AzureServer
from tests.azure_server.state import SUBSCRIPTION, Behaviour, Site

__all__ = [
    "ANALYST",
    "CONFLICT",
    "CONFLICT_RETRY",
    "DEPLOYER",
    "DROPPED",
    "DROPPED_AFTER",
    "FORBIDDEN",
    "NOT_READY",
    "NOT_YET",
    "SERVER_ERROR",
    "SLOW",
    "SUBSCRIPTION",
    "THROTTLED",
    "THROTTLED_BARE",
    "TRANSIENT",
    "UNAVAILABLE",
    "UNREGISTERED",
    "AzureServer",
    "Behaviour",
    "Clock",
    "Fault",
    "FaultPlan",
    "Site",
]
