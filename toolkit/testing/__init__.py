"""Cases of detection content: reading them, running them on recorded logs, and saying why one failed."""
