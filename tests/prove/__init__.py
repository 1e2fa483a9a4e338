"""Proofs: one line for each promised point, with its goal, the figure found and the verdict (`make prove AREA=spine`)."""
