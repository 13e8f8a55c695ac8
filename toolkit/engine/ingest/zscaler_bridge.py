"""zbridge.log, the log of the Zscaler NSS virtual machine about its uploads to Microsoft Defender for Cloud Apps.

    [2026-03-02 10:01:39] INFO Check and upload. queue size=1380
    [2026-03-02 10:01:39,412] DEBUG Connection leased: [id: 5] (org.apache.http.impl.conn.PoolingHttpClientConnectionManager)

The second is log4j's pattern `[%d] %p %m (%c)%n`, which DEBUG logging brings. Times are the machine's local ones.
"""

from __future__ import annotations

import re
from typing import Any

from toolkit.engine.ingest.grammar import Form, Head, Mismatch, Part, is_date, mismatch, whole_number
from toolkit.engine.ingest.text_logs import TextLog
from toolkit.kql.types import ScalarType

_MOST_LONG = 2**63 - 1
_MOST_INT = 2**31 - 1

_HEAD = Head(
    Part("Open", r"\[", "'['"),
    Part("Date", r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])", "a date such as 2026-03-02"),
    Part("Time", r" (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d", "a time such as 10:01:39"),
    Part("Milliseconds", r"(?:,\d{3})?(?=\])", "milliseconds such as ,412, or ']'"),
    Part("Close", r"\] +", "'] '"),
    Part("Level", r"(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL)(?= |$)", "TRACE, DEBUG, INFO, WARN, ERROR or FATAL"),
    Part("Gap", r" *", ""),
)
# A message may end in parentheses of its own: only with milliseconds, or when it is the name of a class, are they the logger.
_LOGGER = re.compile(r" \(([\w$]+(?:\.[\w$]+)*)\)$")

_FORMS = (
    Form("HandlerStarted", "Initialize MCAS handler"),
    Form("CreatingWorkers", "Creating MCAS workers"),
    Form("WorkerCreated", "Created Worker {Worker}"),
    Form("CheckAndUpload", "Check and upload. queue size={QueueSize}"),
    Form("InitiateUpload", "Initiate Upload"),
    Form("InitiateResponse", "Initiate Response: {Response}"),
    Form("ReturnUrl", "Return url={Url}"),
    Form("PerformUpload", "Perform Upload. Payload size={PayloadSize} queue size={QueueSize}"),
    Form("UploadResponse", "Upload Response: {Response}"),
    Form("FinalizeUpload", "Finalize Upload"),
    Form("FinalizeResponse", "Finalize Response: {Response}"),
)
_NUMBERS = {"Worker": ("a worker's number", _MOST_INT), "QueueSize": ("a queue size", _MOST_LONG), "PayloadSize": ("a size", _MOST_LONG)}


def read(line: str) -> tuple[dict[str, Any], Mismatch | None]:
    """The columns of a record's first line."""
    parts, at, failure = _HEAD.read(line)
    if "Date" in parts and not is_date(parts["Date"]):
        return {}, mismatch(line, 1, "a day that exists")
    milliseconds = parts.get("Milliseconds", "")
    values: dict[str, Any] = {}
    if "Time" in parts:
        values["TimeGenerated"] = f"{parts['Date']}T{parts['Time'].strip()}{milliseconds.replace(',', '.')}"
    if failure:
        return values, failure
    logger = _LOGGER.search(line, max(at - 1, 0))
    if logger and not (milliseconds or "." in logger[1]):
        logger = None
    message = line[at : max(logger.start(), at)] if logger else line[at:]
    values |= {"Level": parts["Level"], "Logger": logger[1] if logger else "", "Message": message}
    return values, _read_message(message, at, values)


def _read_message(message: str, at: int, values: dict[str, Any]) -> Mismatch | None:
    """Adds the columns of a message whose form is known."""
    form = next((form for form in _FORMS if form.begins(message)), None)
    if form is None:
        return None
    fields = form.read(message)
    if isinstance(fields, Mismatch):
        return fields.moved(at)
    found: dict[str, Any] = {"EventName": form.event}
    for name, (text, place) in fields.items():
        if name not in _NUMBERS:
            found[name] = text
            continue
        number = whole_number(text, at + place, *_NUMBERS[name])
        if isinstance(number, Mismatch):
            return number
        found[name] = number
    values.update(found)
    return None


LOG = TextLog(
    "zbridge",
    "Zscaler NSS log (zbridge.log)",
    "ZscalerNssBridge_CL",
    ("zbridge",),
    re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
    {
        "Level": ScalarType.STRING,
        "Logger": ScalarType.STRING,
        "Message": ScalarType.STRING,
        "EventName": ScalarType.STRING,
        "Worker": ScalarType.INT,
        "QueueSize": ScalarType.LONG,
        "PayloadSize": ScalarType.LONG,
        "Response": ScalarType.STRING,
        "Url": ScalarType.STRING,
    },
    read,
)
