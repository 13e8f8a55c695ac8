"""Plugins against their definitions, written down again in plain Python, over generated rows."""

from __future__ import annotations

import ipaddress
import itertools
import math
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit import Workspace

EXAMPLES = settings(max_examples=15, deadline=None)
START, STOP = 3, 30

Event = tuple[str, int, str]  # id, time, dimension
EVENTS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(-5, 35), st.sampled_from("xy")), min_size=1, max_size=40)
STEPS = st.integers(1, 6)
# few enough addresses that networks hold some of them, and overlap
ADDRESSES = st.integers(0, 2**8 - 1).map(lambda number: str(ipaddress.IPv4Address(number << 20)))
NETWORKS = st.tuples(ADDRESSES, st.integers(4, 16)).map(lambda pair: f"{pair[0]}/{pair[1]}")


def _run(events: Iterable[Event], plugin: str) -> list[tuple[Any, ...]]:
    with closing(Workspace({"T": {"u": "string", "n": "long", "d": "string"}})) as workspace:
        workspace.ingest("T", [{"u": key, "n": time, "d": dimension} for key, time, dimension in events])
        return sorted(workspace.query(f"T | evaluate {plugin}").rows())


def _window(time: int, step: int) -> int:
    return START + (time - START) // step * step


def _inside(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if START <= event[1] <= STOP]


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _same(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> bool:
    return repr(found) == repr(sorted(expected))


@EXAMPLES
@given(st.lists(ADDRESSES, min_size=1, max_size=12), st.lists(NETWORKS, max_size=12))
def test_lookup_gives_each_network_that_holds_the_address(addresses: list[str], networks: list[str]) -> None:
    with closing(Workspace({"A": {"ip": "string"}, "N": {"net": "string"}})) as workspace:
        workspace.ingest("A", [{"ip": address} for address in addresses])
        workspace.ingest("N", [{"net": network} for network in networks])
        found = sorted(workspace.query("A | evaluate ipv4_lookup(N, ip, net, return_unmatched = true)").rows())
        sixth = sorted(workspace.query("A | evaluate ipv6_lookup(N, ip, net, return_unmatched = true) | project ip, net").rows())
    expected = []
    for address in addresses:
        held = [net for net in networks if ipaddress.ip_address(address) in ipaddress.ip_network(net, strict=False)]
        expected += [(address, net) for net in held or [""]]
    assert found == sorted(expected)
    assert sixth == found


@EXAMPLES
@given(EVENTS, STEPS)
def test_counts_by_window(events: list[Event], step: int) -> None:
    expected = []
    for dimension in "xy":
        seen: set[str] = set()
        own = [(key, _window(time, step)) for key, time, other in _inside(events) if other == dimension]
        for window in sorted({window for _, window in own}):
            ids = [key for key, other in own if other == window]
            new = set(ids) - seen
            seen |= new
            expected.append((window, dimension, len(ids), len(set(ids)), len(new), len(seen)))
    assert _same(_run(events, f"activity_counts_metrics(u, n, {START}, {STOP}, {step}, d)"), expected)


@EXAMPLES
@given(EVENTS, STEPS)
def test_retention_compares_with_the_window_before(events: list[Event], step: int) -> None:
    windows: dict[tuple[int, str], set[str]] = {}
    for key, time, dimension in _inside(events):
        windows.setdefault((_window(time, step), dimension), set()).add(key)
    expected = []
    for (window, dimension), ids in windows.items():
        before = windows.get((window - step, dimension), set())
        kept = len(ids & before)
        rates = (_ratio(kept, len(before)), _ratio(len(before) - kept, len(before)))
        expected.append((window, dimension, len(ids), len(ids) - kept, *rates))
    assert _same(_run(events, f"activity_metrics(u, n, {START}, {STOP}, {step}, d)"), expected)


@EXAMPLES
@given(EVENTS, STEPS, st.integers(1, 4))
def test_sliding_windows_look_back_over_whole_bins(events: list[Event], step: int, bins: int) -> None:
    counts, engagement = [], []
    for target, dimension in itertools.product(range(START, STOP + 1, step), "xy"):
        behind = target - (bins - 1) * step
        rows = [event for event in events if event[2] == dimension and behind <= _window(event[1], step) <= target and event[1] <= STOP]
        ids, inner = {key for key, _, _ in rows}, {key for key, time, _ in rows if _window(time, step) == target}
        if rows:
            counts.append((target, dimension, len(rows), len(ids)))
            engagement.append((target, dimension, len(inner), len(ids), len(inner) / len(ids)))
    lookback = bins * step + step // 2
    assert _same(_run(events, f"sliding_window_counts(u, n, {START}, {STOP}, {lookback}, {step}, d)"), counts)
    assert _same(_run(events, f"activity_engagement(u, n, {START}, {STOP}, {step}, {lookback}, d)"), engagement)


@EXAMPLES
@given(EVENTS, STEPS, st.integers(1, 3), st.integers(1, 3), st.integers(1, 12))
def test_active_users_appear_in_enough_periods(events: list[Event], step: int, period: int, wanted: int, lookback: int) -> None:
    active: dict[int, set[str]] = {}
    for key, time, _ in _inside(events):
        times = [other for own, other, _ in events if own == key and time - lookback < other <= time]
        if len({_window(other, period) for other in times}) >= wanted:
            active.setdefault(_window(time, step), set()).add(key)
    found = _run(events, f"active_users_count(u, n, {START}, {STOP}, {lookback}, {period}, {wanted}, {step})")
    assert _same(found, [(window, len(ids)) for window, ids in active.items()])


@EXAMPLES
@given(EVENTS, STEPS, st.integers(0, 8))
def test_sessions_begin_after_a_gap(events: list[Event], step: int, lookback: int) -> None:
    begun: dict[int, int] = {}
    for key in "abcd":
        times = sorted(time for own, time, _ in events if own == key)
        for index, time in enumerate(times):
            if START <= time <= STOP and (index == 0 or time - times[index - 1] > lookback):
                begun[time // step * step] = begun.get(time // step * step, 0) + 1
    assert _same(_run(events, f"session_count(u, n, {START}, {STOP}, {step}, {lookback})"), list(begun.items()))


@EXAMPLES
@given(EVENTS, STEPS)
def test_cohorts_against_all_windows_after_them(events: list[Event], step: int) -> None:
    own = [(key, _window(time, step)) for key, time, _ in _inside(events)]
    first = {key: min(window for other, window in own if other == key) for key, _ in own}
    expected = []
    for begun, to in itertools.combinations_with_replacement(range(START, STOP + 1, step) if own else [], 2):
        cohort, there = {key for key in first if first[key] == begun}, {key for key, window in own if window == to}
        new = {key for key in there if first[key] > begun or begun == to == first[key]}
        kept = len(cohort & there)
        expected.append((begun, to, len(new), kept, len(cohort) - kept, _ratio(kept, len(cohort)), _ratio(len(cohort) - kept, len(cohort))))
    assert _same(_run(events, f"new_activity_metrics(u, n, {START}, {STOP}, {step})"), expected)


@EXAMPLES
@given(st.lists(st.tuples(st.sampled_from("pq"), st.integers(0, 30)), max_size=25), st.integers(1, 8), st.integers(1, 14))
def test_sequences_are_all_choices_in_time(events: list[tuple[str, int]], step: int, span: int) -> None:
    # even minutes for the first step, odd ones for the second: no two steps are at the same time
    minutes = sorted({(state, 2 * time + (state == "q")) for state, time in events})
    rows = ", ".join(f"{minute}m, '{state}'" for state, minute in minutes)
    query = (
        f"datatable(t:timespan, e:string)[{rows}] | evaluate sequence_detect(t, {step}m, {span}m, p = e == 'p', q = e == 'q', r = e == 'p')"
        " | project p_t / 1m, q_t / 1m, r_t / 1m, Duration / 1m"
    )
    with closing(Workspace({})) as workspace:
        found = sorted(workspace.query(query).rows())
    firsts, seconds = ([minute for state, minute in minutes if state == wanted] for wanted in "pq")
    expected = [
        (p, q, r, r - p)
        for p, q, r in itertools.product(firsts, seconds, firsts)
        if 0 < q - p <= step and 0 < r - q <= step and r - p <= span and q - p <= span
    ]
    assert found == sorted(expected)
