"""Many clients at once: nobody sees another's rows, a client that leaves stops its query, a full server says so."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

from tests.serve.conftest import SLOW, Serving, Wire, until, workspace
from toolkit.serve.app import Limits
from toolkit.serve.databases import Database

CLIENTS, TURNS = 32, 6


def test_clients_never_see_each_others_rows(serving: Serving) -> None:
    """Different queries, sizes, clocks, parameters and databases at once, through one engine each; every row is checked."""
    wire = serving(Database("one", workspace(50, "x")), Database("two", workspace(70, "y")))

    def ask(number: int) -> None:
        for turn in range(TURNS):
            mark, rows = f"c{number}t{turn}", 1 + (number * 13 + turn * 7) % 400
            query = f"declare query_parameters(m:string); range x from 1 to {rows} step 1 | extend who = m, at = now(), r = x * 0.5"
            now = f"2026-01-{1 + number % 28:02d}T00:00:00Z"
            frames = wire.kusto(query, db="one", parameters={"m": mark}, query_now=now).body
            assert frames[2]["Rows"] == [[x, mark, now, x * 0.5] for x in range(1, rows + 1)]
            name, letter, count = (("one", "x", 50), ("two", "y", 70))[number % 2]
            found = wire.logs(f"T | where A % 7 == {turn} | project B | extend '{mark}'", workspace=name).body["tables"][0]["rows"]
            assert sorted(found) == sorted([f"{letter}{a}", mark] for a in range(count) if a % 7 == turn)
            assert wire.kusto("T | where Nope", db=name).status == 400

    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(ask, number) for number in range(CLIENTS)]:
            done.result()
    assert wire.server.app.runner.running == 0


def _leave_in_the_middle(wire: Wire, query: str) -> None:
    body = json.dumps({"csl": query}).encode()
    with socket.create_connection((wire.server.host, wire.server.port)) as connection:
        head = f"POST /v2/rest/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        assert until(lambda: wire.server.app.runner.running == 1)


def test_a_client_that_goes_away_stops_its_query(serving: Serving) -> None:
    wire = serving()
    _leave_in_the_middle(wire, SLOW)
    assert until(lambda: wire.server.app.runner.running == 0)
    database = wire.server.app.settings.databases.all[0].workspace.database
    assert not database._jobs
    assert until(lambda: [access.status for access in wire.accesses] == [499])
    assert wire.kusto("T | count").status == 200


def test_only_the_query_of_the_client_that_left_is_stopped(serving: Serving) -> None:
    wire = serving()
    statuses: list[int] = []
    query = "range x from 1 to 60000000 step 1 | summarize dcount(x % 1000003)"
    staying = threading.Thread(target=lambda: statuses.append(wire.kusto(query).status))
    _leave_in_the_middle(wire, SLOW)
    staying.start()
    staying.join()
    assert statuses == [200]


def test_a_full_server_says_so(serving: Serving) -> None:
    wire = serving(limits=Limits(at_once=1, waiting=1, seconds=3))
    with ThreadPoolExecutor(4) as pool:
        answers = [done.result() for done in [pool.submit(wire.kusto, SLOW) for _ in range(4)]]
    assert sorted(answer.status for answer in answers) == [429, 429, 504, 504]
    refused = next(answer for answer in answers if answer.status == 429)
    assert (refused.headers["retry-after"], refused.body["error"]["@permanent"]) == ("1", False)


def test_an_answer_of_many_rows_is_streamed(wire: Wire) -> None:
    query = "range x from 1 to 400000 step 1 | extend s = strcat('row ', x), t = datetime(2026-01-01) + x * 1ms, r = x * 0.25"
    answer = wire.kusto(query)
    assert "content-length" not in answer.headers
    rows = answer.body[2]["Rows"]
    assert len(rows) == 400_000
    assert rows[0] == [1, "row 1", "2026-01-01T00:00:00.001Z", 0.25]
    assert rows[-1] == [400_000, "row 400000", "2026-01-01T00:06:40Z", 100_000.0]
