"""What stops a backtest before anything is asked of the workspace."""

from __future__ import annotations

from toolkit.kql.diagnostics import ToolkitError


class BacktestError(ToolkitError):
    """A rule, or a wish, that cannot be backtested; the text says why and what to do."""
