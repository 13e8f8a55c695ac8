"""What a notebook with Kqlmagic does, both kinds of connection, printed as one JSON object. Runs in Kqlmagic's own environment.

Usage: python kqlmagic_client.py URL
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import Any


def main(url: str) -> dict[str, Any]:
    from IPython.core.interactiveshell import InteractiveShell

    shell: Any = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "Kqlmagic")
    shell.run_line_magic("config", "Kqlmagic.auto_popup_schema=False")

    def kql(line: str) -> Any:
        shell.run_line_magic("kql", line)
        return shell.user_ns.get("_kql_raw_result_")

    def rows(result: Any) -> Any:
        return result.to_dataframe().astype(str).values.tolist()

    found: dict[str, Any] = {}
    kql(f"azuredataexplorer://anonymous;cluster='{url}';database='soc';alias='kusto'")
    found["kusto"] = rows(kql("T | where A < 2 | project A, B, TimeGenerated, d = dynamic({'k': [1]})"))
    kql(f"loganalytics://anonymous;workspace='any';datasourceurl='{url}';alias='logs'")
    chart = kql("T | summarize n = count() by bin(A, 5) | render piechart")
    found["logs"], found["chart"] = rows(chart), chart.visualization
    several = kql("T | fork (count) (where A < 2 | project A)")
    found["fork"] = [rows(several), rows(several.fork_result(1))]
    kql("T | where Nope == 1")
    return found


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):
        answer = main(sys.argv[1])
    print(json.dumps(answer, default=str))
