"""KQL, the language, without any engine: text -> tokens -> syntax -> bound plan.

Nothing in this package touches files, clocks, networks, DuckDB or YAML.
"""
