"""Detection content for Microsoft Sentinel as code: render, validate on recorded logs, deploy."""
