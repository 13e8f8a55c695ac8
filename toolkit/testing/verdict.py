"""What came out of a run against what its case expects: one failure per expectation that is not met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.content.durations import show_duration
from toolkit.content.models.rule import Rule
from toolkit.content.template.parameters import plain_value
from toolkit.content.yaml.nodes import Path, Scalar
from toolkit.kql.diagnostics import suggestion
from toolkit.simulate.alerts import Alert
from toolkit.simulate.entities import Entity
from toolkit.testing.cases import Expect
from toolkit.testing.compare import Expected, match_rows, nearest_row, same_value, shown_value

_SHOWN_ROWS = 3
_SHOWN_COLUMNS = 8


@dataclass(frozen=True)
class Outcome:
    """The rows of a run, and for rules its alerts (None for hunting queries and functions)."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Mapping[str, Any]]
    alerts: Sequence[Alert] | None
    rule: Rule | None = None

    @property
    def types(self) -> dict[str, str]:
        return dict(self.columns)


@dataclass(frozen=True)
class Failure:
    """One expectation that is not met: its place under `expect`, and what was found instead.

    `lost`: something was to come out and did not, so the steps of the query are worth showing.
    """

    path: Path
    message: str
    details: Sequence[str] = ()
    hints: tuple[str, ...] = ()
    lost: bool = False


def judge(expect: Expect, outcome: Outcome) -> list[Failure]:
    """Every expectation that the outcome does not meet; only the first one when nothing came out at all."""
    failures: list[Failure] = []
    if expect.none:
        failures += _nothing(outcome)
    if expect.alerts is not None:
        failures += _alerts(expect.alerts, outcome)
    if expect.rows is not None:
        failures += _rows(expect, outcome)
    if expect.entities is not None:
        failures += _entities(expect.entities, outcome)
    if expect.details is not None:
        failures += _details(expect.details, outcome)
    if expect.title is not None:
        failures += _title(expect.title, outcome)
    lost = [failure for failure in failures if failure.lost]
    return lost[:1] or failures


def _nothing(outcome: Outcome) -> Iterator[Failure]:
    if outcome.alerts:
        alerts = outcome.alerts
        message = f"Expected no alert, found {_count(len(alerts), 'alert')} ({_count(len(outcome.rows), 'row')})."
        yield Failure((), message, _row_lines(outcome.rows))
    elif outcome.alerts is None and outcome.rows:
        yield Failure((), f"Expected no rows, found {len(outcome.rows)}.", _row_lines(outcome.rows))


def _alerts(expected: int, outcome: Outcome) -> Iterator[Failure]:
    if outcome.alerts is None:
        yield Failure(("alerts",), "Only rules raise alerts; hunting queries and functions give rows.", hints=("Write `rows:` instead.",))
    elif len(outcome.alerts) != expected:
        returned = _count(len(outcome.rows), "row")
        message = f"Expected {_count(expected, 'alert')}, found {len(outcome.alerts)}; the query returned {returned}."
        lost = len(outcome.alerts) < expected and not outcome.rows
        yield Failure(("alerts",), message, _row_lines(outcome.rows), _trigger_hint(outcome), lost)


def _trigger_hint(outcome: Outcome) -> tuple[str, ...]:
    rule = outcome.rule
    if rule is None or rule.is_nrt or outcome.alerts or not outcome.rows:
        return ()
    threshold = f"{rule.trigger_operator or 'GreaterThan'} {rule.trigger_threshold or 0}"
    return (f"{_count(len(outcome.rows), 'row')} in {show_duration(rule.period)} do not meet the trigger: {threshold}.",)


def _rows(expect: Expect, outcome: Outcome) -> Iterator[Failure]:
    rows, types = outcome.rows, outcome.types
    if isinstance(expect.rows, int):
        if len(rows) != expect.rows:
            message = f"Expected {_count(expect.rows, 'row')}, found {len(rows)}."
            yield Failure(("rows",), message, _row_lines(rows), lost=not rows)
        return
    unknown = list(_unknown_columns(expect.rows, types))
    yield from unknown
    if unknown:
        return
    match = match_rows(expect.rows, rows, types)
    for number in match.missing:
        near = nearest_row(expect.rows[number], [rows[extra] for extra in match.extra] or rows, types)
        message = f"Expected row {number + 1} is not in the result of {_count(len(rows), 'row')}."
        yield Failure(("rows", number), message, row_diff(expect.rows[number], near, types), lost=not rows)
    if expect.exact and match.extra:
        extra = [rows[number] for number in match.extra]
        yield Failure(("rows",), f"The result has {_count(len(extra), 'row')} more than expected.", _row_lines(extra))


def _unknown_columns(expected: Sequence[Expected], types: Mapping[str, str]) -> Iterator[Failure]:
    for number, row in enumerate(expected):
        for name in row:
            if name not in types:
                hints = suggestion(name, types) or (f"Columns of the result: {', '.join(types)}.",)
                yield Failure(("rows", number, name), f"The result has no column {name!r}.", hints=hints)


def row_diff(expected: Expected, near: Mapping[str, Any] | None, types: Mapping[str, str]) -> list[str]:
    """Lines of a diff: `-` is what the case expects, `+` what the nearest row has."""
    if near is None:
        return [f"  - {name}: {shown_value(value)}" for name, value in expected.items()]
    lines = ["  expected (-) and the nearest row of the result (+):"]
    for name, value in expected.items():
        if same_value(value, near.get(name), types.get(name, "string")):
            lines.append(f"    {name}: {shown_value(near.get(name))}")
        else:
            lines += [f"  - {name}: {shown_value(value)}", f"  + {name}: {shown_value(near.get(name))}"]
    return lines


def _row_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first rows, a few filled columns each."""
    lines: list[str] = []
    for row in rows[:_SHOWN_ROWS]:
        filled = [(name, value) for name, value in row.items() if value not in (None, "", [], {})]
        texts = [f"{name}: {_short(shown_value(value))}" for name, value in filled[:_SHOWN_COLUMNS]]
        lines.append("  + " + ", ".join([*texts, *(["..."] if len(filled) > _SHOWN_COLUMNS else [])]))
    if len(rows) > _SHOWN_ROWS:
        lines.append(f"    and {len(rows) - _SHOWN_ROWS} more")
    return lines


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _entities(expected: Sequence[Expected], outcome: Outcome) -> Iterator[Failure]:
    found = [entity for alert in outcome.alerts or () for entity in alert.entities]
    notes = list(dict.fromkeys(note for alert in outcome.alerts or () for note in alert.notes))
    for number, want in enumerate(expected):
        if not any(_same_entity(want, entity) for entity in found):
            shown = ", ".join(f"{name}: {shown_value(value)}" for name, value in want.items())
            lines = [f"  - {shown}", *(f"  + {entity.as_text()}" for entity in found[:10]), *(f"  note: {note}" for note in notes)]
            yield Failure(("entities", number), "The alert has no such entity.", lines, lost=not outcome.rows)


def _same_entity(expected: Expected, entity: Entity) -> bool:
    for name, value in expected.items():
        text = value.text if isinstance(value, Scalar) else shown_value(value)
        if name == "type":
            if text.lower() != entity.kind.lower():
                return False
        elif text not in (entity.mapped.get(name), entity.stored.get(name)):
            return False
    return True


def _details(expected: Any, outcome: Outcome) -> Iterator[Failure]:
    found = [alert.details for alert in outcome.alerts or ()]
    for key, value in expected.items() if isinstance(expected, Mapping) else ():
        wanted = value if isinstance(value, list) else [value]
        texts = [item.text if isinstance(item, Scalar) else str(plain_value(item)) for item in wanted]
        if not any(set(texts) <= set(details.get(key, ())) for details in found):
            actual = "; ".join(", ".join(details.get(key, ["nothing"])) for details in found) or "no alert"
            lines = [f"  - {key}: {', '.join(texts)}", f"  + {key}: {actual}"]
            yield Failure(("details", key), f"The custom detail {key!r} is another.", lines, lost=not outcome.rows)


def _title(expected: str, outcome: Outcome) -> Iterator[Failure]:
    titles = [alert.title for alert in outcome.alerts or ()]
    if expected not in titles:
        lines = [f"  - {expected}", *(f"  + {title}" for title in dict.fromkeys(titles))]
        yield Failure(("title",), "No alert has this title.", lines, lost=not outcome.rows)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
