"""The command line. Each verb is a module of its own and is imported when it is used."""

from toolkit.cli.app import main

__all__ = ["main"]
