"""Bound plan -> SQL statement for the embedded engine: one file per family of relations."""
