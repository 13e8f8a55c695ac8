"""Checks of workbooks, one per file: its docstring says what it demands and why."""
