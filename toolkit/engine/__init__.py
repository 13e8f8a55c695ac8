"""The evaluator: bound plan -> SQL -> embedded DuckDB -> typed rows. The only package that knows SQL."""
