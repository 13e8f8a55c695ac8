"""The feeds of what people reach on the web and in the company: which scenarios go into which table."""

from __future__ import annotations

from collections.abc import Callable

from scripts.recorded_logs import defender_cloud_apps, defender_web_content, netskope_cloud, zscaler_private_access, zscaler_web
from scripts.recorded_logs.shapes import Row

FEEDS: tuple[tuple[str, str, str, dict[str, Callable[[], list[Row]]]], ...] = (
    ("zscaler", "CommonSecurityLog", "Zscaler NSS feeds in Azure Monitor's CommonSecurityLog columns", zscaler_web.SCENARIOS),
    ("zscaler-zpa", "ZPA_CL", "Zscaler Private Access log stream (LSS) in the table of its connector", zscaler_private_access.SCENARIOS),
    ("zscaler-zpa", "AzureActivity", "Azure Monitor's AzureActivity columns", zscaler_private_access.ACTIVITY_SCENARIOS),
    *(("netskope", table, f"Netskope's columns of {table}", scenarios) for table, scenarios in netskope_cloud.SCENARIOS.items()),
    *(
        ("defender-cloud-apps", table, f"Azure Monitor's {table} columns", scenarios)
        for table, scenarios in defender_cloud_apps.SCENARIOS.items()
    ),
    *(
        ("defender-web-content", table, f"Azure Monitor's {table} columns", scenarios)
        for table, scenarios in defender_web_content.SCENARIOS.items()
    ),
)
"""System, table, the documentation that the shape follows, and each scenario with its author."""
