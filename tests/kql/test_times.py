"""Datetimes and timespans as text: every documented format, the exactness of seven digits, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.kql import times

ACCEPTED = [
    ("2022-12-02", "2022-12-02T00:00:00.0000000Z"),
    ("2022-12-02 13:45:56", "2022-12-02T13:45:56.0000000Z"),
    ("2022-12-02T13:45:56Z", "2022-12-02T13:45:56.0000000Z"),
    ("  2022-12-02T13:45:56Z\t", "2022-12-02T13:45:56.0000000Z"),
    ("2022-12-02T13:45:56.1234567Z", "2022-12-02T13:45:56.1234567Z"),
    ("2025-10-07T16:19:19.647880072Z", "2025-10-07T16:19:19.6478800Z"),
    ("2022-12-02T13:45:56+02:00", "2022-12-02T11:45:56.0000000Z"),
    ("2022-12-02T13:45:56-0500", "2022-12-02T18:45:56.0000000Z"),
    ("2022-12-31T23:45:56-05:00", "2023-01-01T04:45:56.0000000Z"),
    ("2022/12/02", "2022-12-02T00:00:00.0000000Z"),
    ("2022-2-3 4:05", "2022-02-03T04:05:00.0000000Z"),
    ("12-02-2022", "2022-12-02T00:00:00.0000000Z"),
    ("12/02/2022", "2022-12-02T00:00:00.0000000Z"),
    ("12.02.2022", "2022-12-02T00:00:00.0000000Z"),
    ("2/3/2022", "2022-02-03T00:00:00.0000000Z"),
    ("12-02-2022 13:45:56", "2022-12-02T13:45:56.0000000Z"),
    ("4/21/2020, 3:04:05.123 PM", "2020-04-21T15:04:05.1230000Z"),
    ("4/21/2020 12:04:05 AM", "2020-04-21T00:04:05.0000000Z"),
    ("2 Dec 2022", "2022-12-02T00:00:00.0000000Z"),
    ("Dec 2, 2022", "2022-12-02T00:00:00.0000000Z"),
    ("December 2, 2022 01:02", "2022-12-02T01:02:00.0000000Z"),
    ("Fri, 02 Dec 2022 13:45:56 GMT", "2022-12-02T13:45:56.0000000Z"),
    ("20221202", "2022-12-02T00:00:00.0000000Z"),
    ("2014-11-08T15:05 GMT", "2014-11-08T15:05:00.0000000Z"),
    ("Sat, 8 Nov 14 15:05:02 GMT", "2014-11-08T15:05:02.0000000Z"),
    ("8 Nov 14 15:05 GMT", "2014-11-08T15:05:00.0000000Z"),
    ("Saturday, 08-Nov-14 15:05:02 GMT", "2014-11-08T15:05:02.0000000Z"),
    ("08-Nov-14 15:05:02", "2014-11-08T15:05:02.0000000Z"),
    ("1 Jan 99 00:00", "1999-01-01T00:00:00.0000000Z"),
    ("0001-01-01", "0001-01-01T00:00:00.0000000Z"),
    ("9999-12-31 23:59:59.9999999", "9999-12-31T23:59:59.9999999Z"),
]

REFUSED = [
    "", " ", "not a date", "13-01-2022", "x12-02-2022", "2022-12-02x", "2022-02-30", "2022-00-10", "0000-01-01", "10000-01-01",
    "2022-12-02T24:00:00", "2022-12-02T10:60", "2022-12-02T10:00:60", "2022-12-02 13:00 PM", "2022-12-02 0:30 AM", "12-02/2022",
    "2022-12-02T10:00:00+15:00", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "Mon, 02 Dec 2022 13:45:56 GMT",
    "1 Jan 42 00:00", "2022", "8:00:00 AM", "2022-12-02T10:00:00." , "٢٠٢٢-١٢-٠٢", "2022-12-02T10:00:00Z" + " " * 200 + "x", "1" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ACCEPTED)
def test_datetime_formats(text: str, expected: str) -> None:
    ticks = times.parse_datetime(text)
    assert ticks is not None
    assert times.format_datetime_iso(ticks) == expected


@pytest.mark.parametrize("text", REFUSED)
def test_text_that_is_no_datetime(text: str) -> None:
    assert times.parse_datetime(text) is None


def test_day_first_is_a_choice_of_the_caller_and_has_no_fallback() -> None:
    assert times.parse_datetime("21/04/2025, 09:45:54.000") is None
    assert times.parse_datetime("21/04/2025, 09:45:54.000", day_first=True) == times.parse_datetime("2025-04-21T09:45:54Z")
    assert times.parse_datetime("04/21/2025", day_first=True) is None
    assert times.parse_datetime("2025-04-03", day_first=True) == times.parse_datetime("2025-04-03")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025", "2025-01-01T00:00:00.0000000Z"),
        ("2025, 6", "2025-06-01T00:00:00.0000000Z"),
        ("2025,6,14", "2025-06-14T00:00:00.0000000Z"),
        ("20250614", "2025-06-14T00:00:00.0000000Z"),
        ("2017 - 08 - 01", "2017-08-01T00:00:00.0000000Z"),
        ("'2019-01-30T10:36:07Z'", "2019-01-30T10:36:07.0000000Z"),
        ('"01/16/2022 00:00:00"', "2022-01-16T00:00:00.0000000Z"),
    ],
)
def test_datetime_literals(text: str, expected: str) -> None:
    ticks = times.parse_datetime_literal(text)
    assert ticks is not None
    assert times.format_datetime_iso(ticks) == expected


@pytest.mark.parametrize("text", ["2025, 6, 14, 1", "2025,13", "202506", "'2025", "", "0000"])
def test_refused_datetime_literals(text: str) -> None:
    assert times.parse_datetime_literal(text) is None


@pytest.mark.parametrize(
    ("text", "ticks"),
    [
        ("1.02:03:04", 937_840_000_000), (" 1.00:00:00 ", 864_000_000_000), ("\t2.00:00:00", 1_728_000_000_000),
        ("-1.02:03:04", -937_840_000_000), ("00:00:01.1234560", 11_234_560), ("00:00:00.00000009", 0), ("10:00", 360_000_000_000),
        ("10", None), ("abc", None), ("00:01:00 junk", None), ("1d", None), ("24:00:00", None), ("00:60:00", None), ("", None),
        ("99999999.00:00:00", None), ("74be27de-1e4e-49d9-b579-fe0b331d3642", None),
    ],
)  # fmt: skip
def test_timespan_text(text: str, ticks: int | None) -> None:
    assert times.parse_timespan(text) == ticks


@pytest.mark.parametrize(
    ("text", "ticks"),
    [
        ("2", 1_728_000_000_000), ("10:00", 360_000_000_000), ("00:01:30.5", 905_000_000), ("1.5d", 1_296_000_000_000),
        ("5microseconds", 50), ("1tick", 1), ("150nanoseconds", 1), ("250nanoseconds", 2), ("199nanoseconds", 1), ("-1d", -864_000_000_000),
        ("3w", None), ("1 d", None), ("d", None), ("9999999999d", None), ("", None),
    ],
)  # fmt: skip
def test_timespan_literals(text: str, ticks: int | None) -> None:
    assert times.parse_timespan_literal(text) == ticks


@pytest.mark.parametrize(
    ("ticks", "text"),
    [
        (864_000_000_000, "1.00:00:00"), (937_845_000_000, "1.02:03:04.5000000"), (-72_000_000_000, "-02:00:00"), (0, "00:00:00"),
        (10_000, "00:00:00.0010000"), (-1_296_000_000_000, "-1.12:00:00"), (1, "00:00:00.0000001"),
        (times.MIN_TIMESPAN_TICKS, "-10675199.02:48:05.4775808"),
    ],
)  # fmt: skip
def test_timespan_format(ticks: int, text: str) -> None:
    assert times.format_timespan(ticks) == text


@given(st.integers(times.MIN_DATETIME_TICKS, times.MAX_DATETIME_TICKS))
def test_datetime_text_round_trips(ticks: int) -> None:
    assert times.parse_datetime(times.format_datetime_iso(ticks)) == ticks


@given(st.integers(times.MIN_TIMESPAN_TICKS, times.MAX_TIMESPAN_TICKS))
def test_timespan_text_round_trips(ticks: int) -> None:
    assert times.parse_timespan(times.format_timespan(ticks)) == ticks


@given(st.datetimes(timezones=st.just(UTC)))
def test_python_datetimes_round_trip(value: datetime) -> None:
    assert times.datetime_from_ticks(times.ticks_from_datetime(value)) == value


@given(st.timedeltas(timedelta(days=-10_000_000), timedelta(days=10_000_000)))
def test_python_timedeltas_round_trip(value: timedelta) -> None:
    assert times.timedelta_from_ticks(times.ticks_from_timedelta(value)) == value


@given(st.text(max_size=40))
def test_any_text_is_answered(text: str) -> None:
    for parse in (times.parse_datetime, times.parse_datetime_literal, times.parse_timespan, times.parse_timespan_literal):
        ticks = parse(text)
        assert ticks is None or times.MIN_TIMESPAN_TICKS <= ticks <= times.MAX_TIMESPAN_TICKS


@pytest.mark.parametrize("ticks", [-1, times.MAX_DATETIME_TICKS + 1])
def test_ticks_outside_the_calendar(ticks: int) -> None:
    with pytest.raises(ValueError, match="outside the range"):
        times.format_datetime_iso(ticks)


def test_a_python_datetime_that_leaves_the_calendar_in_utc() -> None:
    with pytest.raises(ValueError, match="outside the range"):
        times.ticks_from_datetime(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))))
