"""Benchmarks: relkit beside what a user would pick instead, in one run on one machine; seconds are printed, never gated."""
