"""What a rule would have raised on a workspace in the last days: its runs, one by one, as the service would have run them."""

from toolkit.deploy.backtest.backtest import Backtest, Observer
from toolkit.deploy.backtest.errors import BacktestError
from toolkit.deploy.backtest.outcome import Outcome, Run
from toolkit.deploy.backtest.schedule import Schedule, schedule_of

__all__ = ["Backtest", "BacktestError", "Observer", "Outcome", "Run", "Schedule", "schedule_of"]
