"""Logs of a live workspace as sample files: pseudonyms for what names somebody, nothing in place of secrets.

`pseudonymise` works on rows alone; `record` asks a workspace for them; `read_key` and `create_key` are about the key's file.
"""

from __future__ import annotations

from toolkit.deploy.record.key import Key, RecordKeyError
from toolkit.deploy.record.keyfile import create_key, key_of_text, read_key
from toolkit.deploy.record.pseudonyms import PseudonymCollision
from toolkit.deploy.record.recording import Recorded, RecordingError, Request, is_custom, record, refuse_existing, write_lines
from toolkit.deploy.record.rows import Observer, Recording, Shape, pseudonymise
from toolkit.deploy.record.tally import Doubtful, Replaced, Report

__all__ = [
    "Doubtful",
    "Key",
    "Observer",
    "PseudonymCollision",
    "RecordKeyError",
    "Recorded",
    "Recording",
    "RecordingError",
    "Replaced",
    "Report",
    "Request",
    "Shape",
    "create_key",
    "is_custom",
    "key_of_text",
    "pseudonymise",
    "read_key",
    "record",
    "refuse_existing",
    "write_lines",
]
