"""Who may ask, and how much: hosts, origins, tokens, limits, the record of requests."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Mapping

import pytest

from tests.serve.conftest import SLOW, Serving, Wire, until
from toolkit.serve.app import Limits
from toolkit.serve.guard import ADX_ORIGINS, Guard, is_loopback
from toolkit.serve.server import ListenError, Server

QUERY = {"csl": "T | count"}
ADX = ADX_ORIGINS[0]


def _status(wire: Wire, headers: Mapping[str, str], method: str = "POST", path: str = "/v2/rest/query") -> int:
    return wire.send(method, path, QUERY if method == "POST" else None, headers).status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:1234"}, 200),
        ({"Host": "127.0.0.2"}, 200),
        ({"Host": "[::1]:80"}, 200),
        ({"Host": "soc.contoso.com"}, 403),
        ({"Host": "localhost.contoso.com:80"}, 403),
        ({"Host": "127.0.0.1.contoso.com"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "https://contoso.com"}, 403),
        ({"Origin": ADX}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 200),
    ],
)
def test_hosts_and_origins(wire: Wire, headers: dict[str, str], status: int) -> None:
    assert _status(wire, headers) == status
    assert _status(wire, headers, "GET", "/v1/workspaces/soc/query?query=T") == status


def test_no_page_may_read_by_default(wire: Wire) -> None:
    asked = {"Origin": ADX, "Access-Control-Request-Method": "POST"}
    answer = wire.send("OPTIONS", "/v2/rest/query", None, asked)
    assert answer.status == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_an_origin_that_is_allowed(serving: Serving) -> None:
    wire = serving(guard=Guard(origins=ADX_ORIGINS))
    asked = {
        "Origin": ADX,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-ms-app,x-ms-user-id",
        "Access-Control-Request-Private-Network": "true",
    }
    preflight = wire.send("OPTIONS", "/v2/rest/query", None, asked)
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-headers"] == "authorization,x-ms-app,x-ms-user-id"
    assert preflight.headers["access-control-allow-private-network"] == "true"
    answer = wire.send("POST", "/v2/rest/query", QUERY, {"Origin": ADX})
    assert (answer.status, answer.headers["access-control-allow-origin"], answer.headers["vary"]) == (200, ADX, "Origin")
    wrong = wire.send("POST", "/v2/rest/query", {"csl": "Gone"}, {"Origin": ADX})
    assert (wrong.status, wrong.headers["access-control-allow-origin"]) == (400, ADX)
    assert _status(wire, {"Origin": "https://dataexplorer.azure.com.contoso.com"}) == 403


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer open sesame", 200),
        ("bearer open sesame", 200),
        ("Bearer open", 401),
        ("Basic open sesame", 401),
        ("open sesame", 401),
        ("", 401),
    ],
)
def test_tokens(serving: Serving, authorization: str, status: int) -> None:
    wire = serving(guard=Guard(token="open sesame"))
    headers = {"Authorization": authorization} if authorization else {}
    assert _status(wire, headers) == status
    assert _status(wire, headers, "GET", "/") == status


def test_a_host_that_others_reach_needs_a_token(serving: Serving) -> None:
    settings = serving().server.app.settings
    with pytest.raises(ListenError, match="a token is required"):
        Server(settings, "0.0.0.0")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("x", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_a_port_that_is_taken(wire: Wire) -> None:
    with pytest.raises(ListenError, match=f"127.0.0.1:{wire.server.port} cannot be listened on"):
        Server(wire.server.app.settings, port=wire.server.port)


def test_a_body_that_is_too_large(serving: Serving) -> None:
    wire = serving(limits=Limits(body=1000))
    answer = wire.send("POST", "/v2/rest/query", {"csl": "T | where B == '" + "x" * 1000 + "'"})
    assert (answer.status, "larger than 1000 bytes" in answer.body["error"]["@message"]) == (413, True)


def test_a_body_that_is_compressed(wire: Wire) -> None:
    answer = wire.send("POST", "/v1/workspaces/soc/query", gzip.compress(b"{}" * 1000), {"Content-Encoding": "gzip"})
    assert (answer.status, "found 'gzip'" in answer.body["error"]["innererror"]["message"]) == (415, True)


HEAD = b"POST /v2/rest/query HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", b""),
        (b"POST /v2/rest/query HTTP/1.1\r\nHo", b""),
        (HEAD + b"Content-Length: 100\r\n\r\n{", b"408"),
        (HEAD + b"Content-Length: 99999999\r\n\r\n{", b"413"),
        (HEAD + b"Content-Length: -5\r\n\r\n{", b"400"),
        (b"NONSENSE\r\n\r\n", b"400"),
    ],
)
def test_a_connection_is_not_kept_for_a_client_that_does_not_ask(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, sent: bytes, status: bytes
) -> None:
    monkeypatch.setattr("toolkit.serve.server._HEAD_SECONDS", 0.5)
    wire = serving(limits=Limits(stalled=0.5))
    with socket.create_connection((wire.server.host, wire.server.port), timeout=30) as connection:
        connection.sendall(sent)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))  # until the server closes
    assert answer.split(b" ", 2)[1:2] == ([status] if status else [])


def test_a_client_that_does_not_take_its_answer(serving: Serving) -> None:
    wire = serving(limits=Limits(stalled=0.5))
    body = json.dumps({"csl": "range x from 1 to 400000 step 1 | extend s = strcat('abcdefghijklmnopqrstuvwxyz', x)"}).encode()
    with socket.create_connection((wire.server.host, wire.server.port)) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert until(lambda: [access.status for access in wire.accesses] == [499])
    assert wire.kusto("T | count").status == 200


def test_the_servers_own_time_limit(serving: Serving) -> None:
    wire = serving(limits=Limits(seconds=0.2))
    answer = wire.kusto(SLOW, servertimeout="01:00:00")
    assert (answer.status, "after 0.2 seconds" in answer.body["error"]["@message"]) == (504, True)


def test_the_record_of_a_request(serving: Serving) -> None:
    wire = serving()
    wire.send(
        "POST", "/v2/rest/query", {"csl": "T | where B != 'secret'"}, {"x-ms-client-request-id": "KPC;1", "Authorization": "Bearer hush"}
    )
    wire.send("GET", "/v1/workspaces/soc/query?query=print%20'secret'")
    wire.send("POST", "/v2/rest/query", {"csl": "T | where Secret"})
    wire.send("GET", "/", None, {"Host": "contoso.com"})
    assert until(lambda: len(wire.accesses) == 4)  # the record follows the answer
    found = [(access.method, access.path, access.status, access.rows, access.request_id) for access in wire.accesses]
    assert found == [
        ("POST", "/v2/rest/query", 200, 10, "KPC;1"),
        ("GET", "/v1/workspaces/soc/query", 200, 1, ""),
        ("POST", "/v2/rest/query", 400, None, ""),
        ("GET", "/", 403, None, ""),
    ]
    assert "ecret" not in repr(wire.accesses)
    assert "hush" not in repr(wire.accesses)
