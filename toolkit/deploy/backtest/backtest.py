"""A rule on a live workspace: prepared once, then asked window by window in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from toolkit.azure.errors import AzureApiError, CancelledError, QueryRejectedError, TransportError
from toolkit.azure.logs import MOST_IN_A_BATCH, LogsAnswer, LogsQuery
from toolkit.content.findings import ContentError, Findings
from toolkit.content.items import Item
from toolkit.content.models.rule import Rule
from toolkit.content.project import Project
from toolkit.content.values import ItemQuery
from toolkit.deploy.backtest.errors import BacktestError
from toolkit.deploy.backtest.functions import ProjectFunctions, other_clocks
from toolkit.deploy.backtest.outcome import Outcome, Run, alert_count, suppressed, suppression_of
from toolkit.deploy.backtest.query import RunQuery, run_query
from toolkit.deploy.backtest.schedule import Schedule
from toolkit.kql.parser import parse
from toolkit.simulate import Window
from toolkit.testing.runner import kql_findings

if TYPE_CHECKING:
    from toolkit.azure.logs import LogsClient

_NRT = (
    "an NRT rule runs each minute over what was ingested in that minute (S-30); here one run an hour looks at one hour by TimeGenerated, "
    "so that the alerts are a lower bound: up to 60 runs of the service are one here"
)
_SAMPLE = "one run in {every} was looked at: the figures are those of the sample, the expected alerts a day those of all runs"
_NO_SUPPRESSION = "suppression is not applied to a sample: it depends on every run"
_WAIT = 600
"""Seconds that the service may take for one window; queries over many days of logs need minutes."""
_MOST_FAILED = 2
"""Requests in a row that may fail, each tried again by the client already, before no more are sent."""
_TOO_LONG = 504
_LOG_ALERT = "a log alert rule of Azure Monitor: its failing periods and its muting are not taken into account"


class Observer(Protocol):
    """Who is told how far a backtest is."""

    def total(self, steps: int) -> None: ...
    def step(self, name: str) -> None: ...


@dataclass(frozen=True)
class Backtest:
    """A rule that can be asked for each of its windows."""

    rule: Rule
    environment: str
    schedule: Schedule
    query: RunQuery

    @classmethod
    def prepare(cls, project: Project, item: Item, environment: str, schedule: Schedule) -> Backtest:
        """Renders the rule and sets its clock. Raises ContentError for content with errors, BacktestError for a query that cannot be."""
        rule = rule_of(item)
        findings = Findings(item.source)
        query = ItemQuery(item, project, environment).render(findings)
        if query is None or findings.errors:
            raise ContentError(findings.found or item.findings)
        if wrong := [each for each in parse(query.text).diagnostics if each.severity == "error"]:
            raise ContentError(list(kql_findings(wrong, query.text, query)))
        return cls(rule, environment, schedule, run_query(query.text, ProjectFunctions(project, environment), schedule.until))

    def notes(self, functions: dict[str, str | None]) -> tuple[str, ...]:
        """What differs from the service; `functions` are those of the workspace with their bodies."""
        found = [_NRT] if self.rule.is_nrt else []
        if self.schedule.is_sample:
            found.append(_SAMPLE.format(every=self.schedule.step // self.schedule.frequency))
            found += [_NO_SUPPRESSION] if self.rule.suppression_enabled else []
        found += [_LOG_ALERT] if self.rule.target is not None else []
        found += [
            f"{name} is a function of the workspace that the project does not have: now() and ago() in it are the time of the backtest"
            for name in other_clocks(set(self.query.names), functions)
        ]
        return tuple(found)

    def run(self, logs: LogsClient, workspace: str, observer: Observer | None = None) -> Outcome:
        """Asks the workspace for every window, `MOST_IN_A_BATCH` in one request.

        A window that failed, or of which only a part of the rows came, is a run with that status. AzureApiError when the workspace
        cannot be asked at all.
        """
        functions = {name: function.body for name, function in logs.schema(workspace).functions.items()}
        windows = list(self.schedule.windows())
        if observer is not None:
            observer.total(len(windows))
        asking, runs = _Asking(self, logs, workspace), list[Run]()
        for start in range(0, len(windows), MOST_IN_A_BATCH):
            found = asking.ask(windows[start : start + MOST_IN_A_BATCH])
            runs += found
            if observer is not None:
                for run in found:
                    observer.step(f"{run.time:%Y-%m-%d %H:%M}")
        applies = self.rule.suppression_enabled and not self.schedule.is_sample
        return Outcome(
            self.rule.name,
            self.environment,
            self.schedule,
            tuple(suppressed(self.rule, runs) if applies else runs),
            suppression_of(self.rule) if applies else None,
            self.notes(functions),
            self.query.functions,
        )

    def queries(self, workspace: str, windows: Sequence[Window]) -> list[LogsQuery]:
        """What is asked for these windows: each with its time span and its clock."""
        return [LogsQuery(workspace, self.query.text.at(each.end), (each.start, each.end), wait=_WAIT) for each in windows]

    def run_of(self, window: Window, answer: LogsAnswer | AzureApiError) -> Run:
        """What an answer says about a run."""
        if isinstance(answer, AzureApiError):
            return Run(window, "failed", problem=str(answer))
        if answer.error is not None:
            return Run(window, "partial", problem=str(answer.error))
        found = answer.result.rows() if self.query.counts else []
        if self.query.counts and len(found) != 1:
            return Run(window, "failed", problem=f"expected one row with the number of rows, found {len(found)}")
        rows = int(found[0][0]) if self.query.counts else len(answer.result)
        return Run(window, "evaluated", rows, alert_count(self.rule, rows))


@dataclass
class _Asking:
    """Asks batch by batch, until it is plain that more requests give no more answers: `reason` says why."""

    backtest: Backtest
    logs: LogsClient
    workspace: str
    reason: str = ""
    _failed: int = 0
    _answered: bool = False

    def ask(self, windows: Sequence[Window]) -> list[Run]:
        """The runs of these windows. An error of the first request is raised: then nothing at all is known."""
        if self.reason:
            return [Run(window, "failed", problem=f"not asked, since earlier windows failed: {self.reason}") for window in windows]
        try:
            answers = self.logs.batch(self.backtest.queries(self.workspace, windows))
        except AzureApiError as error:
            if len(windows) > 1 and _took_too_long(error):
                half = len(windows) // 2
                return [*self.ask(windows[:half]), *self.ask(windows[half:])]
            if isinstance(error, CancelledError) or not (self._answered or error.facts.status == _TOO_LONG):
                raise
            self._failed += 1
            self.reason = str(error) if self._failed >= _MOST_FAILED else ""
            return [Run(window, "failed", problem=str(error)) for window in windows]
        if not self._answered and all(isinstance(each, QueryRejectedError) for each in answers):
            self.reason = str(answers[0])
        self._answered, self._failed = True, 0
        return [self.backtest.run_of(window, answer) for window, answer in zip(windows, answers, strict=True)]


def _took_too_long(error: AzureApiError) -> bool:
    """Whether fewer queries in one request may well succeed: nobody waits for all of them together."""
    return error.facts.status == _TOO_LONG or isinstance(error, TransportError)


def rule_of(item: Item) -> Rule:
    """The rule of a content file. Raises ContentError for one with errors, BacktestError for another kind of content."""
    if item.errors:
        raise ContentError([finding for finding in item.findings if finding.severity == "error"])
    if not isinstance(item.model, Rule):
        found = "a rule of a kind that has none" if item.kind == "rule" else f"a {item.kind} file"
        raise BacktestError(f"expected an analytics rule with a query, found {found}")
    return item.model
