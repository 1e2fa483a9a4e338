"""Small programs around relkit, each run with `python -m examples.NAME`."""
