"""Jinja2 in queries: sandboxed, limited, and with values that come out as KQL literals."""
