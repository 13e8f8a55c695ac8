"""YAML with the place of every key and value, read within limits."""

from toolkit.content.yaml.loader import load_yaml, parse_yaml
from toolkit.content.yaml.nodes import Document, Entry, Mapping, Node, Path, Scalar, Sequence, plain

__all__ = ["Document", "Entry", "Mapping", "Node", "Path", "Scalar", "Sequence", "load_yaml", "parse_yaml", "plain"]
