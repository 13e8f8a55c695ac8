"""Special functions, conversions of units, and the size estimate: rare, exact, and mostly Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from toolkit.engine.functions.forms import constant_text, form, number, python_call, real, register_python
from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.sql import Literal, Lowered, Sql
from toolkit.engine.udf import statistics
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

_PYTHON: dict[str, tuple[Callable[..., Any], int]] = {
    "erf": (statistics.erf, 1),
    "erfc": (statistics.erfc, 1),
    "beta_cdf": (statistics.beta_cdf, 3),
    "beta_pdf": (statistics.beta_pdf, 3),
    "beta_inv": (statistics.beta_inv, 3),
    "welch_test": (statistics.welch_test, 6),
}


def _as_text(function: Callable[..., float | None]) -> Callable[..., str | None]:
    """DuckDB turns a NaN that Python returns into NULL; as text it stays a NaN."""

    @wraps(function)
    def call(*args: float) -> str | None:
        value = function(*args)
        return None if value is None else repr(value)

    return call


_SQL_NAMES = {name: register_python(name, _as_text(function), ["DOUBLE"] * count, "VARCHAR") for name, (function, count) in _PYTHON.items()}


@REGISTRY.builder(*_PYTHON)
def _statistics(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    if len(args) != _PYTHON[call.name][1]:
        raise Refusal(f"{call.name} takes {_PYTHON[call.name][1]} numbers", call.span)
    reals = [real(expr.type, arg.sql) for expr, arg in zip(call.args, args, strict=True)]
    return Lowered(form("CAST({0} AS DOUBLE)", python_call(lowering, _SQL_NAMES[call.name], *reals)), True)


# --- units ----------------------------------------------------------------------------------------------------------

# Only units whose factor is fixed by definition: others differ between tables in the last digits.
_FOOT, _INCH, _YARD, _MILE, _SURVEY_FOOT = 0.3048, 0.0254, 0.9144, 1609.344, 1200 / 3937
_LENGTH = {
    "Nanometer": 1e-9,
    "Angstrom": 1e-10,
    "Micrometer": 1e-6,
    "Microinch": 2.54e-8,
    "Mil": 2.54e-5,
    "Millimeter": 1e-3,
    "Centimeter": 1e-2,
    "Inch": _INCH,
    "Hand": 4 * _INCH,
    "Decimeter": 0.1,
    "Foot": _FOOT,
    "UsSurveyFoot": _SURVEY_FOOT,
    "Yard": _YARD,
    "Meter": 1.0,
    "Fathom": 6 * _FOOT,
    "Decameter": 10.0,
    "Chain": 66 * _FOOT,
    "Hectometer": 100.0,
    "Kilometer": 1000.0,
    "Mile": _MILE,
    "NauticalMile": 1852.0,
}
_GRAIN, _POUND = 6.479891e-5, 0.45359237
_MASS = {
    "Nanogram": 1e-12,
    "Microgram": 1e-9,
    "Milligram": 1e-6,
    "Centigram": 1e-5,
    "Grain": _GRAIN,
    "Decigram": 1e-4,
    "Gram": 1e-3,
    "Decagram": 1e-2,
    "Ounce": _POUND / 16,
    "Hectogram": 0.1,
    "Pound": _POUND,
    "Kilogram": 1.0,
    "Stone": 14 * _POUND,
    "ShortHundredweight": 100 * _POUND,
    "LongHundredweight": 112 * _POUND,
    "Kilopound": 1000 * _POUND,
    "ShortTon": 2000 * _POUND,
    "Tonne": 1000.0,
    "LongTon": 2240 * _POUND,
    "Megapound": 1e6 * _POUND,
    "Kilotonne": 1e6,
    "Megatonne": 1e9,
}
_FORCE = {
    "Micronewton": 1e-6,
    "Dyn": 1e-5,
    "Millinewton": 1e-3,
    "Newton": 1.0,
    "Decanewton": 10.0,
    "Kilonewton": 1000.0,
    "Meganewton": 1e6,
    "KilogramForce": 9.80665,
    "KiloPond": 9.80665,
    "TonneForce": 9806.65,
}
_BTU = 1055.05585262
_ENERGY = {
    "Erg": 1e-7,
    "Millijoule": 1e-3,
    "Joule": 1.0,
    "Calorie": 4.184,
    "Kilojoule": 1e3,
    "BritishThermalUnit": _BTU,
    "KilobritishThermalUnit": 1e3 * _BTU,
    "MegabritishThermalUnit": 1e6 * _BTU,
    "GigabritishThermalUnit": 1e9 * _BTU,
    "WattHour": 3600.0,
    "Kilocalorie": 4184.0,
    "WattDay": 86400.0,
    "Megajoule": 1e6,
    "KilowattHour": 3.6e6,
    "Megacalorie": 4.184e6,
    "KilowattDay": 8.64e7,
    "Gigajoule": 1e9,
    "MegawattHour": 3.6e9,
    "MegawattDay": 8.64e10,
    "GigawattHour": 3.6e12,
    "GigawattDay": 8.64e13,
    "TerawattHour": 3.6e15,
    "TerawattDay": 8.64e16,
}
_TURN = 360.0
_ANGLE = {
    "Nanodegree": 1e-9,
    "Microdegree": 1e-6,
    "Millidegree": 1e-3,
    "Arcsecond": 1 / 3600,
    "Arcminute": 1 / 60,
    "Degree": 1.0,
    "Gradian": 0.9,
    "Nanoradian": 180 / math.pi * 1e-9,
    "Microradian": 180 / math.pi * 1e-6,
    "Milliradian": 180 / math.pi * 1e-3,
    "Centiradian": 180 / math.pi * 1e-2,
    "Deciradian": 180 / math.pi * 1e-1,
    "Radian": 180 / math.pi,
    "Revolution": _TURN,
}
# The documented answer has the service's own factor of an acre-foot, which is the one of the UnitsNet library; so these are
# that library's, rounded where it rounds.
_CUBIC_FOOT, _ACRE_FEET, _GALLON, _IMPERIAL_GALLON = _FOOT**3, 0.000810714, 0.00378541, 0.00454609
_VOLUME = {
    "CubicMicrometer": 1e-18,
    "CubicMillimeter": 1e-9,
    "CubicCentimeter": 1e-6,
    "CubicInch": 1.6387e-5,
    "CubicDecimeter": 1e-3,
    "CubicFoot": _CUBIC_FOOT,
    "HectocubicFoot": 100 * _CUBIC_FOOT,
    "KilocubicFoot": 1e3 * _CUBIC_FOOT,
    "MegacubicFoot": 1e6 * _CUBIC_FOOT,
    "BoardFoot": 2.3597372158e-3,
    "CubicYard": 0.764554858,
    "CubicMeter": 1.0,
    "HectocubicMeter": 100.0,
    "KilocubicMeter": 1e3,
    "AcreFoot": 1 / _ACRE_FEET,
    "CubicHectometer": 1e6,
    "CubicKilometer": 1e9,
    "CubicMile": 4.16818182544058e9,
    "Microliter": 1e-9,
    "Milliliter": 1e-6,
    "Centiliter": 1e-5,
    "Deciliter": 1e-4,
    "Liter": 1e-3,
    "Decaliter": 1e-2,
    "Hectoliter": 0.1,
    "Kiloliter": 1.0,
    "Megaliter": 1e3,
    "MetricTeaspoon": 5e-6,
    "MetricCup": 2.5e-4,
    "AuTablespoon": 2e-5,
    "UkTablespoon": 1.5e-5,
    "ImperialOunce": 2.84130625e-5,
    "ImperialPint": 5.6826125e-4,
    "ImperialGallon": _IMPERIAL_GALLON,
    "KiloimperialGallon": 1e3 * _IMPERIAL_GALLON,
    "MegaimperialGallon": 1e6 * _IMPERIAL_GALLON,
    "ImperialBeerBarrel": 0.16365924,
    "UsTeaspoon": 4.92892159375e-6,
    "UsTablespoon": 1.478676478125e-5,
    "UsOunce": 2.95735295625e-5,
    "UsLegalCup": 2.4e-4,
    "UsCustomaryCup": 2.365882365e-4,
    "UsPint": 4.73176473e-4,
    "UsQuart": 9.46352946e-4,
    "DeciusGallon": 0.1 * _GALLON,
    "UsGallon": _GALLON,
    "DecausGallon": 10 * _GALLON,
    "HectousGallon": 100 * _GALLON,
    "KilousGallon": 1e3 * _GALLON,
    "MegausGallon": 1e6 * _GALLON,
    "UsBeerBarrel": 0.1173477658,
    "OilBarrel": 0.158987294928,
}
_SECONDS = {"PerSecond": 1.0, "PerMinute": 60.0, "PerHour": 3600.0}
_SPEED_LENGTHS = ("Nanometer", "Micrometer", "Millimeter", "Centimeter", "Decimeter", "Meter", "Kilometer")
_SPEED = {
    f"{length}{per}": _LENGTH[length] / seconds
    for length in (*_SPEED_LENGTHS, "Inch", "Foot", "UsSurveyFoot", "Yard", "Mile")
    for per, seconds in _SECONDS.items()
} | {"Knot": 1852 / 3600}
_FACTORS: dict[str, Mapping[str, float]] = {
    "convert_angle": _ANGLE,
    "convert_energy": _ENERGY,
    "convert_force": _FORCE,
    "convert_length": _LENGTH,
    "convert_mass": _MASS,
    "convert_speed": _SPEED,
    "convert_volume": _VOLUME,
}
# kelvin = value * scale + zero
_TEMPERATURE = {
    "Kelvin": (1.0, 0.0),
    "DegreeCelsius": (1.0, 273.15),
    "MillidegreeCelsius": (1e-3, 273.15),
    "DegreeFahrenheit": (5 / 9, 459.67 * 5 / 9),
    "DegreeRankine": (5 / 9, 0.0),
    "DegreeReaumur": (5 / 4, 273.15),
}


def _units(call: plan.Call, known: Mapping[str, object]) -> tuple[str, str]:
    units = [constant_text(expr, "a unit") for expr in call.args[1:3]]
    for unit in units:
        if unit not in known:
            raise Refusal(f"{call.name} from or to '{unit}' is not supported: its size in the service is not documented", call.span)
    return units[0], units[1]


def _constant(value: float) -> Literal:
    return Literal(value, "DOUBLE")


@REGISTRY.builder(*_FACTORS)
def _convert(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    factors = _FACTORS[call.name]
    source, target = _units(call, factors)
    value = real(call.args[0].type, args[0].sql)
    return Lowered(form("({0} * {1} / {2})", value, _constant(factors[source]), _constant(factors[target])), args[0].nullable)


@REGISTRY.builder("convert_temperature")
def _convert_temperature(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    source, target = _units(call, _TEMPERATURE)
    (scale_in, zero_in), (scale_out, zero_out) = _TEMPERATURE[source], _TEMPERATURE[target]
    numbers = (_constant(scale_in), _constant(zero_in), _constant(zero_out), _constant(scale_out))
    return Lowered(form("(({0} * {1} + {2} - {3}) / {4})", real(call.args[0].type, args[0].sql), *numbers), args[0].nullable)


# --- sizes ----------------------------------------------------------------------------------------------------------


@REGISTRY.builder("estimate_data_size")
def _estimate_data_size(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-264: only the sizes of longs and strings are documented."""
    sizes: list[Sql] = [number(0)]
    for expr, arg in zip(call.args, args, strict=True):
        if expr.type is ScalarType.STRING:
            sizes.append(form("strlen({0})", arg.sql))
        elif expr.type is ScalarType.LONG:
            sizes.append(number(8))
        else:
            raise Refusal(f"the estimated size of a {expr.type} is not documented", call.span)
    return Lowered(form("(" + " + ".join(f"{{{index}}}" for index in range(len(sizes))) + ")", *sizes), False)
