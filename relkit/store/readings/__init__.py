"""Readings: one grouped query that counts and sums, given back as the record of the room that will judge it.

A reading holds no threshold, rate or quantile level; which rows are bad comes in as an argument.
"""

from relkit.store.readings.costs import answers_by_day, cost_cells
from relkit.store.readings.disagreements import disagreements
from relkit.store.readings.exclusions import exclusions
from relkit.store.readings.failures import call_uses, fingerprint_counts, labels
from relkit.store.readings.faults import faults
from relkit.store.readings.log import data_hash, log_span, weeks_with_requests
from relkit.store.readings.requests import groups, latencies, levels, minute_shares, minutes, uptimes
from relkit.store.readings.retries import next_tries, tries
from relkit.store.readings.shadow import experiment, experiments
from relkit.store.readings.shadow_study import study
from relkit.store.readings.traffic import traffic
from relkit.store.readings.traps import traps

__all__ = [
    "answers_by_day",
    "call_uses",
    "cost_cells",
    "data_hash",
    "disagreements",
    "exclusions",
    "experiment",
    "experiments",
    "faults",
    "fingerprint_counts",
    "groups",
    "labels",
    "latencies",
    "levels",
    "log_span",
    "minute_shares",
    "minutes",
    "next_tries",
    "study",
    "traffic",
    "traps",
    "tries",
    "uptimes",
    "weeks_with_requests",
]
