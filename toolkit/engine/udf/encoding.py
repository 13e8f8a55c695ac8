"""Encodings and hashes that DuckDB lacks or does differently. Invalid input gives '' (or None for non-text results)."""

from __future__ import annotations

import base64
import binascii
import re
import struct
import uuid
import zlib

from toolkit.engine.udf.strings import json_array, json_text
from toolkit.kql.times import MAX_DATETIME_TICKS

# What the service's platform leaves as it is.
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!*()")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_LARGEST_INFLATED = 64 * 1024 * 1024
_MASK = 2**64 - 1
_PRIMES = (11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579, 2870177450012600261)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _utf8(data: bytes | None) -> str:
    try:
        return data.decode("utf-8") if data else ""
    except UnicodeDecodeError:
        return ""


def base64_decode_tostring(text: str) -> str:
    return _utf8(_decoded(text))


def base64_decode_toarray(text: str) -> str | None:
    data = _decoded(text)
    return None if data is None else json_text(list(data))


def base64_encode_fromarray(array: str | None) -> str:
    values = json_array(array)
    if values is None or not all(type(value) is int and 0 <= value < 256 for value in values):
        return ""
    return base64.b64encode(bytes(values)).decode()


def base64_encode_fromguid(guid: str) -> str:
    """A guid's first three fields are little-endian (R-150)."""
    return base64.b64encode(uuid.UUID(guid).bytes_le).decode()


def base64_decode_toguid(text: str) -> str | None:
    """The page's answer turns the first two fields only, where base64_encode_fromguid turns three (R-150)."""
    data = _decoded(text)
    if data is None or len(data) != 16:
        return None
    return str(uuid.UUID(bytes=data[3::-1] + data[5:3:-1] + data[6:]))


def _encoded(text: str, space: str) -> str:
    """Percent-encoded UTF-8 with lower-case digits (R-151)."""
    return "".join(chr(byte) if byte in _SAFE else space if byte == 32 else f"%{byte:02x}" for byte in text.encode())


def url_encode(text: str) -> str:
    return _encoded(text, "+")


def url_encode_component(text: str) -> str:
    return _encoded(text, "%20")


def url_decode(text: str) -> str:
    """Escapes and `+` for a space; a broken escape stays as it is."""
    return _PERCENT.sub(lambda found: bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "replace"), text.replace("+", " "))


def _inflated(text: str, window: int) -> str:
    data = _decoded(text)
    if not data:
        return ""
    try:
        stream = zlib.decompressobj(window)
        found = stream.decompress(data, _LARGEST_INFLATED)
    except zlib.error:
        return ""
    if stream.unconsumed_tail:
        raise ValueError("kql:a compressed text expands to more than 64 MB")
    return _utf8(found) if stream.eof else ""


def zlib_decompress(text: str) -> str:
    return _inflated(text, 15)


def gzip_decompress(text: str) -> str:
    data = _decoded(text)
    if not data or data[:3] != b"\x1f\x8b\x08" or data[3:4] != b"\0":  # optional header fields are not supported
        return ""
    return _inflated(text, 31)


_LONGEST_STORED = 47


def _stored(text: str) -> bytes:
    """Deflate of a text as one stored block, which is what the documented answers hold.

    Whichever compressor the service has, it finds nothing to shorten in a short text without a repeated sequence of
    three bytes. Of any other text only that it can be decompressed is documented, so the query fails there.
    """
    data = text.encode()
    sequences = [data[at : at + 3] for at in range(len(data) - 2)]
    if not data or len(data) > _LONGEST_STORED or len(set(sequences)) < len(sequences):
        raise ValueError(
            "kql:the compressed form of this text is not documented: it depends on the compressor;"
            f" known are texts of 1 to {_LONGEST_STORED} bytes in which no sequence of three bytes repeats"
        )
    return b"\x01" + struct.pack("<HH", len(data), len(data) ^ 0xFFFF) + data


def zlib_compress(text: str) -> str:
    return base64.b64encode(b"\x78\x01" + _stored(text) + struct.pack(">I", zlib.adler32(text.encode()))).decode()


def gzip_compress(text: str) -> str:
    data = text.encode()
    header = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    return base64.b64encode(header + _stored(text) + struct.pack("<II", zlib.crc32(data), len(data))).decode()


def punycode_from_string(text: str) -> str:
    try:
        return text.encode("punycode").decode("ascii").removesuffix("-")
    except (UnicodeError, ValueError):
        return ""


def punycode_to_string(text: str) -> str:
    try:
        return text.encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return ""


def punycode_domain_to_string(domain: str) -> str:
    """Each label that is not ASCII as `xn--...`; letters keep their case, the ideographic dots are dots."""
    for dot in "\u3002\uff0e\uff61":
        domain = domain.replace(dot, ".")
    return ".".join(label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii") for label in domain.split("."))


def punycode_domain_from_string(domain: str) -> str:
    labels: list[str] = []
    for label in domain.split("."):
        decoded = punycode_to_string(label[4:]) if label.lower().startswith("xn--") else label
        if not decoded and label:
            return ""
        labels.append(decoded)
    return ".".join(labels)


# --- xxHash64 -------------------------------------------------------------------------------------------------------


def _rotate(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (64 - bits))) & _MASK


def _round(lane: int, word: int) -> int:
    return _rotate((lane + word * _PRIMES[1]) & _MASK, 31) * _PRIMES[0] & _MASK


def _stripes(data: bytes) -> int:
    """The state after all whole stripes of 32 bytes."""
    lanes = [(_PRIMES[0] + _PRIMES[1]) & _MASK, _PRIMES[1], 0, -_PRIMES[0] & _MASK]
    for start in range(0, len(data) - 31, 32):
        for lane in range(4):
            lanes[lane] = _round(lanes[lane], int.from_bytes(data[start + 8 * lane : start + 8 * lane + 8], "little"))
    state = sum(_rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK
    for lane in lanes:
        state = ((state ^ _round(0, lane)) * _PRIMES[0] + _PRIMES[3]) & _MASK
    return state


def xxhash64(data: bytes) -> int:
    """xxHash64 with seed 0, unsigned (the algorithm's public specification)."""
    state = _stripes(data) if len(data) >= 32 else _PRIMES[4]
    state = (state + len(data)) & _MASK
    at = len(data) // 32 * 32
    while at + 8 <= len(data):
        state ^= _round(0, int.from_bytes(data[at : at + 8], "little"))
        state = (_rotate(state, 27) * _PRIMES[0] + _PRIMES[3]) & _MASK
        at += 8
    if at + 4 <= len(data):
        state ^= int.from_bytes(data[at : at + 4], "little") * _PRIMES[0] & _MASK
        state = (_rotate(state, 23) * _PRIMES[1] + _PRIMES[2]) & _MASK
        at += 4
    for byte in data[at:]:
        state = _rotate(state ^ (byte * _PRIMES[4] & _MASK), 11) * _PRIMES[0] & _MASK
    state = (state ^ (state >> 33)) * _PRIMES[1] & _MASK
    state = (state ^ (state >> 29)) * _PRIMES[2] & _MASK
    return state ^ (state >> 32)


def _signed(value: int, modulus: int) -> int | None:
    """With a modulus the non-negative remainder of the signed value (R-155)."""
    signed = value - 2**64 if value >= 2**63 else value
    if modulus == 0:
        return signed
    return signed % modulus if modulus > 0 else None


def hash_text(text: str, modulus: int) -> int | None:
    return _signed(xxhash64(text.encode()), modulus)


def hash_ticks(ticks: int, modulus: int) -> int | None:
    assert 0 <= ticks <= MAX_DATETIME_TICKS
    return _signed(xxhash64(ticks.to_bytes(8, "little", signed=True)), modulus)
