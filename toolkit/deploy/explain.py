"""A plan and its outcome as text: for the terminal and, in Markdown, for a pull request or a job's summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from toolkit.deploy.apply import STATUSES, Applied, Outcome
from toolkit.deploy.plan import Plan, Row, Step
from toolkit.report.text import visible

SIGNS = {"create": "+", "update": "~", "replace": "-/+", "mark": "=", "delete": "-", "forget": "=", "wait": "!"}
"""What stands in front of a step."""
_WORDS = (
    ("create", "to create"),
    ("update", "to update"),
    ("replace", "to replace"),
    ("delete", "to delete"),
    ("wait", "waiting"),
    ("mark", "to mark as this project's"),
)
KIND_NAMES = {
    "alertRule": "analytics rule",
    "savedSearch": "saved search",
    "watchlist": "watchlist",
    "watchlistItem": "row",
    "workbook": "workbook",
    "logAlert": "log alert rule",
}
_ROWS_SHOWN = 20
_LIST_SHOWN = 10
_MARKUP = frozenset("&<>`@[]*_#|~!\\")
_LONGEST = 60_000
"""Characters of a comment: GitHub takes 65,536."""


def step_head(step: Step) -> str:
    """One line: what happens to which resource, and the file that says so."""
    where = f"  ({step.file})" if step.file else f"  ({step.name})"
    return visible(f"{SIGNS[step.action]} {kind_of(step)} {step.title!r}{where}")


def kind_of(step: Step) -> str:
    properties = (step.body or {}).get("properties") or {}
    if step.kind == "savedSearch":
        return "function" if properties.get("functionAlias") else "hunting query" if step.body else "saved search"
    return KIND_NAMES[step.kind]


def step_details(step: Step) -> Iterator[str]:
    """The fields that change, rows that come and go, and what one has to know."""
    for note in step.notes:
        yield visible(f"! {note}")
    for difference in step.differences:
        yield from visible(difference.render()).split("\n")
    for row in step.rows[:_ROWS_SHOWN]:
        yield visible(_row(row))
    if len(step.rows) > _ROWS_SHOWN:
        yield f"and {len(step.rows) - _ROWS_SHOWN} more rows"


def _row(row: Row) -> str:
    sign = "-" if row.values is None else "~" if row.etag else "+"
    return f"{sign} row {row.shown!r}"


def plan_lines(plan: Plan) -> Iterator[str]:
    """The plan for people, without its problems."""
    for step in plan.steps:
        if step.action in ("mark", "forget"):
            continue
        yield step_head(step)
        yield from (f"    {line}".rstrip() for line in step_details(step))
    yield from plan_notes(plan)
    yield summary(plan)


def plan_notes(plan: Plan) -> Iterator[str]:
    for note in plan.notes:
        yield visible(f"note: {note}")
    if plan.orphans:
        yield visible(f"note: not deleted, because this plan does not prune: {_listed(plan.orphans)}")
    if plan.protected:
        yield visible(f"note: protected and left alone: {_listed(plan.protected)}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LIST_SHOWN} more" if len(names) > _LIST_SHOWN else ""
    return ", ".join(names[:_LIST_SHOWN]) + more


def summary(plan: Plan) -> str:
    """One line: how many of what."""
    counts = [f"{count} {words}" for action, words in _WORDS if (count := plan.count(action))]  # type: ignore[arg-type]  # the table's keys are actions
    head = ", ".join(counts) if plan.changes else "No changes" + (f"; {', '.join(counts)}" if counts else "")
    rest = [f"{plan.unchanged} unchanged"]
    rest += [f"{plan.unmanaged} of others left alone"] if plan.unmanaged else []
    rest += [f"{plan.excluded} excluded"] if plan.excluded else []
    errors = sum(problem.severity == "error" for problem in plan.problems)
    end = f"; {errors} error{'s' if errors > 1 else ''} forbid{'s' if errors == 1 else ''} it." if errors else "."
    return f"{plan.environment}: {head}; {', '.join(rest)}{end}"


# --- what became of it ---------------------------------------------------------------------------------------------------------------


def outcome_lines(applied: Applied) -> Iterator[str]:
    """Every step that was tried and not done, with the reason, and a summary."""
    for outcome in applied.outcomes:
        if outcome.status not in ("done", "not started"):
            yield visible(f"{outcome.status}: {kind_of(outcome.step)} {outcome.step.title!r}")
            yield from (visible(f"    {line}") for line in outcome.message.split("\n") if outcome.message)
    yield applied_summary(applied)


def applied_summary(applied: Applied) -> str:
    counts = [f"{count} {status}" for status in STATUSES if (count := len(applied.of(status)))]
    stopped = " Stopped; run again to do the rest." if applied.interrupted else ""
    return f"{applied.plan.environment}: {', '.join(counts) or 'nothing to do'}.{stopped}"


# --- Markdown ------------------------------------------------------------------------------------------------------------------------


def plan_markdown(plan: Plan) -> str:
    """The plan as the body of a comment on a pull request: with the details of every step, or without where that would be too long."""
    text = ""
    for details in (True, False):
        text = "\n".join(_markdown(plan, details=details)).rstrip() + "\n"
        if len(text) <= _LONGEST:
            return text
    lines, rest = text[:_LONGEST].rsplit("\n", 1)[0], "\nThe plan goes on; the file of the plan has all of it.\n"
    return lines + ("\n```" if lines.count("\n```") % 2 else "") + "\n" + rest


def _markdown(plan: Plan, *, details: bool) -> Iterator[str]:
    yield from (f"### Plan for `{plan.environment}`", "", _escaped(summary(plan)), "")
    if plan.blocked:
        yield from ("**The plan has errors and cannot be applied.**", "")
    for problem in plan.problems:
        yield from (*_fenced(visible(problem.text), ""), "")
    yield from (f"> {_escaped(line)}" for line in plan_notes(plan))
    yield ""
    for step in plan.steps:
        if step.action in ("mark", "forget"):
            continue
        # at the beginning of the line, where a diff's colours are
        shown = [line.removeprefix("  ") for line in step_details(step)] if details else []
        head = f"<code>{SIGNS[step.action]}</code> {_escaped(step_head(step).removeprefix(SIGNS[step.action]).strip())}"
        if shown:
            yield from (f"<details><summary>{head}</summary>", "", *_fenced("\n".join(shown), "diff"), "", "</details>", "")
        else:
            yield f"- {head}"


def applied_markdown(applied: Applied) -> str:
    """The outcome as a job's summary."""
    head = [f"### Deployment to `{applied.plan.environment}`", "", applied_summary(applied), ""]
    rows = [(SIGNS[each.step.action], _named(each), each.step.file, _said(each)) for each in applied.outcomes]
    table = ["| | what | file | outcome |", "|---|---|---|---|", *(f"| {' | '.join(map(_cell, row))} |" for row in rows)]
    return "\n".join([*head, *table]) + "\n"


def _named(outcome: Outcome) -> str:
    return f"{kind_of(outcome.step)} {outcome.step.title}"


def _said(outcome: Outcome) -> str:
    first = outcome.message.split("\n")[0]
    return f"{outcome.status}: {first}" if first else outcome.status


def _fenced(text: str, language: str) -> list[str]:
    fence = "```"
    while fence in text:
        fence += "`"
    return [f"{fence}{language}", text, fence]


def _escaped(text: str) -> str:
    """Without what Markdown, GitHub (a mention) and HTML would read something into."""
    return "".join(f"&#{ord(char)};" if char in _MARKUP else char for char in text)


def _cell(text: str) -> str:
    return _escaped(visible(text)).replace("\n", " ")


def applied_data(applied: Applied) -> dict[str, Any]:
    """The outcome as JSON values; keys are only ever added."""
    outcomes = [
        {
            "action": outcome.step.action,
            "kind": outcome.step.kind,
            "name": outcome.step.name,
            "title": outcome.step.title,
            "file": outcome.step.file,
            "status": outcome.status,
            "message": outcome.message,
            "correlationId": outcome.correlation_id,
        }
        for outcome in applied.outcomes
    ]
    counts = {status.replace(" ", "_"): len(applied.of(status)) for status in STATUSES}
    summary_data = {**counts, "unchanged": applied.plan.unchanged, "clean": applied.clean, "interrupted": applied.interrupted}
    return {"version": 1, "environment": applied.plan.environment, "summary": summary_data, "outcomes": outcomes}
