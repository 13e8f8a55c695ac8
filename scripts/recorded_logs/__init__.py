"""Writes the recorded logs below `detections/*/samples`: authored events in the shapes that Azure and AWS really deliver.

Nothing here is captured from a live system. Every event is written by hand in this package, from the shapes that Microsoft, Kubernetes and
AWS document, with reserved addresses (RFC 5737, RFC 3849), `contoso.com` names and zero GUIDs: no personal data, no secrets.

The output is a pure function of this source: no clock, no random source. `python -m scripts.recorded_logs` writes the files,
`--check` fails when the committed files differ from what would be written. The tests do the same.
"""
