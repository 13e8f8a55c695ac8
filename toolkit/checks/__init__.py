"""Checks of content, one per file: its docstring says what it demands and why."""
