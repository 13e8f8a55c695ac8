"""Workbooks: their model, parameter substitution, checks, and a preview from the local engine."""
