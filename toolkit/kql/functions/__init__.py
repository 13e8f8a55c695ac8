"""What KQL's built-in functions, aggregates and plugins are called, take and return, as data (`signatures.tsv`)."""
