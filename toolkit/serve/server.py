"""Listening, and stopping gracefully: requests that run may end, then they are stopped."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from toolkit.kql.diagnostics import ToolkitError
from toolkit.serve.app import App, Settings
from toolkit.serve.guard import is_loopback

_GRACE_SECONDS = 5.0
_KEEP_ALIVE_SECONDS = 120  # longer than clients keep an idle connection: a request must not meet one that is being closed
_MOST_CONNECTIONS = 1024
_HEAD_SECONDS = 20.0
"""How long a client may take to say what it wants: the request line and the headers."""


class ListenError(ToolkitError):
    """The address cannot be listened on."""


class Patient(H11Protocol):
    """Closes a connection on which nobody finishes a request's head. uvicorn waits for that forever, a connection each."""

    _giving_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Between requests uvicorn's own timer runs; while one is answered none has to."""
        is_answering = bool(self.cycle) and not self.cycle.response_complete
        if is_answering or self.timeout_keep_alive_task is not None:
            self._stop_watching()
        elif self._giving_up is None:
            self._giving_up = self.loop.call_later(_HEAD_SECONDS, self.transport.close)

    def _stop_watching(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None


def listening_config(app: Any, grace: float = _GRACE_SECONDS) -> uvicorn.Config:
    """How every server of the toolkit listens: no logs, no websockets, a bound on connections and on the time of stopping."""
    return uvicorn.Config(
        app,
        http=Patient,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # what clients send that is no HTTP is their affair
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(grace)) + 2,
    )


class Quiet(uvicorn.Server):
    """uvicorn without its own signal handlers: those send the signal again after a graceful stop, which ends in an error."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server:
    """A server on a host and a port (0: any free one). `run` blocks; as a context manager it serves in a thread.

    Raises ListenError, also for an address that other machines reach when there is no token.
    """

    def __init__(self, settings: Settings, host: str = "127.0.0.1", port: int = 0, grace: float = _GRACE_SECONDS) -> None:
        if not is_loopback(host) and settings.guard.token is None:
            raise ListenError(f"{host} is reached from other machines: a token is required.")
        self.app = App(settings)
        self._grace = grace
        self._socket = listen(host, port)
        self.host, self.port = host, self._socket.getsockname()[1]
        self._server = Quiet(listening_config(self.app, grace))
        self._thread: threading.Thread | None = None
        self._stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def run(self, *, signals: bool = True) -> None:
        """Serves until `stop`, and with `signals` until SIGINT or SIGTERM; a second one does not wait for anybody."""
        try:
            asyncio.run(self._serve(signals))
        finally:
            self._socket.close()
            self.app.runner.close()

    async def _serve(self, signals: bool) -> None:
        self._stopping = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        with handled(self.stop) if signals else contextlib.nullcontext():
            watching = self._loop.create_task(self._stop_queries(self._stopping))
            try:
                await self._server.serve(sockets=[self._socket])
            finally:
                watching.cancel()

    async def _stop_queries(self, stopping: asyncio.Event) -> None:
        """Gives what runs some time to end once the server is to stop."""
        await stopping.wait()
        await asyncio.sleep(self._grace)
        self.app.runner.stop()

    def stop(self) -> None:
        """Asks the server to stop; a second time at once. Any thread may call it, and a signal handler."""
        if self._server.should_exit:
            self._server.force_exit = True
            self.app.runner.stop()
        self._server.should_exit = True
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)

    def __enter__(self) -> Server:
        self._thread = threading.Thread(target=self.run, kwargs={"signals": False}, name="server", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            self._thread.join(0.01)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        assert self._thread is not None
        self._thread.join()


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio asks for it before it turns Nagle's algorithm off: without that an answer in two
    # writes waits 40 ms for the client's delayed acknowledgement.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(512)
    except (OSError, OverflowError) as error:
        found.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ListenError(f"{host}:{port} cannot be listened on: {reason}") from None
    found.setblocking(False)
    return found


@contextlib.contextmanager
def handled(stop: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM call `stop`, inside."""
    found = (signal.SIGINT, signal.SIGTERM)
    before: dict[signal.Signals, Any] = {number: signal.getsignal(number) for number in found}
    for number in found:
        signal.signal(number, lambda *_: stop())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
