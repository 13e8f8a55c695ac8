"""Serving a preview until it is stopped."""

from __future__ import annotations

import threading
from types import TracebackType

from toolkit.serve.server import Quiet, handled, listen, listening_config
from toolkit.workbooks.preview.server import PreviewApp
from toolkit.workbooks.preview.session import Preview

HOST = "127.0.0.1"


class PreviewServer:
    """A preview on a port of this machine (0: any free one). `run` blocks; as a context manager it serves in a thread.

    Raises ListenError for a port that cannot be listened on.
    """

    def __init__(self, preview: Preview, port: int = 0) -> None:
        self._app = PreviewApp(preview)
        self._socket = listen(HOST, port)
        self.port = self._socket.getsockname()[1]
        self._app.origins = (f"http://{HOST}:{self.port}", f"http://localhost:{self.port}")
        self._server = Quiet(listening_config(self._app))
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/"

    def run(self, *, signals: bool = True) -> None:
        """Serves until `stop`, and with `signals` until SIGINT or SIGTERM."""
        try:
            if signals:
                with handled(self.stop):
                    self._server.run(sockets=[self._socket])
            else:
                self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()

    def stop(self) -> None:
        self._server.should_exit = True

    def __enter__(self) -> PreviewServer:
        self._thread = threading.Thread(target=self.run, kwargs={"signals": False}, name="preview", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            self._thread.join(0.01)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        assert self._thread is not None
        self._thread.join()
