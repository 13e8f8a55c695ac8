"""JSON files with the position of every key and value, as the same tree that YAML files are read into."""
