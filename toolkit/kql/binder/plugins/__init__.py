"""The plugins of `evaluate`; importing this package registers them all."""

from toolkit.kql.binder.plugins import activity, cohorts, evaluate, geo_lookups, lookups, merges, narrow, nearby, rolling, sequences, unpack

__all__ = ["activity", "cohorts", "evaluate", "geo_lookups", "lookups", "merges", "narrow", "nearby", "rolling", "sequences", "unpack"]
