"""The command line. Each verb is a module of its own and is imported when it is used; `main.py` is where it begins."""
