"""`python -m toolkit.cli`."""

from toolkit.cli.app import main

main()
