"""A local endpoint that Microsoft's clients accept: Kusto and Log Analytics over the engine, read only."""
