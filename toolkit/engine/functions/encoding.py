"""Encodings and hashes (R-150 to R-156).

Not here: hash_combine and hash_many, whose way of combining hashes is not published.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from toolkit.engine.functions import forms
from toolkit.engine.functions.conversion import as_text
from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.functions.strings import strict_text
from toolkit.engine.sql import Form, Lowered
from toolkit.engine.udf import encoding as udf
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

STRING, DYNAMIC, GUID, DATETIME = ScalarType.STRING, ScalarType.DYNAMIC, ScalarType.GUID, ScalarType.DATETIME


def _text_function(name: str, function: Callable[[str], str | None], nullable: bool = False) -> None:
    """A Python function of one string."""
    sql_name = forms.register_python(name, function, ["VARCHAR"], "VARCHAR")

    def build(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
        return Lowered(forms.python_call(lowering, sql_name, strict_text(call, args, 0)), nullable)

    REGISTRY.builder(name)(build)


_text_function("base64_decode_tostring", udf.base64_decode_tostring)
_text_function("base64_decode_toarray", udf.base64_decode_toarray, True)
_text_function("url_encode", udf.url_encode)
_text_function("url_encode_component", udf.url_encode_component)
_text_function("url_decode", udf.url_decode)
_text_function("zlib_compress_to_base64_string", udf.zlib_compress)
_text_function("gzip_compress_to_base64_string", udf.gzip_compress)
_text_function("punycode_from_string", udf.punycode_from_string)
_text_function("punycode_to_string", udf.punycode_to_string)
_text_function("punycode_domain_from_string", udf.punycode_domain_from_string)
_text_function("punycode_domain_to_string", udf.punycode_domain_to_string)

_text_function("base64_decode_toguid", udf.base64_decode_toguid, True)


def _decompressor(name: str, compressor: str, function: Callable[[str], str]) -> None:
    """A text that the query itself compresses comes back as it was, whatever its compressed form is."""
    sql_name = forms.register_python(name, function, ["VARCHAR"], "VARCHAR")

    def build(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
        inner = call.args[0]
        if isinstance(inner, plan.Call) and inner.name == compressor:
            return Lowered(lowering.lower(inner.args[0]).sql, False)
        return Lowered(forms.python_call(lowering, sql_name, strict_text(call, args, 0)), False)

    REGISTRY.builder(name)(build)


_decompressor("zlib_decompress_from_base64_string", "zlib_compress_to_base64_string", udf.zlib_decompress)
_decompressor("gzip_decompress_from_base64_string", "gzip_compress_to_base64_string", udf.gzip_decompress)

_FROM_ARRAY = forms.register_python("base64_encode_fromarray", udf.base64_encode_fromarray, ["VARCHAR"], "VARCHAR", strict=False)
_FROM_GUID = forms.register_python("base64_encode_fromguid", udf.base64_encode_fromguid, ["VARCHAR"], "VARCHAR")
_HASH_TEXT = forms.register_python("hash_text", udf.hash_text, ["VARCHAR", "BIGINT"], "BIGINT")
_HASH_TICKS = forms.register_python("hash_ticks", udf.hash_ticks, ["BIGINT", "BIGINT"], "BIGINT")


@REGISTRY.builder("base64_encode_tostring")
def _base64_encode(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    return Lowered(Form("to_base64(encode({0}))", (strict_text(call, args, 0),)), False)


@REGISTRY.builder("base64_encode_fromarray")
def _base64_encode_array(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    if call.args[0].type is not DYNAMIC:
        raise Refusal("base64_encode_fromarray() needs a dynamic array", call.args[0].span)
    return Lowered(forms.python_call(lowering, _FROM_ARRAY, args[0].sql), False)


@REGISTRY.builder("base64_encode_fromguid")
def _base64_encode_guid(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    if call.args[0].type is not GUID:
        raise Refusal("base64_encode_fromguid() needs a guid", call.args[0].span)
    return Lowered(Form("coalesce({0}, '')", (forms.python_call(lowering, _FROM_GUID, args[0].sql),)), False)


def _digest(name: str, function: str) -> None:
    """R-154: the tostring form is hashed; '' stays ''."""

    def build(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
        return Lowered(Form(f"coalesce({function}(nullif({{0}}, '')), '')", (as_text(call.args[0].type, args[0]),)), False)

    REGISTRY.builder(name)(build)


_digest("hash_md5", "md5")
_digest("hash_sha1", "sha1")
_digest("hash_sha256", "sha256")


@REGISTRY.builder("hash")
def _hash(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-155: known for strings and datetimes only."""
    kind = call.args[0].type
    if kind not in (STRING, DATETIME):
        raise Refusal(f"hash() of a {kind} is not documented", call.args[0].span)
    modulus = forms.whole(call.args[1].type, args[1].sql) if len(args) > 1 else forms.number(0)
    if len(args) > 1 and forms.constant_number(call.args[1]) in (0, None):
        raise Refusal("the modulus of hash() must be a constant other than 0", call.args[1].span)
    return Lowered(forms.python_call(lowering, _HASH_TEXT if kind is STRING else _HASH_TICKS, args[0].sql, modulus), True)
