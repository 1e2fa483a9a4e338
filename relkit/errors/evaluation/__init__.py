"""How good is a rule set on a log: coverage, labels, retries that helped, money, and the next rule to write."""
