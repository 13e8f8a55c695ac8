"""Clouds, credentials, token buckets, pauses: the parts that need no server."""

from __future__ import annotations

import logging
import signal
import sys
from threading import Event, main_thread
from types import SimpleNamespace
from typing import Any

import pytest

from tests.azure.conftest import TOKEN, Local, ManualClock
from toolkit.azure import PUBLIC, StaticCredential, cloud_named, default_credential, errors
from toolkit.azure.cloud import CLOUDS, CloudSettingError
from toolkit.azure.credentials import GuardedCredential, MissingIdentityError
from toolkit.azure.errors import Facts
from toolkit.azure.limits import READS, WRITES, Bucket, Gate
from toolkit.azure.parallel import run_many
from toolkit.azure.pipeline import Options, Retries, retry_after
from toolkit.azure.resources import ALERT_RULE
from toolkit.azure.sameness import covers


@pytest.mark.parametrize("name", CLOUDS)
def test_a_cloud_asks_for_tokens_of_its_own(name: str) -> None:
    cloud = cloud_named(name.upper())
    assert cloud.resource_manager_scope == f"{cloud.resource_manager}/.default"
    assert cloud.logs_scope == f"{cloud.logs}/.default"


def test_another_host_never_gets_a_token_for_azure() -> None:
    cloud = PUBLIC.at(resource_manager="https://stack.example.com/", logs="https://logs.example.com/v1")
    assert cloud.resource_manager_scope == "https://stack.example.com/.default"
    assert (cloud.logs, cloud.logs_scope) == ("https://logs.example.com", "https://logs.example.com/.default")


@pytest.mark.parametrize(
    "address",
    [
        "http://management.azure.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "ftp://x",
        "",
        "https://u:p4ss@x",
        "https://x?a=b",
        "https://x:y",
    ],
)
def test_an_endpoint_that_would_show_a_token_is_refused(address: str) -> None:
    with pytest.raises(CloudSettingError) as caught:
        PUBLIC.at(resource_manager=address)
    assert "p4ss" not in str(caught.value)


def test_an_unknown_cloud_names_the_known_ones() -> None:
    with pytest.raises(CloudSettingError, match="'usgov'"):
        cloud_named("usgow")


@pytest.mark.parametrize("address", ["http://127.0.0.1:8080", "http://[::1]:80", "http://localhost"])
def test_loopback_may_be_plain(address: str) -> None:
    assert PUBLIC.at(resource_manager=address).resource_manager == address


def test_without_azure_identity_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    with pytest.raises(MissingIdentityError, match=r"toolkit\[azure\]"):
        default_credential(PUBLIC)


def test_ways_of_signing_in_that_fail_are_not_printed_by_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a handler of its own a warning of azure-identity goes to stderr, for every thread that asks."""
    logger = logging.getLogger("azure.identity")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setitem(sys.modules, "azure.identity", SimpleNamespace(DefaultAzureCredential=lambda **_: None))
    default_credential(PUBLIC)
    assert [type(handler) for handler in logger.handlers] == [logging.NullHandler]


def test_a_token_is_fetched_once_and_again_before_it_ends() -> None:
    asked: list[str] = []
    now = 1000.0

    def get_token(*scopes: str, **_: Any) -> Any:
        asked.extend(scopes)
        return SimpleNamespace(token=f"token-{len(asked)}", expires_on=now + 3600)

    guarded = GuardedCredential(SimpleNamespace(get_token=get_token), lambda: now)
    assert [guarded.get_token_info("a").token for _ in range(3)] == ["token-1"] * 3
    now += 3400
    assert guarded.get_token_info("a").token == "token-2"
    assert guarded.handed_out() == ("token-1", "token-2")
    assert "token-" not in repr(guarded) + repr(StaticCredential("token-9"))


def test_a_refused_sign_in_is_an_error_without_the_token(local: Local) -> None:
    local.server.tokens = {"another"}
    with pytest.raises(errors.AuthenticationError, match="Sign in") as caught:
        local.arm.list(ALERT_RULE, local.workspace)
    assert TOKEN not in str(caught.value)


def test_a_link_to_another_host_gets_no_token(local: Local) -> None:
    with pytest.raises(errors.ProtocolError, match=r"points to evil\.example\.com"):
        local.arm._get("https://evil.example.com/next", _call())
    assert local.methods() == []


def _call() -> Any:
    from toolkit.azure.pipeline import Call

    return Call("/x")


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    bucket = Bucket(3, 2.0)
    assert [bucket.take(0.0) for _ in range(5)] == [0, 0, 0, 0.5, 1.0]
    assert bucket.take(10.0) == 0
    bucket.observe(0, 10.0)
    assert bucket.take(10.0) == 0.5


def test_what_answers_say_about_the_rest_slows_the_client_down() -> None:
    clock = ManualClock()
    gate = Gate(clock, Event(), 4)
    url = "https://x/subscriptions/S/a"
    gate.observe(url, {"x-ms-ratelimit-remaining-subscription-writes": "0", "x-ms-ratelimit-remaining-subscription-reads": "n/a"})
    for operation, expected in ((READS, []), (WRITES, [0.1])):
        clock.waits.clear()
        with gate.slot(url, operation):
            pass
        assert clock.waits == pytest.approx(expected)
    gate.close(url.lower(), READS, 30)
    with gate.slot(url, READS):
        assert clock.waits[-1] == pytest.approx(30, abs=0.2)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_the_pauses_grow_to_a_bound() -> None:
    assert [Retries().delay(number) for number in (1, 2, 3, 4, 20)] == [0, 1.6, 3.2, 6.4, 120]
    with pytest.raises(ValueError, match="parallelism"):
        Options(parallelism=0)


@pytest.mark.parametrize(
    ("found", "sent", "expected"),
    [
        ({"a": "P1D", "extra": 1}, {"a": "PT24H"}, True),
        ({"a": None}, {"b": None}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": "x"}, {"a": "X"}, False),
        ({}, {"rawContent": "u", "etag": "e"}, True),
        ([], {"a": 1}, False),
        ({"a": None}, {"a": []}, True),
    ],
)
def test_what_was_sent_is_found_again(found: Any, sent: Any, expected: bool) -> None:
    assert covers(found, sent, ("rawContent",)) is expected


def test_an_error_of_one_call_is_its_outcome_and_a_defect_is_raised() -> None:
    def fail() -> int:
        raise errors.NotFoundError(Facts("gone"))

    first, second = run_many([fail, lambda: 2], 2, Event())
    assert isinstance(first.error, errors.NotFoundError)
    assert second.get() == 2
    with pytest.raises(ZeroDivisionError):
        run_many([lambda: 1 // 0], 1, Event())


def test_ctrl_c_lets_the_running_call_end_and_starts_no_more() -> None:
    cancel = Event()

    def running() -> str:
        signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)  # a real signal: it wakes the waiting thread
        return f"ended, told to stop: {cancel.wait(20)}"

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore the signal
    try:
        first, *rest = run_many([running, lambda: "never", lambda: "never"], 1, cancel)
    finally:
        signal.signal(signal.SIGINT, before)
    assert first.value == "ended, told to stop: True"
    assert [type(each.error) for each in rest] == [errors.CancelledError] * 2
