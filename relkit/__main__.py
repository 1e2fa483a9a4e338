"""`python -m relkit` is the command line."""

from relkit.cli import main

main()
