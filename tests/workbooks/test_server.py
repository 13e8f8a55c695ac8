"""The preview's server: only its own page may ask, and what is asked wrongly is answered, not raised."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.workbooks.shown import open_book
from toolkit.serve.server import ListenError
from toolkit.workbooks.preview.listening import PreviewServer

_JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server() -> Iterator[PreviewServer]:
    with open_book("detection-health") as preview, PreviewServer(preview) as found:
        yield found


def _ask(
    server: PreviewServer, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, bytes, dict[str, str]]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request(method, path, body or None, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}


def test_the_page_and_a_view(server: PreviewServer) -> None:
    status, body, headers = _ask(server, "GET", "/")
    assert status == 200
    assert b"Detection health and coverage" in body
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    own = {**_JSON, "Origin": server.url.rstrip("/")}
    status, body, _ = _ask(server, "POST", "/view", json.dumps({"Tab": "quality"}).encode(), own)
    assert status == 200
    names = [item["name"] for item in json.loads(body)["items"]]
    assert "quality" in names
    assert "health" not in names


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/", b"", {"Host": "evil.example.net"}, 403),
        ("GET", "/", b"", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("POST", "/view", b"{}", {**_JSON, "Origin": "https://evil.example.net"}, 403),
        ("POST", "/view", b"{}", {"Content-Type": "text/plain"}, 415),
        ("POST", "/view", b"{", _JSON, 400),
        ("POST", "/view", b"[1]", _JSON, 400),
        ("POST", "/view", b"[" * 100_000, _JSON, 400),
        ("POST", "/view", b'"' + b"x" * 2_000_000 + b'"', _JSON, 413),
        ("GET", "/etc/passwd", b"", {}, 404),
        ("DELETE", "/", b"", {}, 405),
    ],
)
def test_what_is_refused(server: PreviewServer, method: str, path: str, body: bytes, headers: dict[str, str], status: int) -> None:
    assert _ask(server, method, path, body, headers)[0] == status


@pytest.mark.parametrize(
    "chosen",
    [
        {"TimeRange": 7},
        {"TimeRange": {"durationMs": -1}},
        {"Rule": {"a": 1}},
        {"Rule": "' or 1 == 1 //"},
        {"Tab": None},
        {"nobody": [1, [2]]},
    ],
)
def test_any_choice_gives_a_page(server: PreviewServer, chosen: object) -> None:
    status, body, _ = _ask(server, "POST", "/view", json.dumps(chosen).encode(), _JSON)
    assert status == 200
    assert json.loads(body)["items"]


def test_a_port_that_is_taken() -> None:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as taken,
        open_book("detection-health") as preview,
        pytest.raises(ListenError, match="cannot be listened on"),
    ):
        PreviewServer(preview, taken.getsockname()[1])
