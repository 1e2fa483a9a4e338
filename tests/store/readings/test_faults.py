"""Faults that somebody wrote down, as labels for alerts."""

from pathlib import Path

from relkit.period import period_of
from relkit.store import open_store, readings


def test_faults_of_a_period_and_of_a_service(demo_database: Path):
    with open_store(demo_database) as store:
        every = readings.faults(store, period_of("all"))
        week = readings.faults(store, period_of("2026-W47"))
        other = readings.faults(store, period_of("2026-W40"))
        nobody = readings.faults(store, period_of("all"), "a service without faults")
    assert every == week
    assert [label for _, _, label in every] == ["outage groq", "rate limit groq", "brownout groq"]
    assert all(end > start for start, end, _ in every)
    assert (other, nobody) == ([], [])
