"""Reading log files: mapping, conversion, and which rows are new."""
