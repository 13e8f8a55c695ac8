"""nsdebuglog.log, the debug log of the Netskope client: where each connection of a device went.

    2026/03/02 09:14:07.123456 stAgentSvc p8c t3e0f info tunnel.cpp:1150 nsTunnel TLS [sessId 7] Tunneling flow from addr: ...

Times are the device's local ones. Line numbers of sources change with every version of the client: nothing is told by them.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from toolkit.engine.ingest.grammar import Form, Head, Mismatch, Part, is_date, mismatch, whole_number
from toolkit.engine.ingest.text_logs import TextLog
from toolkit.kql.types import ScalarType

_MOST_PORT = 65_535
_MOST_INT = 2**31 - 1

_HEAD = Head(
    Part("Date", r"\d{4}/(?:0[1-9]|1[0-2])/(?:0[1-9]|[12]\d|3[01])", "a date such as 2026/03/02"),
    Part("Time", r" +(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}(?:\d{3})?(?!\d)", "a time such as 09:14:07.123 or 09:14:07.123456"),
    Part("AgentProcess", r" +[^\s:]+(?= )", "the name of the writing process, such as stAgentSvc"),
    Part("ProcessId", r" +p[0-9a-fA-F]{1,8}(?= )", "a process id in hexadecimal, such as p8c"),
    Part("ThreadId", r" +t[0-9a-fA-F]{1,15}(?= )", "a thread id in hexadecimal, such as t3e0f"),
    Part("Level", r" +(?:\d|[a-zA-Z]+)(?= )", "a level: a digit, or a word such as info"),
    Part("SourceFile", r" +[\w.+-]+(?=:)", "a source file such as tunnel.cpp"),
    Part("SourceLine", r":\d{1,9}(?= )", "the line of the source, such as :1150"),
    Part("Component", r" +\S+", "a component such as nsTunnel"),
    Part("Gap", r" ?", ""),
)
_SESSION = re.compile(r"(TLS|DTLS)(?: \[sessId (\d{1,18})\])?(?: |$)")

_FORMS = (
    Form(
        "TunnelingFlow",
        "Tunneling flow from addr: {Src}, process: {ProcessName} to host: {DestHost}, addr: {DestAndTarget}",
        {"Path": "Netskope"},
    ),
    Form(
        "BypassingFlowToExceptionHost",
        "bypassing flow to exception host: {DestHost}, process: {ProcessName}, Dest IP: {DestIp}, Dest Port: {DestPort}",
        {"Path": "Direct"},
    ),
    Form(
        "BypassingConnectionByTunneling",
        "Bypassing connection by tunneling from process: {ProcessName}, host: {DestHost}",
        {"Path": "Netskope"},
    ),
    Form("BypassingConnection", "Bypassing connection from process: {ProcessName}, host: {DestHost}", {"Path": "Direct"}),
    Form(
        "BypassingFlowToPrivateIp",
        "Bypassing flow from process: {ProcessName} to private ip: {DestIp}, Port: {DestPort}, host: {DestHost}",
        {"Path": "Direct"},
    ),
    Form(
        "BlockingUdpConnection",
        "Blocking UDP connection from process: {ProcessName}, dest IP:{Dest}, src IP {Src}",
        {"Path": "Blocked"},
    ),
    Form("DroppingConnection", "Dropping connection from process: {ProcessName}, host: {DestHost}", {"Path": "Blocked"}),
    Form("ManagedDeviceBypass", "Found process: {ProcessName} to be bypassed for managed devices"),
    Form("DeviceClassification", "device classification status: {Status}"),
    Form("TunnelConnected", "SSL connected to the gslbgw server: {DestHost}({DestIp}):{DestPort} successfully"),
    Form("TunnelDisconnected", "disconnecting nsTunnel, context = {Status}"),
    Form("ClientLocation", "Client location is {Status} and traffic mode is {Mode}"),
)


def read(line: str) -> tuple[dict[str, Any], Mismatch | None]:
    """The columns of a record's first line."""
    parts, at, failure = _HEAD.read(line)
    date, time = parts.get("Date", "").replace("/", "-"), parts.get("Time", "").strip()
    if date and not is_date(date):
        return {}, mismatch(line, 0, "a day that exists")
    values: dict[str, Any] = {"TimeGenerated": f"{date}T{time}"} if time else {}
    if failure:
        return values, failure
    values |= {
        "AgentProcess": parts["AgentProcess"].strip(),
        "ProcessId": int(parts["ProcessId"].strip()[1:], 16),
        "ThreadId": int(parts["ThreadId"].strip()[1:], 16),
        "Level": parts["Level"].strip(),
        "SourceFile": parts["SourceFile"].strip(),
        "SourceLine": int(parts["SourceLine"][1:]),
        "Component": parts["Component"].strip(),
        "Message": line[at:],
    }
    session = _SESSION.match(line, at)
    if session:
        values["TunnelProtocol"] = session[1]
        values["SessionId"] = None if session[2] is None else int(session[2])
        at = session.end()
    return values, _read_message(line, at, values)


def _read_message(line: str, at: int, values: dict[str, Any]) -> Mismatch | None:
    """Adds the columns of a message whose form is known."""
    form = next((form for form in _FORMS if form.begins(line, at)), None)
    if form is None:
        return None
    fields = form.read(line, at)
    if isinstance(fields, Mismatch):
        return fields
    found: dict[str, Any] = {"EventName": form.event, **form.constants}
    for name, (text, place) in fields.items():
        failure = _take(found, name, text, place)
        if failure:
            return failure
    values.update(found)
    return None


def _take(found: dict[str, Any], name: str, text: str, place: int) -> Mismatch | None:
    if name == "DestAndTarget":
        address, _, rest = text.partition(" ")
        # The target can be missing, with and without the word in front of it.
        if rest and rest != "to" and not rest.startswith("to "):
            return mismatch(text, len(address) + 1, "'to' and a target such as nsProxy").moved(place)
        found["Target"] = rest[3:]
        found["DestIp"], found["DestPort"] = endpoint(address)
    elif name in ("Src", "Dest"):
        found[f"{name}Ip"], found[f"{name}Port"] = endpoint(text)
    elif name == "DestPort":
        number = whole_number(text, place, "a port", _MOST_PORT)
        if isinstance(number, Mismatch):
            return number
        found[name] = number
    elif name == "Mode":
        digits = text.partition(",")[0]
        number = whole_number(digits, place, "a traffic mode", _MOST_INT)
        if isinstance(number, Mismatch):
            return number
        found["TrafficMode"] = number
    else:
        found[name] = text
    return None


def endpoint(text: str) -> tuple[str, int | None]:
    """Address and port of `192.0.2.7:443`, `[2001:db8::7]:443`, `2001:db8:0:0:0:0:0:7:443`; the port is None where none is written.

    A short IPv6 address with a port behind it cannot be told from a longer one (`2001:db8::7:443`): then neither is given.
    """
    address, _, port = text.rpartition(":")
    numeric = port.isascii() and port.isdigit() and int(port[:6]) <= _MOST_PORT and len(port) <= 5
    if ":" not in address:
        return (address, int(port)) if address and numeric else (text, None)
    if address.startswith("[") and address.endswith("]"):
        return (address[1:-1], int(port)) if numeric else (text, None)
    whole, without_port = _is_ipv6(text), numeric and _is_ipv6(address)
    if whole and without_port:
        return "", None
    return (address, int(port)) if without_port else (text, None)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


LOG = TextLog(
    "nsdebuglog",
    "Netskope client log (nsdebuglog.log)",
    "NetskopeClientDebug_CL",
    ("nsdebuglog",),
    re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"),
    {
        "AgentProcess": ScalarType.STRING,
        "ProcessId": ScalarType.LONG,
        "ThreadId": ScalarType.LONG,
        "Level": ScalarType.STRING,
        "SourceFile": ScalarType.STRING,
        "SourceLine": ScalarType.INT,
        "Component": ScalarType.STRING,
        "Message": ScalarType.STRING,
        "EventName": ScalarType.STRING,
        "Path": ScalarType.STRING,
        "ProcessName": ScalarType.STRING,
        "SrcIp": ScalarType.STRING,
        "SrcPort": ScalarType.INT,
        "DestHost": ScalarType.STRING,
        "DestIp": ScalarType.STRING,
        "DestPort": ScalarType.INT,
        "Target": ScalarType.STRING,
        "TunnelProtocol": ScalarType.STRING,
        "SessionId": ScalarType.LONG,
        "Status": ScalarType.STRING,
        "TrafficMode": ScalarType.INT,
    },
    read,
)
