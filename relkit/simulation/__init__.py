"""Traffic with known truth: the demo week.

`demo` is the door; `demo_truth` reads what is true, `demo_traffic` draws requests and tries, `demo_rows` and
`demo_pairs` write them as rows, `demo_draws` makes the random numbers.
"""

from relkit.simulation.demo import Demo, demo_week, write_demo

__all__ = ["Demo", "demo_week", "write_demo"]
