"""The words of KQL: which are keywords, and which of those may also stand as names (R-003, R-004).

The lists were found by asking Microsoft's analyzer about every keyword in every position; see the reference.
"""

from __future__ import annotations

NAME_KEYWORDS = frozenset(
    """access alias bin bool consume count database dataformat datetime_pattern declare default best_effort distinct edges
    entity_group evaluate extend facet filter fork from getschema graph guid id inline_external_table join let limit lookup
    mvapply mvexpand nodes null nulls on optional order output pack parse __partitionby partition pattern plotly
    query_parameters range reduce regex render restrict scan serialize sort step summarize take top typeof uuid view with
    with_node_id""".split()
)
"""Keywords that are names wherever a name may stand."""

PATH_KEYWORDS = frozenset("kind withsource with_source".split())
"""Keywords that are names in expressions and after a dot, but not where a name is declared."""

DECLARED_KEYWORDS = NAME_KEYWORDS | frozenset(
    """accumulate as by contains datatable earliest externaldata find has in invoke latest materialize mdm of print sample
    sample-distinct search set sql title to toscalar totable top-nested top-hitters verbose viewers where""".split()
)
"""Keywords that are names where only a name can stand: before `=`, in schemas and parameter lists."""

_RESERVED = frozenset(
    """and asc assert-schema bagexpansion between bin_legacy commands-and-queries containscs contains_cs cycles datascope
    decodeblocks desc endswith endswith_cs expandoutput external_data first flags force_remote granny-asc granny-desc graph-match
    graph-shortest-paths graph-to-table graph-mark-components graph-where-nodes graph-where-edges has_any has_all has_cs
    hasprefix hasprefix_cs hassuffix hassuffix_cs hotcache in~ isfuzzy last like likecs macro-expand make-graph make-series
    materialized-view-combine mv-apply mv-expand nooptimization notcontains notcontainscs notlike notlikecs or others
    parse-where parse-kv partitioned-by pathformat project project-away project-by-names __projectAway project-keep
    project-rename project-reorder project-smart relaxed simple startswith startswith_cs union with_itemindex with_match_id
    with_step_name __contextual_datatable __executeAndCache __crossCluster __crossDB __id __isFuzzy __noWithSource
    __packedColumn __sourceColumnIndex anomalychart areachart barchart card columnchart ladderchart linechart piechart
    pivotchart scatterchart stackedareachart timechart timeline timepivot treemap cachingpolicy callout cancel dataexport
    encodingpolicy extent_tags_retention harddelete hardretention journal missing materialized-views queries query_results
    restricted_view_access row_level_security rowstore rowstore_references rowstore_sealinfo rowstorepolicy rowstores seal seals
    set-or-append set-or-replace shards softdelete softretention statistics storedqueryresultcontainers tablepurge
    unrestrictedviewers views writeaheadlog""".split()
)

NEGATED_WORDS = frozenset(
    """!between !contains !contains_cs !endswith !endswith_cs !has !has_cs !hasprefix !hasprefix_cs !hassuffix !hassuffix_cs
    !in !in~ !startswith !startswith_cs""".split()
)

TYPE_KEYWORDS = frozenset(
    """bool boolean char byte date datetime decimal double dynamic float guid int int8 int16 int32 int64 long real string time
    timespan uint uint8 uint16 uint32 uint64 ulong uniqueid""".split()
)
"""Words that name types, or are reserved for them."""

HINT_WORDS = frozenset(
    """hint.concurrency hint.distribution hint.materialized hint.num_partitions hint.pass_filters hint.pass_filters_column
    hint.progressive_top hint.remote hint.shufflekey hint.spread hint.strategy""".split()
)

_LISTS = (NAME_KEYWORDS, PATH_KEYWORDS, DECLARED_KEYWORDS, _RESERVED, NEGATED_WORDS, TYPE_KEYWORDS, HINT_WORDS, {"matches regex"})
KEYWORDS: dict[str, str] = {word: word for words in _LISTS for word in words}
"""Every keyword; a dictionary so that the lexer's kind is the one interned string."""

LITERAL_WORDS: dict[str, str] = {
    "bool": "bool",
    "int": "int",
    "int32": "int",
    "long": "long",
    "int64": "long",
    "real": "real",
    "double": "real",
    "decimal": "decimal",
    "datetime": "datetime",
    "date": "datetime",
    "timespan": "timespan",
    "time": "timespan",
    "guid": "guid",
}
"""Words that, directly before `(`, make the text up to `)` one literal; and the type it has (R-024)."""
