"""Readings: one grouped query that counts and sums, given back as the record of the room that will judge it.

A reading holds no threshold, rate or quantile level; which rows are bad comes in as an argument.
"""

from relkit.store.readings.failures import call_uses, fingerprint_counts, labels
from relkit.store.readings.log import data_hash, log_span, weeks_with_requests
from relkit.store.readings.requests import groups, latencies, minute_shares, minutes, uptimes
from relkit.store.readings.retries import next_tries
from relkit.store.readings.shadow import experiment, experiments
from relkit.store.readings.traps import traps

__all__ = [
    "call_uses",
    "data_hash",
    "experiment",
    "experiments",
    "fingerprint_counts",
    "groups",
    "labels",
    "latencies",
    "log_span",
    "minute_shares",
    "minutes",
    "next_tries",
    "traps",
    "uptimes",
    "weeks_with_requests",
]
