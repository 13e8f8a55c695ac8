"""Why the functions without a row have none: what they need that is not here, or what nobody has written down."""

from __future__ import annotations

from toolkit.engine.functions.registry import REGISTRY

_REASONS = {
    "its answer comes from the service: who asks, and where": (
        "current_cluster_endpoint", "current_database", "current_node_id", "current_principal", "current_principal_details",
        "current_principal_is_member_of",
    ),
    "its answer comes from how the service stores the rows": (
        "cursor_after", "cursor_before_or_at", "cursor_current", "current_cursor", "extent_id", "extentid", "extent_tags", "extenttags",
        "row_id", "rowstore_ordinal_range",
    ),
    "it names what only the service holds": (
        "cluster", "database", "entity_group", "external_table", "materialized_view", "stored_query_result", "graph",
    ),
    "the list of patterns that the service knows user agents by is not published": ("parse_user_agent",),
    "the names that the service has, and their order, are not documented exactly": ("datetime_list_timezones",),
    "how the service combines hashes is not documented": ("hash_combine", "hash_many"),
    "it is not documented": ("hll_isvalid", "tdigest_isvalid", "passthrough"),
    "it is internal to the service and not documented": (
        "__cast", "__geo_length_to_s2cell_level", "__geo_line_s2cell_covering_level", "__geo_line_validate",
        "__geo_polygon_s2cell_covering_level", "__geo_polygon_validate", "__hash_crc32", "__hash_djb2", "__hash_many_crc32", "__hash_xxh64",
        "__hll_normalize", "__invoke", "__ipv6_lookup_ranges", "__lz4_compress_dynamic_array_to_base64_string",
    ),
}  # fmt: skip

for _reason, _names in _REASONS.items():
    for _name in _names:
        REGISTRY.refusals.setdefault(_name, _reason)
