"""zbridge.log of a Zscaler NSS virtual machine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

_DAY = datetime(2026, 3, 2)  # noqa: DTZ001  # the machine writes local times, here UTC
_STORE = "https://prod0euw0console0.blob.core.windows.net/discovery-logs/[REDACTED]"
_LOGGER = "com.zscaler.bridge.proxy.ProxyConfig"


def ordinary_day() -> str:
    """Hourly uploads to Defender for Cloud Apps from 06:01 on, as they should be."""
    return _text(_start(6) + [line for hour in range(6, 18) for line in _upload(hour, 900 + 37 * hour)])


def failed_uploads() -> str:
    """From 10:01 the token is refused, one upload breaks off, three hours are silent, then a restart; DEBUG logging at the end."""
    lines = _start(6)
    for hour in (6, 7, 8, 9):
        lines += _upload(hour, 900 + 37 * hour)
    lines += _upload(10, 1500, initiate="Unauthorized")
    lines += _upload(11, 2600, initiate="Unauthorized")
    lines += _upload(12, 3900, upload="Service Unavailable")
    lines += _start(16)
    lines += _upload(17, 9800)
    return _text(lines) + "".join(f"{line}\n" for line in _debug())


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _line(hour: int, minute: int, second: int, message: str, level: str = "INFO") -> str:
    return f"[{_DAY + timedelta(hours=hour, minutes=minute, seconds=second):%Y-%m-%d %H:%M:%S}] {level} {message}"


def _start(hour: int) -> list[str]:
    return [_line(hour, 0, 5, text) for text in ("Initialize MCAS handler", "Creating MCAS workers", "Created Worker 1")]


def _upload(hour: int, queue: int, *, initiate: str = "OK", upload: str = "Created") -> list[str]:
    """One upload; it ends with the first answer that is none."""
    lines = [
        _line(hour, 1, 39, f"Check and upload. queue size={queue}"),
        _line(hour, 1, 39, "Initiate Upload"),
        _line(hour, 1, 47, f"Initiate Response: {initiate}", "INFO" if initiate == "OK" else "ERROR"),
    ]
    if initiate != "OK":
        return lines
    lines += [
        _line(hour, 1, 47, f"Return url={_STORE}"),
        _line(hour, 1, 47, f"Perform Upload. Payload size={queue * 18} queue size={queue}"),
        _line(hour, 1, 48, f"Upload Response: {upload}", "INFO" if upload == "Created" else "ERROR"),
    ]
    if upload != "Created":
        return lines
    return [*lines, _line(hour, 1, 48, "Finalize Upload"), _line(hour, 1, 50, "Finalize Response: OK")]


def _debug() -> Iterator[str]:
    moment = _DAY + timedelta(hours=18, minutes=1, seconds=39)
    for number, (level, text, logger) in enumerate(
        (
            ("INFO", "Check and upload. queue size=410", _LOGGER),
            ("INFO", "Initiate Upload", _LOGGER),
            ("DEBUG", "CookieSpec selected: best-match", "org.apache.http.client.protocol.RequestAddCookies"),
            (
                "DEBUG",
                "Connection leased: [id: 5][route: {s}->https://contoso.portal.example:443]",
                "org.apache.http.impl.conn.PoolingHttpClientConnectionManager",
            ),
            ("INFO", "Initiate Response: OK", _LOGGER),
            ("INFO", f"Return url={_STORE}", _LOGGER),
            ("INFO", "Perform Upload. Payload size=7380 queue size=410", _LOGGER),
            ("INFO", "Upload Response: Created", _LOGGER),
            ("INFO", "Finalize Upload", _LOGGER),
            ("INFO", "Finalize Response: OK", _LOGGER),
        )
    ):
        at = moment + timedelta(milliseconds=211 * number)
        yield f"[{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03}] {level} {text} ({logger})"
