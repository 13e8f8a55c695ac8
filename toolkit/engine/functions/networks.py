"""What ipv4_lookup and ipv6_lookup join by: the leading bits of an address or network, with their number (R-313).

IPv4: a number, 1 followed by the bits. IPv6: a text of a 1 and the bits, '' for what is no address.
"""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.engine.functions import forms
from toolkit.engine.functions.network import plain_or_python
from toolkit.engine.functions.registry import REGISTRY, Lowering
from toolkit.engine.functions.strings import strict_text
from toolkit.engine.sql import Form, Lowered
from toolkit.engine.udf import network as udf
from toolkit.kql import plan

_BITS4 = forms.register_python("ipv4_bits", udf.ipv4_bits, ["VARCHAR"], "BIGINT")
_BITS6 = forms.register_python("ipv6_bits", udf.ipv6_bits, ["VARCHAR"], "VARCHAR")
_WHOLE = 2**32
_LENGTH4 = f"(CASE WHEN {{0}} >= {_WHOLE} THEN 32 ELSE length(bin({{0}})) - 1 END)"


@REGISTRY.builder("ipv4_bits")
def _ipv4_bits(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    text = strict_text(call, args, 0)
    return Lowered(plain_or_python(lowering, _BITS4, text, lambda number: Form(f"({{0}} + {_WHOLE})", (number,))), True)


@REGISTRY.builder("ipv6_bits")
def _ipv6_bits(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(forms.python_call(lowering, _BITS6, strict_text(call, args, 0)), False)


REGISTRY.template("ipv4_bits_length", _LENGTH4)
REGISTRY.template("ipv4_bits_first", f"({{0}} >> ({_LENGTH4} - {{1}}))")
REGISTRY.template("ipv6_bits_length", "(length({0}) - 1)", total=True)
REGISTRY.template("ipv6_bits_first", "left({0}, {1} + 1)", total=True)
