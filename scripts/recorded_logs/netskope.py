"""nsdebuglog.log, the debug log of a Netskope client, as the client writes it: local times, hexadecimal ids, records of several lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

_DAY = datetime(2026, 3, 2)  # noqa: DTZ001  # the client writes local times
_PROXY = "to nsProxy"
_HOSTS = {
    "contoso.okta.example": "192.0.2.10",
    "login.contoso.com": "192.0.2.20",
    "intranet.contoso.com": "192.0.2.21",
    "cdn.assets.example": "198.51.100.30",
    "news.example": "198.51.100.31",
    "telemetry.browser.example": "198.51.100.32",
    "mail.contoso.com": "192.0.2.22",
    "updates.vendor.example": "198.51.100.33",
}


def failed_sign_in() -> str:
    """A sign-in with Okta Verify that fails at 10:14:32 local time: its host goes through Netskope, again and again."""
    return _text([*_start(), *_background(), *_sign_in(), *_dump()])


def ordinary_morning() -> str:
    """The same client an hour of work long: steered traffic, the exceptions that the company has approved, one reconnect."""
    return _text(
        [
            *_start(),
            *_background(),
            _line(45, 2, "tunnel.cpp:1150", "nsTunnel", "DTLS disconnecting nsTunnel, context = NSTUNNEL_DISCONNECTED_BYGATEWAY"),
            *_reconnect(46),
        ]
    )


def tampered() -> str:
    """Somebody turns the client off before an upload; a shell and a renamed program leave past Netskope; an exception of a whole domain."""
    return _text(
        [
            *_start(),
            *_background(),
            _bypass(30, 5, "powershell.exe", "files.upload.example"),
            _bypass(30, 6, "okta verify", "contoso.okta.example"),
            _line(
                31,
                0,
                "bypassAppMgr.cpp:1634",
                "BypassAppMgr",
                "bypassing flow to exception host: files.upload.example, process: chrome.exe, Dest IP: 203.0.113.66, Dest Port: 443",
            ),
            _line(32, 1, "tunnel.cpp:292", "nsTunnel", "DTLS disconnecting nsTunnel, context = NSTUNNEL_DISCONNECTED_BYUSER"),
            "2026/03/02 10:33:05.000 stAgentSvc p8c t3e0f info tunnel",
        ]
    )


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in sorted(lines, key=lambda line: line[:26]))


def _line(minute: int, second: int, source: str, component: str, message: str, micro: int = 0) -> str:
    moment = _DAY + timedelta(hours=10, minutes=minute, seconds=second, microseconds=micro or (minute * 60 + second) * 137 % 1_000_000)
    return f"{moment:%Y/%m/%d %H:%M:%S.%f} stAgentSvc p8c t{0x3E00 + second:x} info {source} {component} {message}"


def _tunnel(minute: int, second: int, process: str, host: str, port: int = 443) -> str:
    number = minute * 60 + second
    flow = f"from addr: 10.0.0.7:{50000 + number}, process: {process} to host: {host}, addr: {_HOSTS[host]}:{port} {_PROXY}"
    return _line(minute, second, "tunnel.cpp:1150", "nsTunnel", f"TLS [sessId {number}] Tunneling flow {flow}")


def _bypass(minute: int, second: int, process: str, host: str) -> str:
    return _line(minute, second, "bypassAppMgr.cpp:654", "BypassAppMgr", f"Bypassing connection from process: {process}, host: {host}")


def _exception(minute: int, second: int, process: str, host: str) -> str:
    text = f"bypassing flow to exception host: {host}, process: {process}, Dest IP: {_HOSTS[host]}, Dest Port: 443"
    return _line(minute, second, "bypassAppMgr.cpp:1634", "BypassAppMgr", text)


def _start() -> list[str]:
    return [
        _line(0, 1, "tunnelMgr.cpp:2204", "CTunnelMgr", "Client location is remote and traffic mode is 3, DNS 1"),
        _line(0, 2, "bypassAppMgr.cpp:1153", "BypassAppMgr", "device classification status: managed"),
        *_reconnect(0),
    ]


def _reconnect(minute: int) -> list[str]:
    text = "DTLS SSL connected to the gslbgw server: gateway-fra1.goskope.example(203.0.113.5):443 successfully"
    return [_line(minute, 3, "tunnel.cpp:1074", "nsTunnel", text)]


def _background() -> Iterator[str]:
    """What a laptop does all the time."""
    for minute in range(1, 60, 3):
        yield _tunnel(minute, 7, "chrome.exe", "news.example")
        yield _tunnel(minute, 8, "chrome.exe", "cdn.assets.example")
        yield _tunnel(minute, 21, "chrome.exe", "intranet.contoso.com")
        yield _exception(minute, 33, "teams.exe", "telemetry.browser.example")
        if minute % 9 == 1:
            yield _tunnel(minute, 41, "outlook.exe", "mail.contoso.com")
            yield _tunnel(minute, 45, "svchost.exe", "updates.vendor.example")


def _sign_in() -> Iterator[str]:
    """Okta Verify tries its host fourteen times around 10:14:32, the browser waits on the sign-in page."""
    for second in range(12, 54, 3):
        yield _tunnel(14, second, "okta verify.exe", "contoso.okta.example")
    for second in (10, 30, 50):
        yield _tunnel(14, second, "chrome.exe", "login.contoso.com")
    yield _tunnel(14, 55, "chrome.exe", "contoso.okta.example")


def _dump() -> list[str]:
    """A record of several lines, which the client writes when its configuration changes."""
    head = _line(20, 0, "config.cpp:88", "Config", "steering configuration {")
    return [f'{head}\n  "name": "Default tenant config",\n  "exceptions": ["telemetry.browser.example"]\n}}']
